"""The rows of a re-allocation, in pages: what moves, what stays unserved, what was skipped when it was applied."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import TypeVar

from aiohttp import web

from api.http.answer import Answer, json_answer
from api.http.answers import MoveRow, MovesPage, OrderWhy, OrderWhysPage
from api.http.problems import Problem
from api.http.query import DIGITS_MAX, Query
from api.http.reallocations import found
from engine.reallocation import Moves, Reallocation, Untouched

PAGE_ROWS_DEFAULT = 1_000
PAGE_ROWS_MAX = 10_000
RUNS_KEPT = 2
"""Plans that stay in memory between two pages: one of 100,000 moves takes some tens of megabytes."""

_QUERY = ("cursor", "limit")
T = TypeVar("T")


class Plans:
    """Plans that were read lately. One does not change once it is made."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[Moves, Untouched]] = OrderedDict()

    async def of(self, run: Reallocation) -> tuple[Moves, Untouched]:
        """What the run moves, and what it leaves unserved. Raises StoreError."""
        if run.plan is None:
            return Moves(), Untouched()
        if run.id not in self._kept:
            await run.load()
            self._kept[run.id] = run.moves, run.unserved
            while len(self._kept) > RUNS_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(run.id)
        return self._kept[run.id]


PLANS: web.AppKey[Plans] = web.AppKey("plans", Plans)


async def get_reallocation_moves(request: web.Request) -> Answer | Problem:
    """GET /v1/reallocations/{run_id}/moves: a page of what moves."""
    start, limit = _page(request)
    run = await found(request)
    if isinstance(run, Problem):
        return run
    moves, _ = await request.app[PLANS].of(run)
    rows = tuple(MoveRow(*row) for row in moves.page(start, limit))
    return json_answer(MovesPage(rows, _cursor(start, limit, len(moves))))


async def get_reallocation_unserved(request: web.Request) -> Answer | Problem:
    """GET /v1/reallocations/{run_id}/unserved: a page of orders that nothing serves, and why."""
    start, limit = _page(request)
    run = await found(request)
    if isinstance(run, Problem):
        return run
    _, unserved = await request.app[PLANS].of(run)
    return _whys(unserved, start, limit)


async def get_reallocation_skipped(request: web.Request) -> Answer | Problem:
    """GET /v1/reallocations/{run_id}/skipped: a page of orders that were not moved, and why."""
    start, limit = _page(request)
    run = await found(request)
    return run if isinstance(run, Problem) else _whys(await run.skipped(), start, limit)


def _whys(rows: Untouched, start: int, limit: int) -> Answer:
    found = zip(_slice(rows.order_id, start, limit), _slice(rows.why, start, limit), strict=True)
    page = tuple(OrderWhy(order_id, why) for order_id, why in found)
    return json_answer(OrderWhysPage(page, _cursor(start, limit, len(rows))))


def _slice(column: Sequence[T], start: int, limit: int) -> Sequence[T]:
    return column[start : start + limit]


def _cursor(start: int, limit: int, rows: int) -> str | None:
    return str(start + limit) if start + limit < rows else None


def _page(request: web.Request) -> tuple[int, int]:
    """Where a page begins, and its length. Raises InvalidInput."""
    query = Query(request.query, _QUERY)
    cursor = query.text("cursor")
    if cursor is None:
        cursor = "0"
    elif not (cursor.isascii() and cursor.isdigit() and len(cursor) <= DIGITS_MAX):
        query.mistake("cursor", "must be the cursor of the former page")
    limit = query.number("limit", PAGE_ROWS_DEFAULT, 1, PAGE_ROWS_MAX)
    query.check()
    return int(cursor), limit
