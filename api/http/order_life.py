"""Changes of orders over HTTP: confirm, cancel, extend, ship, split, amend."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
from aiohttp import web

from api.http.answer import JSON, REPLAYED, Answer, order_path
from api.http.body import decode, read_body
from api.http.idempotent import key_of
from api.http.keys import ENGINE
from api.http.members import OrderFound
from api.http.orders import no_order, refusal
from api.http.principal import principal_of
from api.http.problems import Problem
from api.idempotency import once, resource_of, with_id
from engine import Engine
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

T = TypeVar("T", Step, Extension, Shipping, Split, Amendment)


async def confirm(request: web.Request) -> Answer | Problem:
    """POST /v1/orders/{id}/confirm: make an unpaid order's hold last."""

    async def do(engine: Engine, order_id: str, asked: Step) -> Change:
        return await engine.confirm(order_id, transition_id=asked.transition_id, version=asked.version)

    return await _change(request, _step, do)


async def cancel(request: web.Request) -> Answer | Problem:
    """POST /v1/orders/{id}/cancel: give back what the order holds."""

    async def do(engine: Engine, order_id: str, asked: Step) -> Change:
        return await engine.cancel(order_id, transition_id=asked.transition_id, version=asked.version)

    return await _change(request, _step, do)


async def extend(request: web.Request) -> Answer | Problem:
    """POST /v1/orders/{id}/extend: have an unpaid order's hold end later."""

    async def do(engine: Engine, order_id: str, asked: Extension) -> Change:
        return await engine.extend(
            order_id, asked.hold_seconds, transition_id=asked.transition_id, version=asked.version
        )

    return await _change(request, _extension, do)


async def ship(request: web.Request) -> Answer | Problem:
    """POST /v1/orders/{id}/ship: let units leave."""

    async def do(engine: Engine, order_id: str, asked: Shipping) -> Change:
        return await engine.ship(order_id, transition_id=asked.transition_id, lines=asked.lines, version=asked.version)

    return await _change(request, _shipping, do)


async def split(request: web.Request) -> Answer | Problem:
    """POST /v1/orders/{id}/split: make units of the order an order of their own, which `Location` names."""
    into = ""

    async def do(engine: Engine, order_id: str, asked: Split) -> Change:
        nonlocal into
        into = asked.into
        return await engine.split(
            order_id, asked.into, asked.lines, transition_id=asked.transition_id, version=asked.version
        )

    answer = await _change(request, _split, do)
    if isinstance(answer, Problem):
        return answer
    return msgspec.structs.replace(answer, location=order_path(into))


async def amend(request: web.Request) -> Answer | Problem:
    """POST /v1/orders/{id}/amend: give the order other lines."""

    async def do(engine: Engine, order_id: str, asked: Amendment) -> Change:
        return await engine.amend(order_id, asked.lines, transition_id=asked.transition_id, version=asked.version)

    return await _change(request, _amendment, do)


async def _change(
    request: web.Request, decoder: msgspec.json.Decoder[T], do: Callable[[Engine, str, T], Awaitable[Change]]
) -> Answer | Problem:
    """Do what the body asks; none at all is an empty one, for what needs no field."""
    key = key_of(request)
    if isinstance(key, Problem):
        return key
    body = await read_body(request, limits.ORDER_BYTES_MAX) or b"{}"
    principal = principal_of(request)
    asked = decode(decoder, body if key is None else with_id(body, "transition_id", key, principal))
    engine, order_id = request.app[ENGINE], request.match_info["order_id"]

    async def answer() -> Answer | Problem:
        return _answer(order_id, await do(engine, order_id, asked))

    return await once(
        engine,
        key,
        asked.transition_id,
        resource=resource_of(principal, request.path),
        content=msgspec.json.encode(asked, order="sorted"),
        conflict="transition-conflict",
        do=answer,
    )


def _answer(order_id: str, change: Change) -> Answer | Problem:
    match change:
        case Changed(json, replayed):
            return Answer(200, json, REPLAYED if replayed else JSON)
        case NotFound():
            return no_order(order_id)
        case InvalidState(status, version):
            detail = f"The order is {status}. Nothing was changed."
            return Problem("invalid-state", detail, members=OrderFound(status, version))
        case VersionConflict(status, version):
            detail = (
                f"The order is at version {version}, and {status}. Nothing was changed: look at it, then decide anew."
            )
            return Problem("version-conflict", detail, members=OrderFound(status, version))
        case TransitionConflict():
            detail = "This transition_id was used for another content on this order. Give a new change a new id."
            return Problem("transition-conflict", detail)
        case IdTaken():
            return Problem("order-conflict", "The id for the new order belongs to another one.")
        case Invalid(errors):
            return Problem("invalid-request", str(InvalidInput(errors)), errors=errors)
        case outcome:
            return refusal(order_id, outcome, nothing="Nothing was changed.", pointer="/lines")
