"""How long the machine itself stands still where all of its cores work: what waits measured on it can be at the least.

A core that does nothing but look at the clock sees when it was taken away, by the host of a virtual machine for one.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import pairwise
from multiprocessing import get_context
from time import perf_counter

SHORTEST_S = 0.000_5
"""Less is no pause."""


def pauses_p99_ms(seconds: float, cores: Sequence[int]) -> float:
    """What one in a hundred requests, come at any time of such a while, would wait for pauses of a core alone."""
    with ProcessPoolExecutor(len(cores), mp_context=get_context("spawn")) as pool:
        watched = pool.map(partial(_pauses_s, seconds), cores)
    return 1_000 * max(exceeded_by(0.01, pauses, seconds) for pauses in watched)


def _pauses_s(seconds: float, core: int) -> list[float]:
    os.sched_setaffinity(0, {core})
    began = last = perf_counter()
    pauses = []
    while last - began < seconds:
        now = perf_counter()
        if now - last > SHORTEST_S:
            pauses.append(now - last)
        last = now
    return pauses


def exceeded_by(part: float, pauses_s: Sequence[float], seconds: float) -> float:
    """The wait that such a part of all moments exceeds, in seconds: one in a pause waits for what is left of it."""
    # Between two of these waits, the time spent waiting longer falls by a second for each second and pause.
    most = part * seconds
    longest = [*sorted(pauses_s, reverse=True), 0.0]
    beyond = 0.0
    for number, (pause, shorter) in enumerate(pairwise(longest), 1):
        rises = number * (pause - shorter)
        if beyond + rises > most:
            return pause - (most - beyond) / number
        beyond += rises
    return 0.0
