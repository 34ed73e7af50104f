"""Every call of the service as a value: what is sent, how the answer is read, whether it may be sent again."""

import uuid
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar
from urllib.parse import quote as percent_encode
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from api.client.results import Quote, Reservation, reservation
from engine import CellPage
from engine.model import (
    Amendment,
    Extension,
    HeldLine,
    Line,
    Moved,
    Movement,
    Order,
    Shipping,
    Split,
    Step,
    StockCount,
)
from engine.model.event import EventPage

T = TypeVar("T")

BULK = "/v1/orders:bulk"


class Reply(Struct, frozen=True):
    """One whole answer."""

    status: int
    body: bytes
    replayed: bool = False
    retry_after: str | None = None


class Call(Struct, Generic[T], frozen=True):
    """One request."""

    method: str
    target: str
    """Path and query, as they go on the wire."""
    body: bytes | None
    read: Callable[[Reply], T]
    repeatable: bool = True
    """Whether it has one effect however often it is sent."""
    wait_s: float = 0.0
    """How much longer than others it may take, since it asked to wait."""


def reserve(order: Order) -> Call[Reservation]:
    """Hold an order's stock."""
    return Call("POST", "/v1/orders", msgspec.json.encode(order), _held)


def order(order_id: str) -> Call[Reservation]:
    """An order as it stands."""
    return Call("GET", _path(order_id), None, _held)


def confirm(order_id: str, transition_id: str | None, version: int | None) -> Call[Reservation]:
    """Make an unpaid order's hold last."""
    return _change(order_id, "confirm", Step(transition_id=_id(transition_id), version=version))


def cancel(order_id: str, transition_id: str | None, version: int | None) -> Call[Reservation]:
    """Give back what an order holds."""
    return _change(order_id, "cancel", Step(transition_id=_id(transition_id), version=version))


def extend(order_id: str, hold_seconds: int, transition_id: str | None, version: int | None) -> Call[Reservation]:
    """Hold an unpaid order's stock for so long from now."""
    asked = Extension(transition_id=_id(transition_id), hold_seconds=hold_seconds, version=version)
    return _change(order_id, "extend", asked)


def ship(
    order_id: str, lines: Sequence[HeldLine] | None, transition_id: str | None, version: int | None
) -> Call[Reservation]:
    """Let units leave."""
    named = None if lines is None else tuple(lines)
    return _change(order_id, "ship", Shipping(transition_id=_id(transition_id), lines=named, version=version))


def split(
    order_id: str, into: str, lines: Sequence[HeldLine], transition_id: str | None, version: int | None
) -> Call[Reservation]:
    """Make some units an order of their own."""
    asked = Split(transition_id=_id(transition_id), into=into, lines=tuple(lines), version=version)
    return _change(order_id, "split", asked)


def amend(order_id: str, lines: Sequence[Line], transition_id: str | None, version: int | None) -> Call[Reservation]:
    """Give an order other lines."""
    return _change(order_id, "amend", Amendment(transition_id=_id(transition_id), lines=tuple(lines), version=version))


def quote(order: Order) -> Call[Quote]:
    """What an order would get."""
    return Call("POST", "/v1/quotes", msgspec.json.encode(order), _typed(Quote))


def stock_page(sku: str | None, warehouse: str | None, cursor: str | None, limit: int) -> Call[CellPage]:
    """A page of cells."""
    return Call("GET", _query("/v1/stock", sku=sku, warehouse=warehouse, cursor=cursor, limit=limit), None, _page)


def set_stock(rows: Sequence[StockCount]) -> Call[int]:
    """Set counts. Not repeatable: sent again it would undo a count that came in between."""
    return Call("PUT", "/v1/stock", msgspec.json.encode(rows), _rows, repeatable=False)


def move(movement: Movement) -> Call[Moved]:
    """Change stock."""
    return Call("POST", "/v1/stock/movements", msgspec.json.encode(movement), _typed(Moved))


def events_page(after: str | None, limit: int, wait_ms: int) -> Call[EventPage]:
    """A page of events."""
    target = _query("/v1/events", after=after, limit=limit, wait_ms=wait_ms)
    return Call("GET", target, None, _typed(EventPage), wait_s=wait_ms / 1000)


def _change(order_id: str, verb: str, asked: Struct) -> Call[Reservation]:
    return Call("POST", f"{_path(order_id)}/{verb}", msgspec.json.encode(asked), _held)


def _id(transition_id: str | None) -> str:
    # Even where the service needs none: sent again it must have one effect.
    return transition_id or uuid.uuid4().hex


def _path(order_id: str) -> str:
    return f"/v1/orders/{percent_encode(order_id, safe='')}"


def _query(path: str, **members: Any) -> str:
    given = {name: value for name, value in members.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


def _held(reply: Reply) -> Reservation:
    return reservation(reply.body, reply.replayed)


def _typed(kind: type[T]) -> Callable[[Reply], T]:
    decoder = msgspec.json.Decoder(kind)
    return lambda reply: decoder.decode(reply.body)


_page = _typed(CellPage)


def _rows(reply: Reply) -> int:
    return msgspec.json.decode(reply.body, type=dict[str, int])["rows"]
