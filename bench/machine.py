"""What a figure was measured on: processor, cores, system, Python, commit, day."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from engine import __version__

ROOT = Path(__file__).parent.parent


class Machine(Struct, frozen=True, kw_only=True):
    """Where and when a run was."""

    processor: str
    cores: int
    """That this process may use."""
    system: str
    python: str
    stockade: str
    commit: str
    """With `-dirty` where files differ from it; `unknown` outside of git."""
    load: float
    """The load average of the last minute, at the start."""
    date: str

    def __str__(self) -> str:
        return (
            f"{self.date}, commit {self.commit}, {self.cores} cores of {self.processor}, {self.system},"
            f" CPython {self.python}, load average {self.load:.1f} at the start"
        )


def this_machine() -> Machine:
    """Looks at it now."""
    return Machine(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        stockade=__version__,
        commit=_commit(),
        load=os.getloadavg()[0],
        date=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _commit() -> str:
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=10", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "unknown"
