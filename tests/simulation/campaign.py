"""Plays many schedules on all cores: `python -m tests.simulation.campaign FIRST COUNT`."""

import gc
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

import structlog

from tests.simulation.books import Violation
from tests.simulation.mutants import MUTANTS
from tests.simulation.schedule import Schedule
from tests.simulation.world import sources

CHUNK = 500
FAILURES_MAX = 20
"""Failures after which a campaign ends: what they have in common is sooner found than all of them."""

Failure = tuple[int, str]
"""A seed and what did not hold."""


def play(first: int, count: int, library: str | None = None) -> list[Failure]:
    """The failures among so many schedules from a seed on, in this process."""
    failures = []
    for seed in range(first, first + count):
        try:
            Schedule(seed, library).run()
        except Violation as violation:
            failures.append((seed, str(violation)))
    return failures


def campaign(first: int, count: int, told: Callable[[int], None] | None = None) -> list[Failure]:
    """The failures among so many schedules from a seed on, by as many processes as there are cores."""
    failures: list[Failure] = []
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn"), initializer=prepare) as pool:
        chunks = {pool.submit(play, at, size): size for at, size in _chunks(first, count)}
        played = 0
        for chunk in as_completed(chunks):
            played += chunks[chunk]
            failures += chunk.result()
            if told is not None:
                told(played)
            if len(failures) >= FAILURES_MAX:
                pool.shutdown(cancel_futures=True)
                break
    return sorted(failures)


def find_failure(mutant: str, count: int) -> Failure | None:
    """The first failure of a mutant among so many schedules, in this process."""
    library = MUTANTS[mutant](sources())
    for seed in range(count):
        if failures := play(seed, 1, library):
            return failures[0]
    return None


def prepare() -> None:
    """Make a process ready for many schedules: nobody reads its log, and most of what it makes is soon garbage."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _chunks(first: int, count: int) -> Iterator[tuple[int, int]]:
    for at in range(first, first + count, CHUNK):
        yield at, min(CHUNK, first + count - at)


def main(first: str, count: str) -> int:
    """Play and tell."""
    started_s = time.monotonic()

    def told(played: int) -> None:
        rate = played / (time.monotonic() - started_s)
        print(f"\r{played:,} schedules, {rate:,.0f}/s", end="", flush=True)

    failures = campaign(int(first), int(count), told)
    print()
    for seed, what in failures:
        print(f"seed {seed}: {what}\n  python -m tests.simulation.replay {seed}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
