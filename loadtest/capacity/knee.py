"""Finds the knee: the highest load whose p99 meets the objective. Pure.

The p99 of the repeats at each load (their median) is made to rise with the load, on a scale of factors, so that one bad
second at a low load is no knee, nor one good one beyond. Between two loads it is a straight line on that scale.
"""

import math
from collections.abc import Sequence

import numpy as np

from loadtest.capacity.point import Point
from loadtest.capacity.result import Knee
from loadtest.capacity.spread import fold, interval, median, resampled, rising
from loadtest.verdict import OVERLOADED_MAX

MISSED_MS = 60_000.0
"""Stands for the p99 of a load at which orders failed, or were turned away."""
FLOOR_MS = 0.001


def counts(point: Point) -> bool:
    """Whether a point tells of the service: open loop, and the generator did not limit it."""
    return point.loop == "open" and not point.generator_bound and point.share is not None


def held_ms(point: Point) -> float:
    """Its p99; MISSED_MS where it bought that by not serving."""
    served = point.overloaded_share <= OVERLOADED_MAX and not point.failed_share and not point.behind
    return max(FLOOR_MS, min(point.p99_ms, MISSED_MS)) if served and point.requests else MISSED_MS


def by_load(points: Sequence[Point]) -> dict[float, list[Point]]:
    """Those that count by the share of the peak that was asked for, the least first."""
    found: dict[float, list[Point]] = {}
    for point in points:
        if counts(point) and point.share is not None:
            found.setdefault(point.share, []).append(point)
    return dict(sorted(found.items()))


def knee_of(points: Sequence[Point], p99_ms: float, seed: int) -> Knee | None:
    """The knee of a sweep; None where no point of it counts."""
    groups = by_load(points)
    if not groups:
        return None
    loads = rising([median([point.offered_per_s for point in group]) for group in groups.values()])
    held = [[math.log(held_ms(point)) for point in group] for group in groups.values()]
    wanted = math.log(p99_ms)
    curve = rising([median(group) for group in held])
    found = _crossing(loads, curve, wanted)
    repeats = min(map(len, held))
    span, is_open = None, False
    if repeats > 1:
        draws = fold(resampled(held, seed), lambda row: _crossing(loads, rising(row.tolist()), wanted))
        is_open = bool(np.mean(np.isinf(draws)) > 0.025)
        span = interval(np.where(np.isinf(draws), loads[-1], draws))
    met = [load for load, p99 in zip(loads, curve, strict=True) if p99 <= wanted]
    missed = [load for load, p99 in zip(loads, curve, strict=True) if p99 > wanted]
    at_least = math.isinf(found)
    return Knee(
        p99_ms=p99_ms,
        per_s=loads[-1] if at_least else found or None,
        interval=span,
        at_least=at_least,
        interval_open=is_open,
        met_per_s=met[-1] if met else None,
        missed_per_s=missed[0] if missed else None,
        repeats=repeats,
    )


def _crossing(loads: Sequence[float], curve: Sequence[float], wanted: float) -> float:
    """The load at which a rising curve reaches what is wanted: 0 below the first load, infinite above the last."""
    if curve[0] > wanted:
        return 0.0
    for at in range(1, len(curve)):
        if curve[at] > wanted:
            part = (wanted - curve[at - 1]) / (curve[at] - curve[at - 1])
            return loads[at - 1] + part * (loads[at] - loads[at - 1])
    return math.inf
