"""Orders, quotes, and all that is done to an order."""

from typing import Any

from msgspec import Struct

from api.http.answers import RefusedLine, ReservedLine
from api.http.contract import LINES_TYPE, Body, Contract, Reply
from api.http.problems import ProblemType
from api.openapi.contracts import values
from engine.model import (
    Allocation,
    AllocationLine,
    Amendment,
    Extension,
    HeldLine,
    Line,
    Order,
    Quote,
    Shipment,
    Shipping,
    Split,
    Step,
    limits,
)

_STORE: tuple[ProblemType, ...] = ("store-unavailable", "shutting-down")
_SALE: tuple[ProblemType, ...] = ("insufficient-stock", "not-deliverable", "purchase-limit", "contended")
_REPLAYED = "Idempotent-Replayed"
_THEN = ("get_order", "confirm", "cancel", "extend", "ship", "split", "amend")

POST_ORDER = Contract(
    summary="Reserve an order's stock, or learn that it is reserved",
    detail="""The answer comes when the reservation is durable. The same order again is answered with the same
allocation and `Idempotent-Replayed: true`, however often it is sent, and a twin that comes while the first is under way
waits for it. An order that was refused has held nothing and may be sent again under its id.

`order_id` may be left out where an `Idempotency-Key` is given, which then is the order's id.""",
    takes_key=True,
    body=Body(
        Order,
        {"paid": values.ORDER, "held until it is paid": values.PENDING},
        limits.ORDER_BYTES_MAX,
        optional=("order_id",),
    ),
    replies=(
        Reply(
            201,
            "Reserved, now. `backordered` where the order waits for stock, which only happens if it allows that.",
            Allocation,
            {"paid": values.CONFIRMED, "unpaid": values.RESERVED, "waits for stock": values.WAITING},
            headers=("Location",),
            links=_THEN,
        ),
        Reply(200, "The same order was taken before.", Allocation, {"again": values.CONFIRMED}, headers=(_REPLAYED,)),
    ),
    problems=(*_SALE, "invalid-order", "order-conflict", "overloaded", *_STORE),
    takes_timeout=True,
)
_REJECTED: tuple[ProblemType, ...] = (*_SALE, "order-conflict", "overloaded", "store-unavailable", "forbidden")
_REFUSED_LINES: dict[ProblemType, Struct] = {
    **{type_: RefusedLine("rejected", values.ORDER_ID) for type_ in _REJECTED},
    "invalid-order": RefusedLine("invalid", values.ORDER_ID),
    "broken-json": RefusedLine("invalid", None),
    "too-large": RefusedLine("invalid", None),
}
BULK = Contract(
    summary="Reserve many orders, each by itself",
    detail="""Lines of JSON, answered while they come, in their order: a client reads while it sends. Each is durable
before its line of the answer. An answer that ends without its last chunk is one to a part of the body: send it all
again. The media types `application/ndjson`, `application/jsonl` and `application/x-jsonlines` are taken, too. No key
whose requests must be signed is served here.""",
    body=Body(
        Order,
        {"paid": values.ORDER, "held until it is paid": values.PENDING},
        limits.ORDER_BYTES_MAX,
        required=False,
        media_type=LINES_TYPE,
    ),
    replies=(
        Reply(
            200,
            "A line for each, reserved or refused.",
            ReservedLine,
            {"reserved": values.RESERVED_LINE},
            media_type=LINES_TYPE,
            refused_lines=_REFUSED_LINES,
        ),
    ),
    problems=("unsupported-media-type", "overloaded"),
)
GET_ORDER = Contract(
    summary="An order as it stands",
    replies=(Reply(200, "Its allocation and state.", Allocation, {"confirmed": values.CONFIRMED}),),
    problems=("not-found", "store-unavailable"),
)
POST_QUOTE = Contract(
    summary="What an order would get, and why",
    detail="Holds nothing. The explanation has every warehouse with its cost, or with what keeps it out.",
    body=Body(Order, {"as an order": values.ORDER}, limits.ORDER_BYTES_MAX),
    replies=(Reply(200, "A plan, and why it is what it is.", Quote, {"one shipment": values.QUOTE}),),
    problems=(
        "insufficient-stock",
        "not-deliverable",
        "purchase-limit",
        "invalid-order",
        "overloaded",
        "store-unavailable",
    ),
)


def _change(
    summary: str,
    body: type,
    example: Any,
    after: Allocation,
    *more: ProblemType,
    detail: str = "",
    required: bool = True,
    location: bool = False,
) -> Contract:
    headers = ("Location", _REPLAYED) if location else (_REPLAYED,)
    return Contract(
        summary=summary,
        detail=f"{detail} Has one effect for each `transition_id`, however often it is sent.".strip(),
        takes_key=True,
        body=Body(body, {"one": example}, limits.ORDER_BYTES_MAX, required=required, optional=("transition_id",)),
        replies=(Reply(200, "Done, now or before.", Allocation, {"since": after}, headers=headers),),
        problems=(
            "not-found",
            "invalid-state",
            "version-conflict",
            "invalid-request",
            "transition-conflict",
            *more,
            *_STORE,
        ),
    )


_ID = values.TRANSITION_ID
_HELD = (HeldLine("LAMP", 1),)
_ONE = (AllocationLine(sku="LAMP", quantity=1),)
_LEFT = Shipment(warehouse="HGH-9", lines=values.LAMPS, cost=1_540, distance_km=161.236, shipped=_ONE)
_FEWER = Shipment(warehouse="HGH-9", lines=_ONE, cost=1_420, distance_km=161.236)

CONFIRM = _change(
    "Make an unpaid order's hold last",
    Step,
    Step(transition_id="payment-91"),
    values.allocation("confirmed", 2),
    required=False,
)
CANCEL = _change(
    "Give back what an order holds of which nothing has left",
    Step,
    Step(transition_id="cancel-91", version=1),
    values.allocation("released", 2),
    required=False,
)
EXTEND = _change(
    "Have an unpaid order's hold end later",
    Extension,
    Extension(transition_id=_ID, hold_seconds=900),
    values.allocation("reserved", 2, expires_at="2026-11-11T00:30:00.123Z"),
    detail="The hold ends so many seconds from now.",
)
SHIP = _change(
    "Let units leave: those named, or all that are left",
    Shipping,
    Shipping(transition_id=_ID, lines=_HELD),
    values.allocation("partially_shipped", 2, shipments=(_LEFT,)),
    "contended",
)
SPLIT = _change(
    "Make some of an order's units an order of their own",
    Split,
    Split(transition_id=_ID, into=f"{values.ORDER_ID}/late", lines=_HELD),
    values.allocation("confirmed", 2, shipments=(_FEWER,), cost=1_420),
    "order-conflict",
    "contended",
    detail="`Location` names the new order, whose id is this one's, a slash and a name.",
    location=True,
)
AMEND = _change(
    "Give an order other lines",
    Amendment,
    Amendment(transition_id=_ID, lines=(Line("LAMP", 1),)),
    values.allocation("confirmed", 2, shipments=(_FEWER,), cost=1_420),
    *_SALE,
    detail="Planned anew over what is free and what the order holds; what is not named is dropped.",
)
