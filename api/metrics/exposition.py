"""Writes numbers as Prometheus reads them."""

from collections.abc import Iterable, Iterator, Sequence

from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector, CollectorRegistry

from api.metrics import families
from api.metrics.counts import BOUNDS_S, ORDERS_ROUTE
from api.metrics.snapshot import Snapshot

NOT_AN_ORDER = frozenset({"unauthorized", "forbidden", "rate-limited", "method-not-allowed"})
"""Outcomes of that route that nobody's order had."""


def exposition(sum_: Snapshot, build: dict[str, str], accept: str) -> tuple[str, bytes]:
    """The content type and the text, in the form that an `Accept` header asks for."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Told(sum_, build))
    encode, content_type = choose_encoder(accept)
    return content_type, encode(registry)


class _Told(Collector):
    def __init__(self, sum_: Snapshot, build: dict[str, str]) -> None:
        self._sum = sum_
        self._build = build

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterator[Metric]:
        sum_, told = self._sum, families.LABELLED
        yield InfoMetricFamily(families.BUILD, told[families.BUILD], value=self._build)
        yield GaugeMetricFamily(families.WORKERS, told[families.WORKERS], value=sum_.workers)
        yield from self._requests()
        yield self._orders()
        turned_away = CounterMetricFamily(families.TURNED_AWAY, told[families.TURNED_AWAY], labels=("reason",))
        for reason, count in sorted(sum_.turned_away.items()):
            turned_away.add_metric((reason,), count)
        yield turned_away
        for name, meaning in families.COUNTERS.items():
            yield CounterMetricFamily(name, meaning, value=sum_.counters.get(name, 0))
        for name, meaning in families.COUNTED_ONCE.items():
            yield CounterMetricFamily(name, meaning, value=sum(changes for _, changes in sum_.losses))
        for name, meaning in families.HISTOGRAMS.items():
            if (histogram := sum_.histograms.get(name)) is not None:
                buckets = _cumulated(histogram.bounds, histogram.counts)
                yield HistogramMetricFamily(name, meaning, buckets=buckets, sum_value=histogram.total)
        for name, (meaning, _) in families.GAUGES.items():
            if name in sum_.gauges:
                yield GaugeMetricFamily(name, meaning, value=sum_.gauges[name])

    def _requests(self) -> Iterator[Metric]:
        name = families.REQUESTS
        requests = CounterMetricFamily(name, families.LABELLED[name], labels=("route", "method", "status", "outcome"))
        rows: dict[tuple[str, str, str], list[float]] = {}
        for (route, status, outcome), row in sorted(self._sum.requests):
            method, _, path = route.rpartition(" ")
            requests.add_metric((path, method, str(status), outcome), sum(row[:-1]))
            labels = (path, method, f"{status // 100}xx")
            known = rows.get(labels)
            rows[labels] = row if known is None else [a + b for a, b in zip(known, row, strict=True)]
        yield requests
        name = families.DURATIONS
        durations = HistogramMetricFamily(name, families.LABELLED[name], labels=("route", "method", "status"))
        for labels, row in rows.items():
            durations.add_metric(labels, _cumulated(BOUNDS_S, row[:-1]), row[-1])
        yield durations

    def _orders(self) -> Metric:
        name = families.ORDERS
        orders: dict[tuple[str, str], float] = {(via, outcome): count for via, outcome, count in self._sum.orders}
        for (route, _, outcome), row in self._sum.requests:
            if route == ORDERS_ROUTE and outcome not in NOT_AN_ORDER:
                key = ("request", outcome)
                orders[key] = orders.get(key, 0) + sum(row[:-1])
        family = CounterMetricFamily(name, families.LABELLED[name], labels=("via", "outcome"))
        for labels, count in sorted(orders.items()):
            family.add_metric(labels, count)
        return family


def _cumulated(bounds: Sequence[float], counts: Sequence[float]) -> list[tuple[str, float]]:
    rows, sum_ = [], 0.0
    for bound, count in zip([*map(str, map(float, bounds)), "+Inf"], counts, strict=True):
        sum_ += count
        rows.append((bound, sum_))
    return rows
