"""Orders and quotes over HTTP."""

from urllib.parse import quote as percent_encode

import msgspec
from aiohttp import web

from api.http.answer import REPLAYED, Answer
from api.http.body import decode, read_body
from api.http.idempotent import key_of
from api.http.keys import ENGINE
from api.http.members import Exceeded, Lacking
from api.http.problems import Problem
from api.idempotency import once, with_id
from engine import Engine, NotQuoted, Quoted
from engine.errors import InvalidInput
from engine.intake import (
    Conflict,
    Contended,
    InsufficientStock,
    Invalid,
    Outcome,
    Overloaded,
    PurchaseLimit,
    Reserved,
    Unavailable,
)
from engine.model import Order, limits
from engine.model.rules import order_errors

_order = msgspec.json.Decoder(Order)


async def post_order(request: web.Request) -> Answer | Problem:
    """POST /v1/orders: reserve an order's stock, durably, before the answer."""
    key = key_of(request)
    if isinstance(key, Problem):
        return key
    order = read_order(await read_body(request, limits.ORDER_BYTES_MAX), key)
    if isinstance(order, Problem):
        return order
    return await take_order(request.app[ENGINE], order, key)


async def take_order(engine: Engine, order: Order, key: str | None) -> Answer | Problem:
    """Reserve an order that came with an `Idempotency-Key`, or without one."""

    async def do() -> Answer | Problem:
        return order_answer(order.order_id, await engine.submit(order))

    if key is None:
        return await do()
    content = msgspec.json.encode(order, order="sorted")
    return await once(engine, key, order.order_id, resource="orders", content=content, conflict="order-conflict", do=do)


def read_order(body: bytes, key: str | None = None) -> Order | Problem:
    """The order in a body of ORDER_BYTES_MAX at the most, if it breaks no rule. Raises BodyProblem.

    An `Idempotency-Key` is the order's id where it has none of its own.
    """
    if key is not None:
        body = with_id(body, "order_id", key)
    try:
        order = decode(_order, body)
    except InvalidInput as error:
        return Problem("invalid-order", str(error), errors=error.errors)
    if errors := order_errors(order):
        return refusal(order.order_id, Invalid(errors))
    return order


async def get_order(request: web.Request) -> Answer | Problem:
    """GET /v1/orders/{id}: the order's Allocation as it stands."""
    order_id = request.match_info["order_id"]
    json = await request.app[ENGINE].order_json(order_id)
    if json is None:
        return Problem("not-found", f'No order has the id "{order_id}".')
    return Answer(200, json)


async def post_quote(request: web.Request) -> Answer | Problem:
    """POST /v1/quotes: what an order would get and why; nothing is held."""
    try:
        order = decode(_order, await read_body(request, limits.ORDER_BYTES_MAX))
        if errors := order_errors(order):
            raise InvalidInput(errors)
        match await request.app[ENGINE].quote(order):
            case Quoted(json):
                return Answer(200, json)
            case NotQuoted(json, spread, at_capacity):
                detail = _short(spread=spread, at_capacity=at_capacity)
                return Problem("insufficient-stock", detail, members=msgspec.json.decode(json, type=Lacking))
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
            location = f"/v1/orders/{percent_encode(order_id, safe='')}"
            return Answer(201, json, {"Content-Type": "application/json", "Location": location})
        case refused:
            return refusal(order_id, refused)


Refusal = InsufficientStock | PurchaseLimit | Conflict | Invalid | Overloaded | Contended | Unavailable


def refusal(order_id: str, outcome: Refusal, *, nothing: str = "Nothing was held.") -> Problem:
    """The problem that says why an order, or a change of one, was refused; `nothing` says what was not done."""
    match outcome:
        case InsufficientStock(shortages, spread, at_capacity):
            detail = _short(spread=spread, at_capacity=at_capacity, nothing=nothing)
            return Problem("insufficient-stock", detail, members=Lacking(shortages=shortages))
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
        case Overloaded(retry_after_s):
            detail = f"{nothing} Send the order again."
            return Problem("overloaded", detail, retry_after_s=retry_after_s)
        case Contended():
            return Problem("contended", f"{nothing} Send it again.")
        case Unavailable(detail, certain):
            state = "This request held nothing." if certain else "Whether the order is held is not known."
            return Problem("store-unavailable", f"{detail} {state} Send the same order again to learn it.")


def _short(*, spread: bool, at_capacity: bool, nothing: str = "Nothing was held.") -> str:
    if at_capacity:
        return (
            "There is enough stock, but warehouses that have it serve no more orders today: they are at capacity."
            f" {nothing}"
        )
    if spread:
        return (
            "There is enough stock, but no way was found to ship it from as few warehouses as the order allows."
            f" {nothing}"
        )
    return nothing
