"""Looks at processes of this machine through /proc while load is on them. Of one that has gone there is nothing."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from loadtest.capacity.point import Disk, ProcessUse, Role

LOOK_S = 0.25
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Watched(Struct, frozen=True):
    """A process, and what it is."""

    role: Role
    name: str
    pid: int


class Used(NamedTuple):
    """What a process has used since it began, and holds now."""

    cpu_s: float
    rss_bytes: int
    written_bytes: int | None


class _Look(NamedTuple):
    at_s: float
    used: dict[int, Used]
    busy_s: float | None


def used_by(pid: int) -> Used | None:
    """None where there is no such process."""
    try:
        # The name of the program, in brackets, may hold anything.
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        rss = int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError, ValueError):
        return None
    return Used((int(fields[11]) + int(fields[12])) * _TICK_S, rss, _written(pid))


def _written(pid: int) -> int | None:
    try:
        lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("write_bytes:")), None)


def busy_s() -> float | None:
    """Processor time that anything on this machine has used; what another machine stole is no use."""
    try:
        user, nice, system, _idle, _wait, irq, softirq, *_ = map(int, Path("/proc/stat").read_text().split()[1:9])
    except (OSError, ValueError):
        return None
    return (user + nice + system + irq + softirq) * _TICK_S


def file_bytes(folder: Path) -> int:
    """Of all files in it; one that goes meanwhile has none."""
    total = 0
    for file in folder.glob("*"):
        try:
            total += file.stat().st_size
        except OSError:
            continue
    return total


class Watch:
    """Looks at some processes again and again. `folder`: the store's files, where they are at hand."""

    def __init__(self, watched: Sequence[Watched], folder: Path | None) -> None:
        self._watched = watched
        self._folder = folder
        self._looks: list[_Look] = []
        self._files: list[tuple[float, int]] = []

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_S)

    def look(self) -> None:
        """Once."""
        now = asyncio.get_running_loop().time()
        used = {one.pid: use for one in self._watched if (use := used_by(one.pid)) is not None}
        self._looks.append(_Look(now, used, busy_s()))
        if self._folder is not None:
            self._files.append((now, file_bytes(self._folder)))

    def between(self, from_s: float, to_s: float) -> tuple[list[ProcessUse], float | None, Disk | None]:
        """What each took, what all others took, and what became of the disk; times are the loop's.

        A process that was not there at both ends is left out.
        """
        looks = [look for look in self._looks if from_s <= look.at_s <= to_s]
        if len(looks) < 2:
            return [], None, None
        first, last = looks[0], looks[-1]
        span = last.at_s - first.at_s
        found: list[ProcessUse] = []
        for one in self._watched:
            if one.pid in first.used and one.pid in last.used:
                cores = max(0.0, (last.used[one.pid].cpu_s - first.used[one.pid].cpu_s) / span)
                rss = last.used[one.pid].rss_bytes
                found.append(ProcessUse(role=one.role, name=one.name, cpu_cores=cores, rss_bytes=rss))
        others = None
        if first.busy_s is not None and last.busy_s is not None and len(found) == len(self._watched):
            others = max(0.0, (last.busy_s - first.busy_s) / span - sum(use.cpu_cores for use in found))
        return found, others, self._disk(first, last)

    def _disk(self, first: _Look, last: _Look) -> Disk | None:
        files = [size for at_s, size in self._files if first.at_s <= at_s <= last.at_s]
        store = next((one.pid for one in self._watched if one.role == "store"), None)
        if not files or store is None or store not in first.used or store not in last.used:
            return None
        before, after = first.used[store].written_bytes, last.used[store].written_bytes
        written = None if before is None or after is None else max(0, after - before)
        return Disk(
            file_bytes_before=files[0],
            file_bytes_after=files[-1],
            written_bytes=written,
            seconds=last.at_s - first.at_s,
        )
