"""The client for threads, over the standard library's HTTP."""

import http.client
import socket
import ssl
import time
from collections.abc import Iterable, Iterator, Sequence
from time import monotonic
from typing import Self, TypeVar

from api.client import calls
from api.client.address import address_of
from api.client.bulk_blocking import send_bulk
from api.client.calls import Call, Reply
from api.client.connections import BROKEN, Connections
from api.client.identity import Identity
from api.client.pages import EVENTS_WAIT_MS, PAGE_CELLS, PAGE_EVENTS
from api.client.reallocations import Reallocations
from api.client.results import BulkResult, Quote, Reservation
from api.client.retry import Attempts, Retry
from api.client.window import cannot_sign
from engine.model import Cell, HeldLine, Line, Moved, Movement, Order, StockCount
from engine.model.event import Event

T = TypeVar("T")

PIECE_BYTES = 64 * 1024


class Stockade:
    """`with Stockade("http://127.0.0.1:8080") as stockade: stockade.reserve(order)`.

    Every method raises ProblemError where the service says no, NoAnswer where nobody answered; see api.client.errors.
    Threads may share it.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        signing_secret: str | None = None,
        retry: Retry = Retry(),  # noqa: B008 - frozen
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`signing_secret` signs every request. Raises ValueError for a wrong URL."""
        self._connections = Connections(address_of(url), tls)
        self._identity = Identity(api_key=api_key, signing_secret=signing_secret)
        self._retry = retry
        self.reallocations = Reallocations(self._do)
        """Where open orders would better ship from; then they are moved."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections that are idle."""
        self._connections.close()

    def reserve(self, order: Order) -> Reservation:
        """Hold an order's stock; once, however often the same order is sent. Raises InsufficientStock and others."""
        return self._do(calls.reserve(order))

    def order(self, order_id: str) -> Reservation:
        """An order as it stands. Raises NotFound."""
        return self._do(calls.order(order_id))

    def confirm(self, order_id: str, *, transition_id: str | None = None, version: int | None = None) -> Reservation:
        """Make an unpaid order's hold last.

        Here as in other changes: without a `transition_id` the client makes one up, so that its tries have one effect;
        give one for a change that you may ask for again. Raises InvalidState, VersionConflict, NotFound.
        """
        return self._do(calls.confirm(order_id, transition_id, version))

    def cancel(self, order_id: str, *, transition_id: str | None = None, version: int | None = None) -> Reservation:
        """Give back what an order holds of which nothing has left."""
        return self._do(calls.cancel(order_id, transition_id, version))

    def extend(
        self, order_id: str, hold_seconds: int, *, transition_id: str | None = None, version: int | None = None
    ) -> Reservation:
        """Have an unpaid order's hold end so many seconds from now."""
        return self._do(calls.extend(order_id, hold_seconds, transition_id, version))

    def ship(
        self,
        order_id: str,
        lines: Sequence[HeldLine] | None = None,
        *,
        transition_id: str | None = None,
        version: int | None = None,
    ) -> Reservation:
        """Let units leave: those that lines name, or all that are left."""
        return self._do(calls.ship(order_id, lines, transition_id, version))

    def split(
        self,
        order_id: str,
        into: str,
        lines: Sequence[HeldLine],
        *,
        transition_id: str | None = None,
        version: int | None = None,
    ) -> Reservation:
        """Make units of an order an order of their own, whose id is `order_id`, a slash and a name."""
        return self._do(calls.split(order_id, into, lines, transition_id, version))

    def amend(
        self, order_id: str, lines: Sequence[Line], *, transition_id: str | None = None, version: int | None = None
    ) -> Reservation:
        """Give an order of which nothing has left other lines."""
        return self._do(calls.amend(order_id, lines, transition_id, version))

    def quote(self, order: Order) -> Quote:
        """What an order would get, and why; nothing is held."""
        return self._do(calls.quote(order))

    def stock(self, *, sku: str | None = None, warehouse: str | None = None) -> Iterator[Cell]:
        """Every cell, or those of a SKU or a warehouse."""
        cursor: str | None = None
        while True:
            page = self._do(calls.stock_page(sku, warehouse, cursor, PAGE_CELLS))
            yield from page.cells
            cursor = page.cursor
            if cursor is None:
                return

    def set_stock(self, rows: Sequence[StockCount]) -> int:
        """Set counts, every row or none; returns how many.

        Not sent again unless it was certainly not done: an old count that comes late would undo a newer one.
        """
        return self._do(calls.set_stock(rows))

    def move(self, movement: Movement) -> Moved:
        """Receive, adjust, transfer and so on, every row or none; once for its `movement_id`."""
        return self._do(calls.move(movement))

    def events(self, *, after: str | None = None, follow: bool = True) -> Iterator[Event]:
        """What changed after a cursor (None: from the oldest on, `$`: from now on); `follow`: and what will, for ever.

        Raises CursorExpired.
        """
        wait_ms = EVENTS_WAIT_MS if follow else 0
        while True:
            page = self._do(calls.events_page(after, PAGE_EVENTS, wait_ms))
            yield from page.events
            if not follow and not page.events:
                return
            after = page.cursor

    def bulk(self, orders: Iterable[Order]) -> Iterator[BulkResult]:
        """Send many orders over one connection, and yield what became of each, in their order.

        Orders are taken as fast as results are. After a break, those without a result are sent again. What is refused
        is not, though its problem be `retryable`. Who stops listening leaves some thousand orders in doubt.
        """
        if self._identity.signing_secret is not None:
            raise cannot_sign()
        headers = self._identity.headers("POST", calls.BULK, None)
        yield from send_bulk(self._connections, headers, orders, self._retry)

    def _do(self, call: Call[T]) -> T:
        attempts = Attempts(call, self._retry)
        while True:
            seconds = attempts.begin()
            sent = False
            try:
                # What may be sent only once goes over a new connection: one that was idle may have ended unseen.
                connections = self._connections
                connection = connections.take(seconds) if call.repeatable else connections.fresh(seconds)
                sent = True
                reply = self._send(connection, call, monotonic() + seconds)
            except BROKEN as error:
                pause_s = attempts.pause_after_break(error, sent=sent)
            else:
                if attempts.done(reply):
                    return attempts.result(reply)
                pause_s = attempts.pause_after(reply)
            time.sleep(pause_s)

    def _send(self, connection: http.client.HTTPConnection, call: Call[T], ends: float) -> Reply:
        headers = self._identity.headers(call.method, call.target, call.body)
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        try:
            sock = connection.sock
            connection.request(call.method, call.target, call.body, headers)
            response = connection.getresponse()
            reply = Reply(
                response.status,
                _body(response, sock, ends),
                response.getheader("Idempotent-Replayed") == "true",
                response.getheader("Retry-After"),
            )
        except BaseException:
            connection.close()
            raise
        self._connections.give_back(connection)
        return reply


def _body(response: http.client.HTTPResponse, sock: socket.socket, ends: float) -> bytes:
    """A whole body. Raises TimeoutError when it is not there in time, however steadily it drips."""
    pieces = []
    while piece := response.read1(PIECE_BYTES):
        pieces.append(piece)
        remaining_s = ends - monotonic()
        if remaining_s <= 0:
            raise TimeoutError("the answer did not come in time")
        sock.settimeout(remaining_s)
    if response.length:
        raise http.client.IncompleteRead(b"".join(pieces), response.length)
    # Else the connection takes no other request: of its end it hears only from `read`.
    response.close()
    return b"".join(pieces)
