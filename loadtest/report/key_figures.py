"""The key figures of a sale, in three groups: requests, speed, cost."""

from collections.abc import Sequence
from dataclasses import dataclass

from loadtest.report import amounts
from loadtest.report.markup import EMPTY, Markup, element, text
from loadtest.report.verdict import units_oversold
from loadtest.result import SaleResult


@dataclass(frozen=True, slots=True)
class Figure:
    """A name, its value, and what the name leaves open. `tone`: `warning`, `alarming` or none."""

    name: str
    value: str
    aside: str = ""
    tone: str = ""


def key_figures(result: SaleResult) -> Markup:
    """The figures as description lists."""
    return element(
        "div",
        _group("Requests", _requests(result)),
        _group("Speed", _speed(result)),
        _group("Stock and cost", _cost(result)),
        class_="groups",
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


def _group(name: str, figures: Sequence[Figure]) -> Markup:
    entries = [
        element(
            "div",
            element("dt", text(figure.name)),
            element("dd", text(figure.value), class_="value"),
            element("dd", text(figure.aside), class_="aside") if figure.aside else EMPTY,
            class_=f"figure {figure.tone}".strip(),
        )
        for figure in figures
    ]
    return element("div", element("h3", text(name)), element("dl", *entries), class_="group")
