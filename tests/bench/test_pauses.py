"""How long a machine stands still."""

import contextlib
import os
import signal
import threading
import time
from pathlib import Path

from bench.pauses import pauses

CORES = sorted(os.sched_getaffinity(0))


def test_a_core_that_is_taken_away_is_seen() -> None:
    """Whoever watches it is stopped for a tenth of a second, again and again: when it begins to watch, nobody knows."""
    watched = threading.Event()

    def stop() -> None:
        while not watched.wait(0.1):
            children = _children()
            _signal(children, signal.SIGSTOP)
            time.sleep(0.1)
            _signal(children, signal.SIGCONT)

    stopping = threading.Thread(target=stop)
    stopping.start()
    try:
        found = pauses(2.0, CORES)
    finally:
        watched.set()
        stopping.join()
    assert found.number >= 1
    assert found.total_ms >= found.longest_ms >= 90
    assert "stood still" in str(found)


def _signal(children: list[int], number: signal.Signals) -> None:
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)


def _children() -> list[int]:
    """Processes that watch a core."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((path / "stat").read_text().rsplit(")", 1)[1].split()[1])
            command = (path / "cmdline").read_text()
        except OSError:
            continue
        if parent == os.getpid() and "multiprocessing.spawn" in command:
            found.append(int(path.name))
    return found
