"""Orders and quotes over HTTP."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec
from aiohttp import web

from api.http.access.channel import of_channel
from api.http.answer import REPLAYED, Answer, order_path
from api.http.body import decode, read_body
from api.http.keys import ENGINE
from api.http.principal import principal_of
from api.http.problems import Problem
from engine import NotQuoted, Quoted
from engine.access import Principal
from engine.errors import FieldError, InvalidInput
from engine.intake import (
    Conflict,
    Contended,
    InsufficientStock,
    Invalid,
    NotDeliverable,
    Outcome,
    Overloaded,
    PurchaseLimit,
    Refused,
    Reserved,
    Unavailable,
)
from engine.model import Order, limits
from engine.model.rules import order_errors

_order = msgspec.json.Decoder(Order)

NO_MEMBERS: Final[Mapping[str, Any]] = MappingProxyType({})


async def post_order(request: web.Request) -> Answer | Problem:
    """POST /v1/orders: reserve an order's stock, durably, before the answer."""
    order = read_order(await read_body(request, limits.ORDER_BYTES_MAX), principal_of(request))
    if isinstance(order, Problem):
        return order
    return order_answer(order.order_id, await request.app[ENGINE].submit(order))


def read_order(body: bytes, principal: Principal) -> Order | Problem:
    """The order in a body of ORDER_BYTES_MAX at the most, if it breaks no rule and this caller may send it.

    Raises BodyProblem.
    """
    try:
        order = decode(_order, body)
    except InvalidInput as error:
        return Problem("invalid-order", str(error), errors=error.errors)
    if errors := order_errors(order):
        return refusal(order.order_id, Invalid(errors))
    return of_channel(principal, order)


async def get_order(request: web.Request) -> Answer | Problem:
    """GET /v1/orders/{id}: the order's Allocation as it stands."""
    order_id = request.match_info["order_id"]
    json = await request.app[ENGINE].order_json(order_id)
    if json is None:
        return no_order(order_id)
    return Answer(200, json)


def no_order(order_id: str) -> Problem:
    """The problem of an order that is not there; to who may not see it, none is."""
    return Problem("not-found", f'No order has the id "{order_id}".')


async def post_quote(request: web.Request) -> Answer | Problem:
    """POST /v1/quotes: what an order would get and why; nothing is held."""
    try:
        order = decode(_order, await read_body(request, limits.ORDER_BYTES_MAX))
        if errors := order_errors(order):
            raise InvalidInput(errors)
        allowed = of_channel(principal_of(request), order)
        if isinstance(allowed, Problem):
            return allowed
        match await request.app[ENGINE].quote(allowed):
            case Quoted(json):
                return Answer(200, json)
            case NotQuoted(json, refused):
                told = {"explanation": msgspec.json.decode(json)["explanation"]}
                return refusal(order.order_id, refused, extra=told)
            case PurchaseLimit() as limit:
                return refusal(order.order_id, limit)
    except InvalidInput as error:
        return Problem("invalid-order", str(error), errors=error.errors)


def order_answer(order_id: str, outcome: Outcome) -> Answer | Problem:
    """What the caller of POST /v1/orders is told of an outcome."""
    match outcome:
        case Reserved(json, replayed):
            if replayed:
                return Answer(200, json, REPLAYED)
            return Answer(201, json, location=order_path(order_id))
        case refused:
            return refusal(order_id, refused)


Refusal = Refused | PurchaseLimit | Conflict | Invalid | Overloaded | Contended | Unavailable


def refusal(
    order_id: str,
    outcome: Refusal,
    *,
    nothing: str = "Nothing was held.",
    pointer: str = "/ship_to",
    extra: Mapping[str, Any] = NO_MEMBERS,
) -> Problem:
    """The problem that says why an order, or a change of one, was refused.

    `nothing` says what was not done, `pointer` which field would have to be another where no carrier goes; `extra` are
    further members of what is refused for want of stock or carriers.
    """
    match outcome:
        case InsufficientStock(shortages, _, _, limit):
            told = {"shortages": shortages, **({} if limit is None else {"limit": limit}), **extra}
            return Problem("insufficient-stock", f"{outcome.why} {nothing}".lstrip(), extra=told)
        case NotDeliverable(lines):
            errors = (FieldError(pointer, "no carrier of the tariff goes there from where it would have to"),)
            told = {"undeliverable": lines, **extra}
            return Problem("not-deliverable", f"{outcome.why} {nothing}", errors=errors, extra=told)
        case PurchaseLimit(exceeded):
            detail = "; ".join(
                f"{row.requested} of {row.sku} wanted, {row.remaining} of {row.limit} left" for row in exceeded
            )
            return Problem("purchase-limit", f"{detail}.", extra={"exceeded": exceeded})
        case Conflict():
            detail = f'"{order_id}" was taken by an order with another content. Give a new order a new id.'
            return Problem("order-conflict", detail)
        case Invalid(errors):
            return Problem("invalid-order", str(InvalidInput(errors)), errors=errors)
        case Overloaded(retry_after_s):
            detail = f"{nothing} Send the order again."
            return Problem("overloaded", detail, retry_after_s=retry_after_s)
        case Contended():
            return Problem("contended", f"{nothing} Send it again.")
        case Unavailable(detail, certain):
            state = "This request held nothing." if certain else "Whether the order is held is not known."
            return Problem("store-unavailable", f"{detail} {state} Send the same order again to learn it.")
