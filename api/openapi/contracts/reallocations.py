"""Re-allocations: planned, looked at, applied, cancelled, rolled back."""

from typing import Annotated

from msgspec import Meta
from msgspec.structs import replace

from api.http.answers import MoveRow, MovesPage, OrderWhy, OrderWhysPage
from api.http.contract import Body, Contract, Parameter, Reply
from api.http.problems import ProblemType
from api.http.reallocation_rows import PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX
from api.openapi.contracts import values
from engine.model import limits
from engine.reallocation import (
    ReallocationPlan,
    ReallocationRequest,
    ReallocationStatus,
    RegionChange,
    Told,
    WarehouseChange,
)

_STORE: tuple[ProblemType, ...] = ("store-unavailable", "shutting-down")
_FLOOD = ReallocationRequest(id=values.RUN_ID, warehouse_down="HGH-9", reason="flood")
_ROUND = ReallocationRequest(regions=("Zhejiang",), older_than_s=86_400, move_penalty=50, max_moves=5_000)

_PLAN = ReallocationPlan(
    planned_at_ms=1_762_819_200_123,
    planned_in_s=1.42,
    currency="CNY",
    orders_seen=1_200,
    orders_chosen=310,
    left_out=(Told(why="partially_shipped", orders=2),),
    orders_moved=1,
    moves=1,
    units_moved=2,
    not_moved=(),
    cost_before=1_540,
    cost_after=1_910,
    filled_cost=0,
    assignment_cost=1_910,
    assignment_bound=1_905,
    shipments_before=1,
    shipments_after=1,
    unserved=(Told(why="no_stock", orders=1),),
    by_warehouse=(
        WarehouseChange(
            warehouse="HGH-9",
            lat=30.3,
            lon=120.2,
            down=True,
            units_before=3,
            units_after=1,
            shipments_before=2,
            shipments_after=1,
            units_out=2,
            units_in=0,
        ),
    ),
    by_region=(
        RegionChange(
            country="CN",
            region="Shanghai",
            lat=31.23,
            lon=121.47,
            orders=2,
            moved=1,
            cost_before=1_540,
            cost_after=1_910,
            unserved=1,
        ),
    ),
)
_BEGUN = ReallocationStatus(id=values.RUN_ID, state="planning", request=_FLOOD, created_at_ms=1_762_819_200_001)
_PLANNED = replace(_BEGUN, state="planned", plan=_PLAN, chunks=1)
_APPLYING = replace(_PLANNED, state="applying")
_APPLIED = replace(_PLANNED, state="applied", chunks_done=1, applied=1)
_CANCELLED = replace(_PLANNED, state="cancelled")
_TAKING_BACK = replace(_APPLIED, state="rolling_back")
_TAKEN_BACK = replace(_APPLIED, state="rolled_back", rolled_back=1)

_REQUESTS = {"a warehouse is down": _FLOOD, "a region, where moves pay for themselves": _ROUND}

POST_REALLOCATION = Contract(
    summary="Plan a re-allocation of open orders",
    detail="""Nothing moves before it is applied. It is planned in the background: look at `Location` until its state is
`planned`. The same `id` with the same request is the same run, and is not planned again. The `id` may be left out, then
the run gets one; or an `Idempotency-Key` is given, which then is it.""",
    takes_key=True,
    body=Body(ReallocationRequest, _REQUESTS, limits.BODY_BYTES_MAX),
    replies=(
        Reply(202, "It is being planned.", ReallocationStatus, {"begun": _BEGUN}, headers=("Location",)),
        Reply(
            200, "It was asked for before.", ReallocationStatus, {"planned": _PLANNED}, headers=("Idempotent-Replayed",)
        ),
    ),
    problems=("reallocation-conflict", "invalid-request", *_STORE),
)
GET_REALLOCATIONS = Contract(
    summary="The last re-allocations, the newest first",
    replies=(Reply(200, "How each stands.", list[ReallocationStatus], {"one": [_APPLIED]}),),
    problems=_STORE,
)
GET_REALLOCATION = Contract(
    summary="How a re-allocation stands",
    detail="Its `plan` is there from `planned` on, and does not change any more.",
    replies=(Reply(200, "Progress and result.", ReallocationStatus, {"applied": _APPLIED, "being planned": _BEGUN}),),
    problems=("not-found", *_STORE),
)

_PAGE = (
    Parameter("cursor", Annotated[str, Meta(pattern="^[0-9]{1,9}$")], "The `cursor` of the former page.", "1000"),
    Parameter(
        "limit",
        Annotated[int, Meta(ge=1, le=PAGE_ROWS_MAX)],
        f"Rows of a page, {PAGE_ROWS_DEFAULT:,} if not said.",
        1_000,
    ),
)
_ROW = MoveRow(values.ORDER_ID, "LAMP", 2, "HGH-9", "SHA-1", 1_540, 1_910)
GET_MOVES = Contract(
    summary="What a re-allocation moves, in pages",
    query=_PAGE,
    replies=(Reply(200, "A page.", MovesPage, {"the last": MovesPage((_ROW,), None)}),),
    problems=("not-found", "invalid-request", *_STORE),
)


def _whys(what: str, why: str) -> Contract:
    return Contract(
        summary=f"Orders that {what}, and why, in pages",
        query=_PAGE,
        replies=(
            Reply(
                200,
                "A page.",
                OrderWhysPage,
                {"the last": OrderWhysPage((OrderWhy(values.ORDER_ID, why),), None)},
            ),
        ),
        problems=("not-found", "invalid-request", *_STORE),
    )


GET_UNSERVED = _whys("a re-allocation leaves where nothing serves them", "no_stock")
GET_SKIPPED = _whys("were not moved as something had changed since the plan", "version")


def _act(summary: str, detail: str, *replies: Reply) -> Contract:
    return Contract(
        summary=summary,
        detail=f"{detail} Done again it changes nothing.",
        replies=replies,
        problems=("not-found", "reallocation-state", *_STORE),
    )


APPLY = _act(
    "Move what was planned",
    "In the background, some hundred orders at a time; an order that has changed since the plan is skipped. One that"
    " was stopped by a crash goes on where it was left.",
    Reply(202, "It is being applied.", ReallocationStatus, {"begun": _APPLYING}, headers=("Location",)),
    Reply(200, "It was applied before.", ReallocationStatus, {"done": _APPLIED}),
)
CANCEL = _act(
    "Move nothing more",
    "What is moved stays.",
    Reply(200, "It has ended.", ReallocationStatus, {"before it was applied": _CANCELLED}),
)
ROLLBACK = _act(
    "Take back what was moved",
    "In the background, of an applied or cancelled run; an order that has changed since it was moved stays as it is.",
    Reply(202, "It is being taken back.", ReallocationStatus, {"begun": _TAKING_BACK}, headers=("Location",)),
    Reply(200, "It was taken back before.", ReallocationStatus, {"done": _TAKEN_BACK}),
)
