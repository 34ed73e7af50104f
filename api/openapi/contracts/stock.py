"""Counts and movements of stock, cells, and the feed of all changes."""

from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta

from api.http.answers import CountsTaken
from api.http.contract import Body, Contract, Parameter, Reply
from api.http.events import PAGE_EVENTS_DEFAULT
from api.http.problems import ProblemType
from api.http.stock import PAGE_CELLS_DEFAULT, PAGE_CELLS_MAX
from api.openapi.contracts import values
from engine.feed.pages import EVENTS_MAX, WAIT_MS_MAX
from engine.model import Moved, Movement, MovementRow, StockCount, limits
from engine.model.event import CellChange, Event, EventPage
from engine.stock.room import CellPage

_REFUSED: tuple[ProblemType, ...] = ("stock-limit", "invalid-request", "stock-under-change", "store-unavailable")

PUT_STOCK = Contract(
    summary="Set counts, every row or none",
    body=Body(
        list[StockCount],
        {"one cell": [StockCount(sku="LAMP", warehouse="HGH-9", on_hand=100, safety=5)]},
        limits.BODY_BYTES_MAX,
    ),
    replies=(Reply(200, "Set.", CountsTaken, {"one cell": CountsTaken(1)}),),
    problems=("stock-below-reserved", "stock-in-pools", *_REFUSED),
)

_RECEIVE = Movement(
    movement_id="GRN-5521", type="receive", rows=(MovementRow(sku="LAMP", warehouse="HGH-9", quantity=20),)
)
_ADJUST = Movement(
    movement_id="COUNT-18",
    type="adjust",
    rows=(MovementRow(sku="LAMP", warehouse="HGH-9", quantity=-1, expected_on_hand=100),),
    reason="broken",
)
_MOVED = Moved(movement_id="GRN-5521", type="receive", replayed=False, rows=1, cells=(values.CELL,))
POST_MOVEMENT = Contract(
    summary="Receive, adjust, return, transfer ... stock: every row or none",
    detail="Once for each `movement_id`. It may be left out where an `Idempotency-Key` is given, which then is it.",
    takes_key=True,
    body=Body(
        Movement,
        {"goods in": _RECEIVE, "compare and set": _ADJUST},
        limits.BODY_BYTES_MAX,
        optional=("movement_id",),
    ),
    replies=(Reply(200, "Done, now or before.", Moved, {"goods in": _MOVED}, headers=("Idempotent-Replayed",)),),
    problems=("insufficient-stock", "expected-on-hand", "movement-conflict", *_REFUSED),
)

_PAGE = Annotated[int, Meta(ge=1, le=PAGE_CELLS_MAX)]
GET_STOCK = Contract(
    summary="Cells as the store has them now, in pages",
    query=(
        Parameter("sku", str, "Only cells of this SKU.", "LAMP"),
        Parameter("warehouse", str, "Only cells at this warehouse.", "HGH-9"),
        Parameter("cursor", Annotated[str, Meta(pattern="^[0-9]{1,15}$")], "The `cursor` of the former page.", "4097"),
        Parameter("limit", _PAGE, f"Cells of a page, {PAGE_CELLS_DEFAULT} if not said.", 500),
    ),
    replies=(
        Reply(200, "A page; `cursor` is null on the last.", CellPage, {"the last": CellPage((values.CELL,), None)}),
    ),
    problems=("invalid-request", "store-unavailable"),
)

_EVENT = Event(
    id="0/1762819200123-0",
    partition=0,
    n=17,
    type="commit",
    at=datetime(2026, 11, 11, 0, 0, 0, 123_000, tzinfo=UTC),
    writer="a3f0c9d21b44",
    orders=(values.ORDER_ID,),
    cells=(CellChange(sku="LAMP", warehouse="HGH-9", taken=2, on_hand_change=0),),
)
GET_EVENTS = Contract(
    summary="Every change, in order, after a cursor",
    detail="""With `Accept: text/event-stream` it goes on for ever: each event with its cursor as `id`, and a comment
now and then. One that reconnects with `Last-Event-ID` misses nothing.""",
    query=(
        Parameter("after", str, "The `cursor` of an earlier page; `$` is now, none is where the feed begins.", "$"),
        Parameter(
            "limit",
            Annotated[int, Meta(ge=1, le=EVENTS_MAX)],
            f"Events of a page, {PAGE_EVENTS_DEFAULT} if not said.",
            100,
        ),
        Parameter("wait_ms", Annotated[int, Meta(ge=0, le=WAIT_MS_MAX)], "How long to wait for the first.", 0),
    ),
    replies=(
        Reply(200, "A page.", EventPage, {"one": EventPage(events=(_EVENT,), cursor="1.17.0")}),
        Reply(
            200,
            "A page.",
            str,
            {"one": f'id: 1.17.0\ndata: {{"id": "{_EVENT.id}"}}\n\n'},
            media_type="text/event-stream",
        ),
    ),
    problems=("cursor-expired", "invalid-request", "overloaded", "store-unavailable"),
)
