"""What each stage of a batch costs through Python: runs the files of pytest-benchmark, and reads what they found."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.machine import ROOT

FILES = ("bench/test_batch_path.py", "bench/test_bulk_path.py", "bench/test_optimiser.py")
SIZES = (50, 200, 1000)
"""Orders of a batch, or of a lot."""
RUN_WAIT_S = 240.0

ROWS = (
    ("decode: JSON to typed orders", "test_decode_json[{}]"),
    ("decode: to canonical bytes", "test_canonical_bytes[{}]"),
    ("plan: extract, resolve, choose", "test_plan[{}]"),
    ("pack the commit", "test_pack[{}]"),
    ("commit on the real store, append-only file off", "test_commit[{}-off]"),
    ("commit on the real store, fsync before the reply", "test_commit[{}-always]"),
    ("encode: settle, and write the answers", "test_settle[{}]"),
    ("all of it, from typed orders to durable answers", "test_whole_intake[{}]"),
    ("in bulk, decode: lines to orders in Rust", "test_read_lines[{}]"),
    ("in bulk, plan", "test_plan_lot[{}]"),
    ("in bulk, encode: settle, and write the lines", "test_settle_lot[{}]"),
)
"""What a row is called, and the benchmark of a size."""
DECODE = ROWS[0][1]
"""The limit that others are held against: nobody can do less than read the order."""

OPTIMISER_LINES = (1_000, 10_000)
OPTIMISER = "test_assign_batch[{}]"


class Timed(msgspec.Struct, frozen=True):
    """One benchmark, in seconds."""

    fastest_s: float
    median_s: float
    extra: dict[str, float] = {}


class NoStages(Exception):
    """The benchmarks did not run; the message has the end of what they said."""


class _Stats(msgspec.Struct):
    min: float
    median: float


class _Benchmark(msgspec.Struct):
    name: str
    stats: _Stats
    extra_info: dict[str, float] = {}


class _Found(msgspec.Struct):
    benchmarks: list[_Benchmark]


def measure_stages(files: Sequence[str] = FILES, *, only: str = "", each_s: float = 0.5) -> dict[str, Timed]:
    """By the benchmark's name. `only`: those that pytest's -k would choose. Raises NoStages."""
    with tempfile.TemporaryDirectory(prefix="stockade-bench-") as folder:
        found = Path(folder) / "found.json"
        command = [sys.executable, "-m", "pytest", *files, "-q", "-p", "no:cacheprovider", "-k", only]
        command += ["--benchmark-enable", "--benchmark-quiet", f"--benchmark-max-time={each_s}"]
        command += [f"--benchmark-json={found}", "--basetemp", str(Path(folder) / "temp")]
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                cwd=ROOT,
                # Of a pytest that works in parallel nothing is handed on: no benchmark runs in one of those.
                env={name: word for name, word in os.environ.items() if not name.startswith("PYTEST_")},
                timeout=RUN_WAIT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise NoStages(f"the benchmarks of stages took more than {RUN_WAIT_S:g} s") from None
        if done.returncode != 0:
            raise NoStages(f"the benchmarks of stages failed:\n{(done.stdout + done.stderr)[-2_000:]}")
        read = msgspec.json.decode(found.read_bytes(), type=_Found)
    return {one.name: Timed(one.stats.min, one.stats.median, one.extra_info) for one in read.benchmarks}
