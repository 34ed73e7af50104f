"""`stockade plan`: what an order would get, and why. Holds nothing."""

import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from api.cli.console import EXIT_FINDING, StoreOptions, money, out, print_json, print_table
from api.cli.orders import print_allocation
from engine import NotQuoted, open_engine
from engine.errors import FieldError, InvalidInput
from engine.model import Allocation, Order
from engine.model.rules import check_order, field_error


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
    async with open_engine(settings, attach=True) as engine:
        quote = await engine.quote(order)
    answer: dict[str, Any] = msgspec.json.decode(quote.json)
    explanation = answer["explanation"] if json else answer.pop("explanation")
    if json:
        print_json(answer)
    elif isinstance(quote, NotQuoted):
        out.print("There is not enough stock:" if not quote.spread else "Too few shipments are allowed:")
        rows = [(row["sku"], row["requested"], row["available"]) for row in answer["shortages"]]
        print_table(("sku", "requested", "available"), rows, numbers=("requested", "available"))
    else:
        print_allocation(msgspec.convert({**answer, "status": "reserved"}, Allocation))
    if explain and not json:
        _print_explanation(explanation, settings.currency)
    return EXIT_FINDING if isinstance(quote, NotQuoted) else 0


def read_order(file: Path) -> Order:
    """An order from a file. Raises InvalidInput, which names the field and the rule."""
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        order = msgspec.json.decode(data, type=Order)
    except OSError as error:
        raise InvalidInput((FieldError(str(file), f"cannot be read: {error.strerror}"),)) from None
    except msgspec.ValidationError as error:
        raise InvalidInput((field_error(error),)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput((FieldError(str(file), f"is not JSON: {error}"),)) from None
    check_order(order)
    return order


def _print_explanation(explanation: dict[str, Any], currency: str) -> None:
    proven = ", proven the cheapest" if explanation["proven"] else ""
    out.print(f"\nPolicy {explanation['policy']}{proven}: {explanation['reason']}.")
    rows = []
    for row in sorted(explanation["warehouses"], key=lambda row: row.get("cost", {}).get("total", 1 << 62)):
        if excluded := row.get("excluded"):
            rows.append(("", row["warehouse"], "", "", "", "", "", excluded))
            continue
        cost = row["cost"]
        lacks = ", ".join(
            f"{short['sku']} ({short['available']} of {short['requested']})" for short in row.get("short", ())
        )
        rows.append(
            (
                "*" if row["used"] else "",
                row["warehouse"],
                f"{row['distance_km']:,.0f} km",
                row.get("zone", ""),
                money(cost["per_shipment"], currency),
                money(cost["lines"], currency),
                money(cost["total"], currency),
                f"lacks {lacks}" if lacks else "",
            )
        )
    columns = ("", "warehouse", "distance", "zone", "per shipment", "lines", "alone", "")
    print_table(columns, rows, numbers=("distance", "per shipment", "lines", "alone"))
    out.print("* ships this order; 'alone' is the cost if that warehouse shipped all of it.")
