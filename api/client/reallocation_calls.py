"""The calls of re-allocations as values; see api.client.calls."""

import uuid
from typing import Any
from urllib.parse import quote as percent_encode

import msgspec
from msgspec import Struct

from api.client.calls import Call, Reply
from engine.reallocation.model import ReallocationRequest, ReallocationStatus
from engine.reallocation.moves import Move

PATH = "/v1/reallocations"
PAGE_ROWS = 10_000


class Page(Struct, frozen=True):
    """Some rows, and where the next ones are."""

    rows: list[Any]
    cursor: str | None


class _Moves(Struct):
    moves: list[dict[str, Any]]
    cursor: str | None


class _Orders(Struct):
    orders: list[dict[str, str]]
    cursor: str | None


_status = msgspec.json.Decoder(ReallocationStatus)
_statuses = msgspec.json.Decoder(list[ReallocationStatus])
_moves = msgspec.json.Decoder(_Moves)
_orders = msgspec.json.Decoder(_Orders)


def begin(request: ReallocationRequest) -> Call[ReallocationStatus]:
    """Plan a run. One without an id gets one here, so that it is begun once however often it is sent."""
    named = msgspec.structs.replace(request, id=request.id or uuid.uuid4().hex)
    return Call("POST", PATH, msgspec.json.encode(named), _read_status)


def get(run_id: str) -> Call[ReallocationStatus]:
    """How a run stands."""
    return Call("GET", _path(run_id), None, _read_status)


def every() -> Call[list[ReallocationStatus]]:
    """The last runs."""
    return Call("GET", PATH, None, lambda reply: _statuses.decode(reply.body))


def act(run_id: str, what: str) -> Call[ReallocationStatus]:
    """Have a run applied, cancelled or rolled back; each has one effect."""
    return Call("POST", f"{_path(run_id)}/{what}", None, _read_status)


def moves_page(run_id: str, cursor: str | None) -> Call[Page]:
    """A page of what a run moves."""
    return Call("GET", _rows(run_id, "moves", cursor), None, _read_moves)


def orders_page(run_id: str, what: str, cursor: str | None) -> Call[Page]:
    """A page of orders that stay as they are, and why: `unserved` or `skipped`."""
    return Call("GET", _rows(run_id, what, cursor), None, _read_orders)


def _path(run_id: str) -> str:
    return f"{PATH}/{percent_encode(run_id, safe='')}"


def _rows(run_id: str, what: str, cursor: str | None) -> str:
    return f"{_path(run_id)}/{what}?limit={PAGE_ROWS}" + (f"&cursor={cursor}" if cursor else "")


def _read_status(reply: Reply) -> ReallocationStatus:
    return _status.decode(reply.body)


def _read_moves(reply: Reply) -> Page:
    page = _moves.decode(reply.body)
    return Page([Move(**row) for row in page.moves], page.cursor)


def _read_orders(reply: Reply) -> Page:
    page = _orders.decode(reply.body)
    return Page([(row["order_id"], row["why"]) for row in page.orders], page.cursor)
