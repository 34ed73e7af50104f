"""What the core costs without Python: runs the divan benchmarks that have a row, and reads the table they print."""

import re
import shutil
import subprocess

from bench.machine import ROOT

BUILD_WAIT_S = 900.0
RUN_WAIT_S = 120.0

ROWS = (
    ("extract: canonical bytes to an order", "decode"),
    ("plan, 2 lines x 30 warehouses", "plan::(2, 30, 100)"),
    ("plan, 2 x 50", "plan::(2, 50, 100)"),
    ("plan, 3 x 50", "plan::(3, 50, 100)"),
    ("plan, 8 x 100", "plan::(8, 100, 100)"),
    ("plan, 20 x 200, 4 % of cells stocked", "plan::(20, 200, 4)"),
    ("the kernel's part of it, 2 x 50", "solve::(2, 50, 100)"),
    ("the kernel's part of it, 20 x 200", "solve::(20, 200, 4)"),
    ("encode one Allocation", "allocation_json"),
    ("a batch of 200: extract, resolve, plan", "batch_plan"),
    ("the same: pack the commit", "batch_pack"),
    ("the same: settle, and write the answers", "batch_settle"),
)
"""What a row is called, and the benchmark with its argument."""

UNITS_S = {"ps": 1e-12, "ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0}
LINE = re.compile(
    r"^(?P<tree>[ │]*[├╰]─ )(?P<name>.*?)\s{2,}(?P<fastest>[\d.]+ \S+)\s+│.*?│ (?P<median>[\d.]+ \S+)\s+│"
)
GROUP = re.compile(r"^[├╰]─ (?P<name>\w+)\s")


class NoCore(Exception):
    """The benchmarks of the core did not run; the message says why."""


def measure_core() -> dict[str, tuple[float, float]]:
    """Fastest and median seconds by benchmark and argument. Raises NoCore."""
    if shutil.which("cargo") is None:
        raise NoCore("The core's benchmarks need a Rust toolchain: there is no cargo on PATH. Or leave out: --no-core.")
    bench = ["cargo", "bench", "--locked", "--quiet", "--bench", "planning"]
    names = sorted({name.partition("::")[0] for _, name in ROWS})
    _run([*bench, "--no-run"], BUILD_WAIT_S)
    return read_core(_run([*bench, "--", *(f"planning::{name}(::|$)" for name in names)], RUN_WAIT_S))


def read_core(text: str) -> dict[str, tuple[float, float]]:
    """What divan's table says; a benchmark with arguments is a group of them."""
    found: dict[str, tuple[float, float]] = {}
    group = ""
    for line in text.splitlines():
        if (head := GROUP.match(line)) is not None:
            group = head["name"]
        if (row := LINE.match(line)) is not None:
            nested = row["tree"][0] not in "├╰"
            found[f"{group}::{row['name']}" if nested else row["name"]] = (
                _seconds(row["fastest"]),
                _seconds(row["median"]),
            )
    return found


def _seconds(text: str) -> float:
    number, unit = text.split()
    return float(number) * UNITS_S[unit]


def _run(command: list[str], wait_s: float) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=wait_s, check=False)
    except subprocess.TimeoutExpired:
        raise NoCore(f"{' '.join(command)} took more than {wait_s:g} s") from None
    if done.returncode != 0:
        raise NoCore(f"{' '.join(command)} failed:\n{done.stderr[-2_000:]}")
    return done.stdout
