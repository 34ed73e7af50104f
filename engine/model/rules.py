"""Rules of the model that a shape cannot say. The doors check them before anything is planned."""

from collections.abc import Sequence

import msgspec

from engine.errors import FieldError, InvalidInput
from engine.model import limits
from engine.model.order import Order
from engine.model.stock import StockCount


def check_order(order: Order) -> None:
    """Check an order that was built in Python as the wire would. Raises InvalidInput."""
    try:
        msgspec.convert(msgspec.to_builtins(order), Order)
    except msgspec.ValidationError as error:
        raise InvalidInput((field_error(error),)) from None
    if errors := order_errors(order):
        raise InvalidInput(errors)


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
    seen: dict[tuple[str, str], int] = {}
    for index, row in enumerate(rows):
        first = seen.setdefault((row.sku, row.warehouse), index)
        if first != index:
            errors.append(FieldError(f"/{index}", f"names the same cell as row {first}"))
    if errors:
        raise InvalidInput(tuple(errors))


def field_error(error: msgspec.ValidationError) -> FieldError:
    """A wire error as pointer and message: msgspec says "rule - at `$.lines[0].quantity`"."""
    message, separator, path = str(error).rpartition(" - at `")
    if not separator:
        return FieldError("", str(error))
    pointer = path.removesuffix("`").removeprefix("key in ").removeprefix("$")
    pointer = pointer.replace(".", "/").replace("[", "/").replace("]", "")
    return FieldError(pointer, message)
