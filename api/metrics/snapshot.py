"""What one worker tells of itself at one moment, and how those of several are added up."""

import math
from collections.abc import Iterable, Mapping

from msgspec import Struct

from api.metrics.counts import Series
from api.metrics.families import GAUGES

FORMAT = 3
"""To be raised when a snapshot's shape, its gauges or a bound of a histogram change: others are left alone."""

EXACT = 1 << 20
"""Parts of a second in which times are told: floats add up to the same in any order only if they are such fractions."""
LOSS_S = 60.0
"""Losses that several workers tell within such a time are the same one: each notices it with its next call."""
LOSSES_MAX = 1_000

Loss = tuple[float, float]
"""When a worker noticed that the store had lost changes, in seconds since 1970, and how many."""


class Histogram(Struct):
    """Values counted by bounds, those above the last, and their sum."""

    bounds: tuple[float, ...]
    counts: list[float]
    total: float


class Snapshot(Struct):
    """A worker's numbers. Counters only grow, until it ends."""

    format: int = FORMAT
    requests: list[tuple[Series, list[float]]] = []
    orders: list[tuple[str, str, float]] = []
    """Those that did not come by a request each: way, outcome, count."""
    counters: dict[str, float] = {}
    turned_away: dict[str, float] = {}
    """By reason."""
    histograms: dict[str, Histogram] = {}
    gauges: dict[str, float] = {}
    losses: list[Loss] = []
    """Of the store, each of them once, the oldest first."""
    told_at_s: float = 0.0
    """When this was, by the machine's monotonic clock, which all its processes share."""
    workers: int = 0
    """Those that live, of which these are the gauges."""


def add_up(live: Iterable[Snapshot], ended: Iterable[Snapshot] = ()) -> Snapshot:
    """Everything that was counted by all; the gauges of those that live."""
    requests: dict[Series, list[float]] = {}
    orders: dict[tuple[str, str], float] = {}
    sum_ = Snapshot()
    live = list(live)
    for one in [*live, *ended]:
        for series, row in one.requests:
            known = requests.get(series)
            requests[series] = list(row) if known is None else [a + b for a, b in zip(known, row, strict=True)]
        for via, outcome, count in one.orders:
            orders[via, outcome] = orders.get((via, outcome), 0) + count
        _add(sum_.counters, one.counters)
        _add(sum_.turned_away, one.turned_away)
        for name, histogram in one.histograms.items():
            into = sum_.histograms.setdefault(name, Histogram(histogram.bounds, [0] * len(histogram.counts), 0.0))
            into.counts = [a + b for a, b in zip(into.counts, histogram.counts, strict=True)]
            into.total += histogram.total
    sum_.losses = losses_of(loss for one in [*live, *ended] for loss in one.losses)
    sum_.requests = list(requests.items())
    sum_.orders = [(via, outcome, count) for (via, outcome), count in orders.items()]
    sum_.workers = len(live)
    for name in {name for one in live for name in one.gauges}:
        sum_.gauges[name] = GAUGES[name][1](one.gauges[name] for one in live if name in one.gauges)
    return sum_


def with_loss(noticed: list[Loss], at_s: float, changes: float) -> list[Loss]:
    """One worker's losses and what it has just noticed, which is more of the last one if that was lately."""
    if noticed and at_s < noticed[-1][0] + LOSS_S:
        return [*noticed[:-1], (noticed[-1][0], noticed[-1][1] + changes)]
    return _bounded([*noticed, (at_s, changes)])


def losses_of(noticed: Iterable[Loss]) -> list[Loss]:
    """The losses that workers noticed, each once: as great as it was to the one that had seen most."""
    found: list[Loss] = []
    for at_s, changes in sorted(noticed):
        if found and at_s < found[-1][0] + LOSS_S:
            found[-1] = (found[-1][0], max(found[-1][1], changes))
        else:
            found.append((at_s, changes))
    return _bounded(found)


def _bounded(losses: list[Loss]) -> list[Loss]:
    while len(losses) > LOSSES_MAX:
        # Nobody tells again of what lies so far back.
        losses[:2] = [(losses[1][0], losses[0][1] + losses[1][1])]
    return losses


def exact(value: float) -> float:
    """The value less what would be rounded when it is added to others: to Prometheus any fall is a restart."""
    return math.floor(value * EXACT) / EXACT


def _add(into: dict[str, float], more: Mapping[str, float]) -> None:
    for name, value in more.items():
        into[name] = into.get(name, 0) + value
