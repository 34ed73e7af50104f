"""How long the machine itself stands still where all of its cores work: what waits measured on it can be at the least.

A core that does nothing but look at the clock sees when it was taken away: by work of the kernel, or by the host of a
virtual machine.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from time import perf_counter

SHORTEST_S = 0.001
"""Less is no pause."""


@dataclass(frozen=True)
class Pauses:
    """Of the core that stood still for longest, all in all."""

    seconds: float
    """How long it was watched."""
    number: int
    longest_ms: float
    total_ms: float

    def __str__(self) -> str:
        """In words."""
        return (
            f"the machine alone stood still {self.number} times in {self.seconds:g} s,"
            f" for {self.longest_ms:.1f} ms at the longest, {self.total_ms:.0f} ms in all"
        )


def pauses(seconds: float, cores: Sequence[int]) -> Pauses:
    """Watch these cores, all at once."""
    with ProcessPoolExecutor(len(cores), mp_context=get_context("spawn")) as pool:
        watched = list(pool.map(partial(_pauses_s, seconds), cores))
    worst = max(watched, key=sum)
    return Pauses(seconds, len(worst), 1_000 * max(worst, default=0.0), 1_000 * sum(worst))


def _pauses_s(seconds: float, core: int) -> list[float]:
    os.sched_setaffinity(0, {core})
    began = last = perf_counter()
    found = []
    while last - began < seconds:
        now = perf_counter()
        if now - last > SHORTEST_S:
            found.append(now - last)
        last = now
    return found
