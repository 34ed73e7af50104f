"""The client for asyncio, over aiohttp."""

import asyncio
import contextlib
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from typing import Self, TypeVar

import aiohttp
from yarl import URL

from api.client import calls
from api.client.address import address_of
from api.client.bulk_asynchronous import BROKEN, send_bulk
from api.client.calls import Call, Reply
from api.client.identity import Identity
from api.client.pages import EVENTS_WAIT_MS, PAGE_CELLS, PAGE_EVENTS
from api.client.reallocations import AsyncReallocations
from api.client.results import BulkResult, Quote, Reservation
from api.client.retry import Attempts, Retry
from api.client.window import cannot_sign
from engine.model import Cell, HeldLine, Line, Moved, Movement, Order, StockCount
from engine.model.event import Event

T = TypeVar("T")

CONNECTIONS = 100

NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorDNSError)


class _Broken(aiohttp.ClientError):
    """A connection broke under a request."""


async def _once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keeps aiohttp from sending a PUT a second time by itself: whether that is right is for us to say."""
    try:
        return await send(request)
    except NOT_SENT:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _Broken(str(error) or type(error).__name__) from error


class AsyncStockade:
    """`async with AsyncStockade("http://127.0.0.1:8080") as stockade: await stockade.reserve(order)`.

    Every method raises ProblemError where the service says no, NoAnswer where nobody answered; see api.client.errors.
    Belongs to one event loop.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        signing_secret: str | None = None,
        retry: Retry = Retry(),  # noqa: B008 - frozen
        connections: int = CONNECTIONS,
    ) -> None:
        """`signing_secret` signs every request. `connections`: how many at once. Raises ValueError for a wrong URL."""
        self._url = address_of(url).url
        self._identity = Identity(api_key=api_key, signing_secret=signing_secret)
        self._retry = retry
        self.reallocations = AsyncReallocations(self._do)
        """Where open orders would better ship from; then they are moved."""
        self._connections = connections
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        while self._sessions:
            await self._sessions.popitem()[1].close()

    async def reserve(self, order: Order) -> Reservation:
        """Hold an order's stock; once, however often the same order is sent. Raises InsufficientStock and others."""
        return await self._do(calls.reserve(order))

    async def order(self, order_id: str) -> Reservation:
        """An order as it stands. Raises NotFound."""
        return await self._do(calls.order(order_id))

    async def confirm(
        self, order_id: str, *, transition_id: str | None = None, version: int | None = None
    ) -> Reservation:
        """Make an unpaid order's hold last.

        Here as in other changes: without a `transition_id` the client makes one up, so that its tries have one effect;
        give one for a change that you may ask for again. Raises InvalidState, VersionConflict, NotFound.
        """
        return await self._do(calls.confirm(order_id, transition_id, version))

    async def cancel(
        self, order_id: str, *, transition_id: str | None = None, version: int | None = None
    ) -> Reservation:
        """Give back what an order holds of which nothing has left."""
        return await self._do(calls.cancel(order_id, transition_id, version))

    async def extend(
        self, order_id: str, hold_seconds: int, *, transition_id: str | None = None, version: int | None = None
    ) -> Reservation:
        """Have an unpaid order's hold end so many seconds from now."""
        return await self._do(calls.extend(order_id, hold_seconds, transition_id, version))

    async def ship(
        self,
        order_id: str,
        lines: Sequence[HeldLine] | None = None,
        *,
        transition_id: str | None = None,
        version: int | None = None,
    ) -> Reservation:
        """Let units leave: those that lines name, or all that are left."""
        return await self._do(calls.ship(order_id, lines, transition_id, version))

    async def split(
        self,
        order_id: str,
        into: str,
        lines: Sequence[HeldLine],
        *,
        transition_id: str | None = None,
        version: int | None = None,
    ) -> Reservation:
        """Make units of an order an order of their own, whose id is `order_id`, a slash and a name."""
        return await self._do(calls.split(order_id, into, lines, transition_id, version))

    async def amend(
        self, order_id: str, lines: Sequence[Line], *, transition_id: str | None = None, version: int | None = None
    ) -> Reservation:
        """Give an order of which nothing has left other lines."""
        return await self._do(calls.amend(order_id, lines, transition_id, version))

    async def quote(self, order: Order) -> Quote:
        """What an order would get, and why; nothing is held."""
        return await self._do(calls.quote(order))

    async def stock(self, *, sku: str | None = None, warehouse: str | None = None) -> AsyncIterator[Cell]:
        """Every cell, or those of a SKU or a warehouse."""
        cursor: str | None = None
        while True:
            page = await self._do(calls.stock_page(sku, warehouse, cursor, PAGE_CELLS))
            for cell in page.cells:
                yield cell
            cursor = page.cursor
            if cursor is None:
                return

    async def set_stock(self, rows: Sequence[StockCount]) -> int:
        """Set counts, every row or none; returns how many.

        Not sent again unless it was certainly not done: an old count that comes late would undo a newer one.
        """
        return await self._do(calls.set_stock(rows))

    async def move(self, movement: Movement) -> Moved:
        """Receive, adjust, transfer and so on, every row or none; once for its `movement_id`."""
        return await self._do(calls.move(movement))

    async def events(self, *, after: str | None = None, follow: bool = True) -> AsyncIterator[Event]:
        """What changed after a cursor (None: from the oldest on, `$`: from now on); `follow`: and what will, for ever.

        Raises CursorExpired.
        """
        wait_ms = EVENTS_WAIT_MS if follow else 0
        while True:
            page = await self._do(calls.events_page(after, PAGE_EVENTS, wait_ms))
            for event in page.events:
                yield event
            if not follow and not page.events:
                return
            after = page.cursor

    async def bulk(self, orders: Iterable[Order] | AsyncIterable[Order]) -> AsyncIterator[BulkResult]:
        """Send many orders over one connection, and yield what became of each, in their order.

        Orders are taken as fast as results are. After a break, those without a result are sent again. What is refused
        is not, though its problem be `retryable`. Who stops listening leaves some thousand orders in doubt.
        """
        if self._identity.signing_secret is not None:
            raise cannot_sign()
        headers = self._identity.headers("POST", calls.BULK, None)
        async with contextlib.aclosing(
            send_bulk(self._session(reuse=False), self._url, headers, orders, self._retry)
        ) as results:
            async for result in results:
                yield result

    async def _do(self, call: Call[T]) -> T:
        attempts = Attempts(call, self._retry)
        while True:
            try:
                reply = await self._send(call, attempts.begin())
            except BROKEN as error:
                pause_s = attempts.pause_after_break(error, sent=not isinstance(error, NOT_SENT))
            else:
                if attempts.done(reply):
                    return attempts.result(reply)
                pause_s = attempts.pause_after(reply)
            await asyncio.sleep(pause_s)

    async def _send(self, call: Call[T], seconds: float) -> Reply:
        headers = self._identity.headers(call.method, call.target, call.body)
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        # What may be sent only once goes over a new connection: one that was idle may have ended unseen.
        async with self._session(reuse=call.repeatable).request(
            call.method,
            URL(self._url + call.target, encoded=True),
            data=call.body,
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=seconds),
            allow_redirects=False,
        ) as response:
            return Reply(
                response.status,
                await response.read(),
                response.headers.get("Idempotent-Replayed") == "true",
                response.headers.get("Retry-After"),
            )

    def _session(self, *, reuse: bool) -> aiohttp.ClientSession:
        if reuse not in self._sessions:
            connector = aiohttp.TCPConnector(limit=self._connections, force_close=not reuse)
            self._sessions[reuse] = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), middlewares=(_once,)
            )
        return self._sessions[reuse]
