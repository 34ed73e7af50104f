"""`stockade plan`: what an order would get, and why. Holds nothing."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from api.cli.console import EXIT_FINDING, StoreOptions, err, out, print_json
from api.cli.explanation import print_explanation
from api.cli.files import decode_json, read_file, told_of_file
from api.cli.opening import open_store
from api.cli.orders import print_allocation
from api.cli.table import print_table
from engine import NotQuoted
from engine.errors import InvalidInput
from engine.intake import NotDeliverable, PurchaseLimit, Refused
from engine.model import Allocation, Order
from engine.model.rules import check_order


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
    async with open_store(settings) as engine:
        try:
            quote = await engine.quote(order)
        except InvalidInput as error:
            raise told_of_file(file, error) from None
        if engine.policies.error:
            err.print(engine.policies.error, markup=False, soft_wrap=True)
    if isinstance(quote, PurchaseLimit):
        return _show_limit(quote, json=json)
    answer: dict[str, Any] = msgspec.json.decode(quote.json)
    explanation = answer["explanation"] if json else answer.pop("explanation")
    if json:
        print_json(answer)
    elif isinstance(quote, NotQuoted):
        _show_refusal(quote.refusal)
    else:
        print_allocation(msgspec.convert(answer, Allocation))
    if explain and not json:
        print_explanation(explanation, settings.currency)
    return EXIT_FINDING if isinstance(quote, NotQuoted) or answer["status"] == "backordered" else 0


def _show_refusal(refusal: Refused) -> None:
    if isinstance(refusal, NotDeliverable):
        out.print(refusal.why, markup=False)
        return
    out.print(refusal.why or "There is not enough stock:", markup=False)
    limited = refusal.limit is not None and refusal.limit.shipments is not None
    numbers = ("requested", "available", *(("within the limit",) if limited else ()))
    rows = [(row.sku, row.requested, row.available, row.within_limit)[: len(numbers) + 1] for row in refusal.shortages]
    print_table(("sku", *numbers), rows, numbers=numbers)


def _show_limit(quote: PurchaseLimit, *, json: bool) -> int:
    if json:
        print_json({"exceeded": quote.exceeded})
    else:
        out.print("The order is beyond a purchase limit:")
        rows = [(row.sku, row.requested, row.limit) for row in quote.exceeded]
        print_table(("sku", "requested", "limit"), rows, numbers=("requested", "limit"))
    return EXIT_FINDING


def read_order(file: Path) -> Order:
    """An order from a file. Raises InvalidInput, which names the file, the field and the rule."""
    order = decode_json(file, read_file(file), Order)
    try:
        return check_order(order)
    except InvalidInput as error:
        raise told_of_file(file, error) from None
