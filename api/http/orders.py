"""Orders and quotes over HTTP."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote as percent_encode

import msgspec
from aiohttp import web

from api.http.body import decode, read_body
from api.http.keys import ENGINE
from api.http.problems import problem
from engine import NotQuoted, Quoted
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

REPLAYED = {"Content-Type": "application/json", "Idempotent-Replayed": "true"}
JSON = {"Content-Type": "application/json"}
NO_MEMBERS: Final[Mapping[str, Any]] = {}


async def post_order(request: web.Request) -> web.Response:
    """POST /v1/orders: reserve an order's stock, durably, before the answer."""
    try:
        order = decode(request, _order, await read_body(request, limits.ORDER_BYTES_MAX))
    except InvalidInput as error:
        return problem(request, "invalid-order", str(error), errors=error.errors)
    if errors := order_errors(order):
        return _answer(request, order, Invalid(errors))
    return _answer(request, order, await request.app[ENGINE].submit(order))


async def get_order(request: web.Request) -> web.Response:
    """GET /v1/orders/{id}: the order's Allocation as it stands."""
    order_id = request.match_info["order_id"]
    json = await request.app[ENGINE].order_json(order_id)
    if json is None:
        return problem(request, "not-found", f'No order has the id "{order_id}".')
    return web.Response(body=json, headers=JSON)


async def post_quote(request: web.Request) -> web.Response:
    """POST /v1/quotes: what an order would get and why; nothing is held."""
    try:
        order = decode(request, _order, await read_body(request, limits.ORDER_BYTES_MAX))
        if errors := order_errors(order):
            raise InvalidInput(errors)
        match await request.app[ENGINE].quote(order):
            case Quoted(json):
                return web.Response(body=json, headers=JSON)
            case NotQuoted(json, refused):
                told = {"explanation": msgspec.json.decode(json)["explanation"]}
                return refusal(request, order.order_id, refused, extra=told)
            case PurchaseLimit() as limit:
                return _answer(request, order, limit)
    except InvalidInput as error:
        return problem(request, "invalid-order", str(error), errors=error.errors)


def _answer(request: web.Request, order: Order, outcome: Outcome) -> web.Response:
    match outcome:
        case Reserved(json, replayed):
            if replayed:
                return web.Response(body=json, headers=REPLAYED)
            location = f"/v1/orders/{percent_encode(order.order_id, safe='')}"
            return web.Response(
                status=201, body=json, headers={"Content-Type": "application/json", "Location": location}
            )
        case refused:
            return refusal(request, order.order_id, refused)


Refusal = Refused | PurchaseLimit | Conflict | Invalid | Overloaded | Contended | Unavailable


def refusal(
    request: web.Request,
    order_id: str,
    outcome: Refusal,
    *,
    nothing: str = "Nothing was held.",
    pointer: str = "/ship_to",
    extra: Mapping[str, Any] = NO_MEMBERS,
) -> web.Response:
    """The problem that says why an order, or a change of one, was refused.

    `nothing` says what was not done, `pointer` which field would have to be another where no carrier goes; `extra` are
    further members of what is refused for want of stock or carriers.
    """
    match outcome:
        case InsufficientStock(shortages, _, _, limit):
            told = {"shortages": shortages, **({} if limit is None else {"limit": limit}), **extra}
            return problem(request, "insufficient-stock", f"{outcome.why} {nothing}".lstrip(), extra=told)
        case NotDeliverable(lines):
            errors = (FieldError(pointer, "no carrier of the tariff goes there from where it would have to"),)
            told = {"undeliverable": lines, **extra}
            return problem(request, "not-deliverable", f"{outcome.why} {nothing}", errors=errors, extra=told)
        case PurchaseLimit(exceeded):
            detail = "; ".join(
                f"{row.requested} of {row.sku} wanted, {row.remaining} of {row.limit} left" for row in exceeded
            )
            return problem(request, "purchase-limit", f"{detail}.", extra={"exceeded": exceeded})
        case Conflict():
            detail = f'"{order_id}" was taken by an order with another content. Give a new order a new id.'
            return problem(request, "order-conflict", detail)
        case Invalid(errors):
            return problem(request, "invalid-order", str(InvalidInput(errors)), errors=errors)
        case Overloaded(retry_after_s):
            detail = f"{nothing} Send the order again."
            return problem(request, "overloaded", detail, retry_after_s=retry_after_s)
        case Contended():
            return problem(request, "contended", f"{nothing} Send it again.")
        case Unavailable(detail, certain):
            state = "This request held nothing." if certain else "Whether the order is held is not known."
            return problem(request, "store-unavailable", f"{detail} {state} Send the same order again to learn it.")
