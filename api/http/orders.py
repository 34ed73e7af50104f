"""Orders and quotes over HTTP."""

import asyncio
from functools import lru_cache

import msgspec
from aiohttp import web

from api.http.access.channel import of_channel
from api.http.answer import REPLAYED, Answer, order_path
from api.http.body import decode, read_body
from api.http.idempotent import key_of
from api.http.keys import ENGINE
from api.http.members import Exceeded, Lacking, NowhereFrom
from api.http.principal import principal_of
from api.http.problems import Problem
from api.http.timeout import timeout_of
from api.idempotency import of_caller, once, resource_of, with_id
from engine import Engine, NotQuoted, Quoted
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
from engine.model import Explanation, Order, limits
from engine.model.rules import order_errors

TURNED_AWAY_KNOWN = 256
"""Refusals that are kept ready: more than there are reasons and seconds."""

HELD_NOTHING = "This request held nothing. Send the same order again, which tells whether an earlier one did."
"""Of an order that was turned away: as nobody has looked, it may well be held."""

_order = msgspec.json.Decoder(Order)


class _Explained(msgspec.Struct):
    """Of a quote that is none, what is not said elsewhere."""

    explanation: Explanation


_explained = msgspec.json.Decoder(_Explained)


async def post_order(request: web.Request) -> Answer | Problem:
    """POST /v1/orders: reserve an order's stock, durably, before the answer."""
    principal = principal_of(request)
    key = of_caller(key_of(request), principal)
    if isinstance(key, Problem):
        return key
    timeout_s = timeout_of(request)
    if isinstance(timeout_s, Problem):
        return timeout_s
    engine = request.app[ENGINE]
    body = await read_body(request, limits.ORDER_BYTES_MAX)
    deadline_s = None if timeout_s is None else asyncio.get_running_loop().time() + timeout_s
    # Before it is read: a refusal has to cost little.
    if (refused := engine.turned_away(principal.source, deadline_s=deadline_s)) is not None:
        return turned_away(refused)
    order = read_order(body, principal, key)
    if isinstance(order, Problem):
        return order
    return await take_order(engine, order, principal, key, deadline_s)


async def take_order(
    engine: Engine, order: Order, principal: Principal, key: str | None, deadline_s: float | None = None
) -> Answer | Problem:
    """Reserve an order that came with an `Idempotency-Key`, or without one."""

    async def do() -> Answer | Problem:
        outcome = await engine.submit(order, source=principal.source, deadline_s=deadline_s)
        return order_answer(order.order_id, outcome)

    if key is None:
        return await do()
    content = msgspec.json.encode(order, order="sorted")
    resource = resource_of(principal, "orders")
    return await once(engine, key, order.order_id, resource=resource, content=content, conflict="order-conflict", do=do)


def read_order(body: bytes, principal: Principal, key: str | None = None) -> Order | Problem:
    """The order in a body of ORDER_BYTES_MAX at the most, if it breaks no rule and this caller may send it.

    An `Idempotency-Key`, as `of_caller` has it, is the order's id where it has none of its own. Raises BodyProblem.
    """
    if key is not None:
        body = with_id(body, "order_id", key, principal)
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
        principal = principal_of(request)
        allowed = of_channel(principal, order)
        if isinstance(allowed, Problem):
            return allowed
        match await request.app[ENGINE].quote(allowed, source=principal.source):
            case Quoted(json):
                return Answer(200, json)
            case NotQuoted(json, refused):
                return refusal(order.order_id, refused, explanation=_explained.decode(json).explanation)
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
    explanation: Explanation | msgspec.UnsetType = msgspec.UNSET,
) -> Problem:
    """The problem that says why an order, or a change of one, was refused.

    `nothing` says what was not done, `pointer` which field would have to be another where no carrier goes; the
    `explanation` goes with what is refused for want of stock or carriers.
    """
    match outcome:
        case InsufficientStock(shortages, _, _, limit):
            lacking = Lacking(
                shortages=shortages, limit=msgspec.UNSET if limit is None else limit, explanation=explanation
            )
            return Problem("insufficient-stock", f"{outcome.why} {nothing}".lstrip(), members=lacking)
        case NotDeliverable(lines):
            errors = (FieldError(pointer, "no carrier of the tariff goes there from where it would have to"),)
            nowhere = NowhereFrom(undeliverable=lines, explanation=explanation)
            return Problem("not-deliverable", f"{outcome.why} {nothing}", errors=errors, members=nowhere)
        case PurchaseLimit(exceeded):
            detail = "; ".join(
                f"{row.requested} of {row.sku} wanted, {row.remaining} of {row.limit} left" for row in exceeded
            )
            return Problem("purchase-limit", f"{detail}.", members=Exceeded(exceeded))
        case Conflict():
            detail = f'"{order_id}" was taken by an order with another content. Give a new order a new id.'
            return Problem("order-conflict", detail)
        case Invalid(errors):
            return Problem("invalid-order", str(InvalidInput(errors)), errors=errors)
        case Overloaded():
            return turned_away(outcome)
        case Contended():
            return Problem("contended", f"{nothing} Send it again.")
        case Unavailable(detail, certain, retry_after_s):
            state = "This request held nothing." if certain else "Whether the order is held is not known."
            told = f"{detail} {state} Send the same order again to learn it."
            return Problem("store-unavailable", told, retry_after_s=retry_after_s)


@lru_cache(TURNED_AWAY_KNOWN)
def turned_away(refused: Overloaded) -> Problem:
    """The problem of an order for which there is no room, or no time; the same object each time."""
    if refused.reason == "deadline":
        detail = f"The order did not begin, or could not, within the time that it was given. {HELD_NOTHING}"
        return Problem("deadline-exceeded", detail, retry_after_s=refused.retry_after_s)
    return Problem("overloaded", HELD_NOTHING, retry_after_s=refused.retry_after_s)
