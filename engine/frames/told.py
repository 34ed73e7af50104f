"""Rules that the core finds broken, told by the names and rows of the frames, where it knows numbers alone."""

import contextlib
import re
from collections.abc import Iterator

from engine.errors import FieldError, InvalidInput
from engine.frames.names import BatchNames

_PLACE = re.compile(r"/(?P<field>\w+)/(?P<first>\d+)(?:/(?P<second>\d+))?")
_OF_LINES = ("sku", "quantity", "placed", "frozen")
_OF_ORDERS = ("line_start", "region", "max_shipments", "priority", "channel")


@contextlib.contextmanager
def told_by_name(names: BatchNames) -> Iterator[None]:
    """Has InvalidInput of a BatchProblem name what its caller gave."""
    try:
        yield
    except InvalidInput as error:
        raise InvalidInput(tuple(_told(names, one) for one in error.errors)) from None


def _told(names: BatchNames, error: FieldError) -> FieldError:
    found = _PLACE.fullmatch(error.pointer)
    if found is None:
        return error
    field, first, second = found["field"], int(found["first"]), found["second"]
    if field in _OF_LINES:
        row = first if names.row is None else int(names.row[first])
        return FieldError(f"/lines/{row}/{field}", error.message)
    if field in _OF_ORDERS:
        start = int(names.line_start[first])
        row = start if names.row is None else int(names.row[start])
        shown = "order_id" if field == "line_start" else field
        return FieldError(f"/lines/{row}/{shown}", f'order "{names.orders[first]}" {error.message}')
    if field == "stock" and second is not None:
        return FieldError("/stock", f'"{names.skus[first]}" at "{names.warehouses[int(second)]}" {error.message}')
    if field in ("capacity", "fixed"):
        return FieldError(f"/warehouses/{first}/{field}", error.message)
    return error
