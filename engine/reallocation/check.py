"""What a request must keep beyond its shape, and how it is told in events. Does no I/O."""

from collections.abc import Mapping
from typing import Any

import msgspec

from engine.errors import FieldError, InvalidInput
from engine.model import limits
from engine.model.rules import PRINTABLE, printable
from engine.model.wire_error import field_error
from engine.reallocation.model import ReallocationRequest

SELECTIONS = ("warehouse_down", "warehouses", "countries", "regions", "skus", "older_than_s", "backordered", "all_open")


def make_request(request: ReallocationRequest | None, fields: Mapping[str, Any]) -> ReallocationRequest:
    """A request of fields that go over those of another one. Raises InvalidInput for a field that there is not."""
    known = ReallocationRequest.__struct_fields__
    unknown = [name for name in fields if name not in known]
    if unknown:
        raise InvalidInput(
            tuple(FieldError(f"/{name}", f"no such field; there are {', '.join(known)}") for name in unknown)
        )
    return msgspec.structs.replace(request or ReallocationRequest(), **fields)


def check_request(request: ReallocationRequest) -> ReallocationRequest:
    """The request as it would come over the wire. Raises InvalidInput."""
    try:
        request = msgspec.json.decode(msgspec.json.encode(request), type=ReallocationRequest)
    except msgspec.ValidationError as error:
        raise InvalidInput((field_error(error, ReallocationRequest),)) from None
    except UnicodeEncodeError as error:
        raise InvalidInput((FieldError("", f"holds text that is not Unicode: {error.reason}"),)) from None
    errors = []
    if request.id is not None and not printable(request.id):
        errors.append(FieldError("/id", PRINTABLE))
    if all(getattr(request, name) in (None, (), False) for name in SELECTIONS if name != "older_than_s") and (
        request.older_than_s is None
    ):
        errors.append(FieldError("", f"must choose orders by one of {', '.join(SELECTIONS)}"))
    for name in ("warehouse_down", "warehouses"):
        if request.backordered and getattr(request, name):
            errors.append(FieldError("/backordered", f"not together with {name}: orders that wait hold nothing there"))
    if errors:
        raise InvalidInput(tuple(errors))
    return request


def reason_of(request: ReallocationRequest) -> str:
    """What events of moved orders give as their reason."""
    if request.reason is not None:
        return request.reason
    asked = f"warehouse {request.warehouse_down} down" if request.warehouse_down is not None else None
    if asked is None and request.backordered:
        asked = "stock for orders that waited"
    told = f"re-allocation {request.id}" + (f": {asked}" if asked else "")
    return told[: limits.REASON_LENGTH_MAX]
