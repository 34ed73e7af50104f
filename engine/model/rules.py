"""Rules of the model that a shape cannot say. The doors check them before anything is planned."""

from collections.abc import Sequence

import msgspec

from engine.errors import FieldError, InvalidInput
from engine.model import limits
from engine.model.order import Order
from engine.model.stock import StockCount
from engine.model.wire_error import field_error

_order = msgspec.json.Decoder(Order)


def check_order(order: Order) -> Order:
    """The order as it would come over the wire, which is the one to reserve. Raises InvalidInput.

    Built in Python, a latitude of 31 and one of 31.0 are the same order, but not the same bytes.
    """
    try:
        order = _order.decode(msgspec.json.encode(order))
    except msgspec.ValidationError as error:
        raise InvalidInput((field_error(error, Order),)) from None
    except UnicodeEncodeError as error:
        raise InvalidInput((FieldError("", f"holds text that is not Unicode: {error.reason}"),)) from None
    if errors := order_errors(order):
        raise InvalidInput(errors)
    return order


def order_errors(order: Order) -> tuple[FieldError, ...]:
    """Names that could not be told apart on a screen or in a log."""
    errors = []
    if not printable(order.order_id):
        errors.append(FieldError("/order_id", PRINTABLE))
    if order.customer is not None and not printable(order.customer):
        errors.append(FieldError("/customer", PRINTABLE))
    return tuple(errors)


PRINTABLE = "must be printable characters, without blanks at either end"


def printable(name: str) -> bool:
    """Whether a name can be told apart on a screen or in a log."""
    return name.isprintable() and name == name.strip()


def check_rows(rows: Sequence[StockCount]) -> None:
    """Check the rows of one stock call. Raises InvalidInput."""
    errors: list[FieldError] = []
    if not 1 <= len(rows) <= limits.STOCK_ROWS_MAX:
        errors.append(FieldError("", f"must be 1 to {limits.STOCK_ROWS_MAX} rows, not {len(rows)}"))
    # Ten thousand rows are checked at once, and few calls name a cell twice.
    if len({(row.sku, row.warehouse) for row in rows}) < len(rows):
        seen: dict[tuple[str, str], int] = {}
        for index, row in enumerate(rows):
            first = seen.setdefault((row.sku, row.warehouse), index)
            if first != index:
                errors.append(FieldError(f"/{index}", f"names the same cell as row {first}"))
    if errors:
        raise InvalidInput(tuple(errors))
