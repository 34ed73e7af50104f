"""The key figures of a sale, in three groups: requests, speed, cost."""

from loadtest.report.verdict import units_oversold
from loadtest.result import SaleResult
from pages import amounts
from pages.figures import Figure, group, groups
from pages.markup import Markup


def key_figures(result: SaleResult) -> Markup:
    """The figures as description lists."""
    return groups(
        group("Requests", _requests(result)),
        group("Speed", _speed(result)),
        group("Stock and cost", _cost(result)),
    )


def _requests(result: SaleResult) -> list[Figure]:
    def of_offered(requests: int) -> str:
        return f"{amounts.percent(amounts.share(requests, result.offered))} of offered"

    refused = sum(result.refused.values())
    return [
        Figure("Offered", amounts.count(result.offered), "requests sent, retries among them"),
        Figure("Reserved", amounts.count(result.reserved), of_offered(result.reserved)),
        Figure("Replayed", amounts.count(result.replayed), "the same order again, same answer"),
        Figure("Refused", amounts.count(refused), of_offered(refused)),
        Figure(
            "Failed", amounts.count(result.failed), "no answer, or unexplained", tone="warning" if result.failed else ""
        ),
    ]


def _speed(result: SaleResult) -> list[Figure]:
    return [
        Figure("Orders per second", amounts.count(result.orders_per_second), f"over {amounts.seconds(result.seconds)}"),
        Figure("Latency p50", amounts.milliseconds(result.latency.p50_ms), "half answered within"),
        Figure("Latency p99", amounts.milliseconds(result.latency.p99_ms), "99 of 100 answered within"),
        Figure("Latency max", amounts.milliseconds(result.latency.max_ms), "the slowest answer"),
    ]


def _cost(result: SaleResult) -> list[Figure]:
    oversold = units_oversold(result)
    return [
        Figure("Units sold", amounts.count(result.units_sold), "of all SKUs"),
        Figure("Units oversold", amounts.count(oversold), "sold beyond stock", tone="alarming" if oversold else ""),
        Figure("Cost per order", amounts.money(result.cost_per_order, result.currency), "shipping and handling, mean"),
        Figure("Shipments per order", amounts.decimal(result.shipments_per_order, 2), "1.00: nothing was split"),
    ]
