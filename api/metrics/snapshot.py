"""What one worker tells of itself at one moment, and how those of several are added up."""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from api.metrics.counts import Series
from api.metrics.families import GAUGES

FORMAT = 1
"""To be raised when a snapshot's shape or a bound of a histogram changes: others are left alone."""


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
    sum_.requests = list(requests.items())
    sum_.orders = [(via, outcome, count) for (via, outcome), count in orders.items()]
    sum_.workers = len(live)
    for name in {name for one in live for name in one.gauges}:
        sum_.gauges[name] = GAUGES[name][1](one.gauges[name] for one in live if name in one.gauges)
    return sum_


def _add(into: dict[str, float], more: Mapping[str, float]) -> None:
    for name, value in more.items():
        into[name] = into.get(name, 0) + value
