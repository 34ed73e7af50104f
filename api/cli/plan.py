"""`stockade plan`: what an order would get, and why. Holds nothing."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from api.cli.console import EXIT_FINDING, StoreOptions, out, print_json, print_table
from api.cli.files import decode_json, read_file
from api.cli.orders import print_allocation
from engine import NotQuoted, open_engine
from engine.intake import PurchaseLimit
from engine.model import Allocation, Order
from engine.model.rules import check_order

UNABLE_SHOWN = 8
"""Warehouses that cannot ship the whole order and are shown all the same, the cheapest first."""

BEST = {
    "cheapest": "the cheapest",
    "fastest": "the fastest",
    "fewest_shipments": "the fewest shipments",
    "balanced": "the best balanced",
}
"""What a plan can be proven to be, by the objective of its policy."""


async def plan(
    file: Annotated[Path, Parameter(help="An order as JSON; - reads standard input.", allow_leading_hyphen=True)],
    /,
    *,
    explain: Annotated[bool, Parameter(help="Say for every warehouse what it would cost or what it lacks.")] = False,
    json: bool = False,
    store: StoreOptions = StoreOptions(),  # noqa: B008 - frozen
) -> int:
    """Plan an order against the stock as it is; exit 1 when there is not enough."""
    order = read_order(file)
    settings = store.settings()
    async with open_engine(settings, attach=True, background=False) as engine:
        quote = await engine.quote(order)
    if isinstance(quote, PurchaseLimit):
        return _show_limit(quote, json=json)
    answer: dict[str, Any] = msgspec.json.decode(quote.json)
    explanation = answer["explanation"] if json else answer.pop("explanation")
    if json:
        print_json(answer)
    elif isinstance(quote, NotQuoted):
        reason = "Too few shipments are allowed:" if quote.spread else "There is not enough stock:"
        out.print("Warehouses that have the stock are at capacity today:" if quote.at_capacity else reason)
        rows = [(row["sku"], row["requested"], row["available"]) for row in answer["shortages"]]
        print_table(("sku", "requested", "available"), rows, numbers=("requested", "available"))
    else:
        print_allocation(msgspec.convert(answer, Allocation))
    if explain and not json:
        _print_explanation(explanation, settings.currency)
    return EXIT_FINDING if isinstance(quote, NotQuoted) or answer["status"] == "backordered" else 0


def _show_limit(quote: PurchaseLimit, *, json: bool) -> int:
    if json:
        print_json({"exceeded": quote.exceeded})
    else:
        out.print("The order is beyond a purchase limit:")
        rows = [(row.sku, row.requested, row.limit) for row in quote.exceeded]
        print_table(("sku", "requested", "limit"), rows, numbers=("requested", "limit"))
    return EXIT_FINDING


def read_order(file: Path) -> Order:
    """An order from a file. Raises InvalidInput, which names the field and the rule."""
    return check_order(decode_json(file, read_file(file), Order))


def _print_explanation(explanation: dict[str, Any], currency: str) -> None:
    best = BEST.get(explanation["objective"])
    proven = "" if best is None else f", {'' if explanation['proven'] else 'not '}proven {best}"
    out.print(f"\nPolicy {explanation['policy']}{proven}: {explanation['reason']}.", markup=False)
    able = [row for row in explanation["warehouses"] if not row.get("excluded") and not row.get("short")]
    unable = [row for row in explanation["warehouses"] if row.get("excluded") or row.get("short")]
    rows = []
    for row in sorted(able, key=_alone) + sorted(unable, key=lambda row: (not row["used"], _alone(row)))[:UNABLE_SHOWN]:
        cost = row.get("cost")
        amounts = [f"{cost[part] / 100:,.2f}" for part in ("per_shipment", "lines", "total")] if cost else [""] * 3
        distance = f"{row['distance_km']:,.0f}" if cost else ""
        rows.append(("*" if row["used"] else "", row["warehouse"], distance, *amounts, _note(row)))
    columns = ("", "warehouse", "km", "shipment", "lines", "alone", "")
    print_table(columns, rows, numbers=columns[2:6])
    if len(unable) > UNABLE_SHOWN:
        out.print(f"... and {len(unable) - UNABLE_SHOWN} more that cannot ship all of it; --json lists them.")
    out.print(f"* ships (part of) this order. 'alone': the cost in {currency} if it shipped all of it.")


def _alone(row: dict[str, Any]) -> int:
    return int(row["cost"]["total"]) if "cost" in row else 1 << 62


def _note(row: dict[str, Any]) -> str:
    if "excluded" in row:
        return str(row["excluded"])
    lacks = ", ".join(f"{short['sku']} ({short['available']}/{short['requested']})" for short in row.get("short", ()))
    return f"lacks {lacks}" if lacks else ""
