"""Changes of orders over HTTP: confirm, cancel, extend, ship, split, amend."""

from typing import TypeVar

import msgspec
from aiohttp import web

from api.http.answer import JSON, REPLAYED, Answer, order_path
from api.http.body import decode, read_body
from api.http.keys import ENGINE
from api.http.orders import no_order, refusal
from api.http.problems import Problem
from engine.errors import InvalidInput
from engine.intake import Invalid
from engine.life.change import (
    Change,
    Changed,
    IdTaken,
    InvalidState,
    NotFound,
    TransitionConflict,
    VersionConflict,
)
from engine.model import Amendment, Extension, Shipping, Split, Step, limits

_step = msgspec.json.Decoder(Step)
_extension = msgspec.json.Decoder(Extension)
_shipping = msgspec.json.Decoder(Shipping)
_split = msgspec.json.Decoder(Split)
_amendment = msgspec.json.Decoder(Amendment)

T = TypeVar("T")


async def confirm(request: web.Request) -> Answer | Problem:
    """POST /v1/orders/{id}/confirm: make an unpaid order's hold last."""
    asked = await _read(request, _step)
    order_id = request.match_info["order_id"]
    change = await request.app[ENGINE].confirm(order_id, transition_id=asked.transition_id, version=asked.version)
    return _answer(order_id, change)


async def cancel(request: web.Request) -> Answer | Problem:
    """POST /v1/orders/{id}/cancel: give back what the order holds."""
    asked = await _read(request, _step)
    order_id = request.match_info["order_id"]
    change = await request.app[ENGINE].cancel(order_id, transition_id=asked.transition_id, version=asked.version)
    return _answer(order_id, change)


async def extend(request: web.Request) -> Answer | Problem:
    """POST /v1/orders/{id}/extend: have an unpaid order's hold end later."""
    asked = await _read(request, _extension)
    order_id = request.match_info["order_id"]
    change = await request.app[ENGINE].extend(
        order_id, asked.hold_seconds, transition_id=asked.transition_id, version=asked.version
    )
    return _answer(order_id, change)


async def ship(request: web.Request) -> Answer | Problem:
    """POST /v1/orders/{id}/ship: let units leave."""
    asked = await _read(request, _shipping)
    order_id = request.match_info["order_id"]
    change = await request.app[ENGINE].ship(
        order_id, transition_id=asked.transition_id, lines=asked.lines, version=asked.version
    )
    return _answer(order_id, change)


async def split(request: web.Request) -> Answer | Problem:
    """POST /v1/orders/{id}/split: make units of the order an order of their own, which `Location` names."""
    asked = await _read(request, _split)
    order_id = request.match_info["order_id"]
    change = await request.app[ENGINE].split(
        order_id, asked.into, asked.lines, transition_id=asked.transition_id, version=asked.version
    )
    answer = _answer(order_id, change)
    if isinstance(change, Changed) and isinstance(answer, Answer):
        return msgspec.structs.replace(answer, location=order_path(asked.into))
    return answer


async def amend(request: web.Request) -> Answer | Problem:
    """POST /v1/orders/{id}/amend: give the order other lines."""
    asked = await _read(request, _amendment)
    order_id = request.match_info["order_id"]
    change = await request.app[ENGINE].amend(
        order_id, asked.lines, transition_id=asked.transition_id, version=asked.version
    )
    return _answer(order_id, change)


async def _read(request: web.Request, decoder: msgspec.json.Decoder[T]) -> T:
    """The body; none at all is an empty one, for what needs no field."""
    return decode(decoder, await read_body(request, limits.ORDER_BYTES_MAX) or b"{}")


def _answer(order_id: str, change: Change) -> Answer | Problem:
    match change:
        case Changed(json, replayed):
            return Answer(200, json, REPLAYED if replayed else JSON)
        case NotFound():
            return no_order(order_id)
        case InvalidState(status, version):
            detail = f"The order is {status}. Nothing was changed."
            return Problem("invalid-state", detail, extra={"order_status": status, "order_version": version})
        case VersionConflict(status, version):
            detail = (
                f"The order is at version {version}, and {status}. Nothing was changed: look at it, then decide anew."
            )
            return Problem("version-conflict", detail, extra={"order_status": status, "order_version": version})
        case TransitionConflict():
            detail = "This transition_id was used for another content on this order. Give a new change a new id."
            return Problem("transition-conflict", detail)
        case IdTaken():
            return Problem("order-conflict", "The id for the new order belongs to another one.")
        case Invalid(errors):
            return Problem("invalid-request", str(InvalidInput(errors)), errors=errors)
        case outcome:
            return refusal(order_id, outcome, nothing="Nothing was changed.", pointer="/lines")
