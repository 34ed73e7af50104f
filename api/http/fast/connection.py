"""One connection: plain orders are served here, one after the other; the first other request makes it aiohttp's.

aiohttp gets the bytes of that request from its first one on, so that it reads, serves or refuses it as if we were not
here. We stay in front to see what comes when: a client that is too slow is not waited for in either lane.
"""

import asyncio
from collections.abc import Mapping
from functools import partial
from time import perf_counter
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from api.http.answer import Answer
from api.http.fast.head import HEAD_BYTES_MAX, HEAD_END, ORDERS_LINE, Head
from api.http.guard import problem_of
from api.http.orders import order_answer, read_order, take_order, turned_away
from api.http.outcome import outcome_of
from api.http.problems import TITLES, Problem
from api.http.request_id import request_id_of
from api.http.scope import Scope
from api.http.timeout import HEADER as TIMEOUT_HEADER
from api.http.timeout import read_timeout
from api.idempotency import of_caller, read_key, told_of_key
from api.metrics.counts import ORDERS_ROUTE
from engine.intake import Outcome
from engine.model import limits

if TYPE_CHECKING:
    from api.http.fast.door import Door
    from api.http.reader import Reader

WAITING_BYTES_MAX = 256 * 1024
"""Bytes of later requests that are kept while one is answered; then the client is not read from."""
ORDERS_PATH = "/v1/orders"
TIMEOUT = TIMEOUT_HEADER.lower()
WRITE_WAIT_S = 30.0
"""How long a client is waited for that takes nothing of what it is sent."""
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Connection(asyncio.Protocol):
    """A client's connection, in the one lane or the other."""

    __slots__ = (
        "_arriving",
        "_began",
        "_busy",
        "_door",
        "_ended",
        "_full",
        "_head",
        "_headers",
        "_held",
        "_inner",
        "_order_id",
        "_request_id",
        "_requests",
        "_shut",
        "_since",
        "_size",
        "_transport",
        "_under_key",
        "_unsent",
        "_unsent_since",
        "_waiting",
    )

    def __init__(self, door: "Door") -> None:
        self._door = door
        self._transport: asyncio.Transport | None = None
        self._inner: Reader | None = None
        self._waiting = bytearray()
        """What came and is not served."""
        self._size = 0
        """Bytes of the request that is being received, once its head has come."""
        self._head: Head | None = None
        self._busy = False
        self._shut = False
        """Whether the service takes no more."""
        self._ended = False
        """Whether the client sends no more."""
        self._full = False
        """Whether the client does not take what it is sent."""
        self._unsent = 0
        """Bytes that it had not taken at the last sweep, if so."""
        self._unsent_since = 0.0
        """When those became fewer the last time."""
        self._order_id = ""
        self._under_key = False
        """Whether the id is that of an `Idempotency-Key`."""
        self._request_id = ""
        self._headers = NO_HEADERS
        self._began = 0.0
        """When the request that is being answered had come in."""
        self._held = False
        """Whether we do not take what the client sends."""
        self._requests = 0
        """Requests of aiohttp's lane that are being served."""
        self._arriving = False
        """Whether something came since for aiohttp's lane, and no request began."""
        self._since = door.now
        """When the first byte of the request came that has not come in whole; or else when the last one was served."""

    # What the transport calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none by inheritance.
        self._transport = cast("asyncio.Transport", transport)
        if not self._door.opened(self, self._transport):
            self._transport.write(self._door.full_house)
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        # An order under way goes on: whoever sends it again finds it.
        transport, self._transport = self._transport, None
        if transport is not None:
            self._door.closed(transport)
        if self._inner is not None:
            self._inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._inner is not None:
            if self._requests == 0 and not self._arriving:
                self._arriving, self._since = True, self._door.now
            self._inner.data_received(data)
        elif self._busy or self._full:
            self._waiting += data
            if len(self._waiting) > WAITING_BYTES_MAX and not self._held and self._transport is not None:
                self._held = True
                self._transport.pause_reading()
        elif self._waiting:
            self._waiting += data
            self._receive()
        else:
            self._since = self._door.now
            self._read(data)

    def eof_received(self) -> bool | None:
        # It may still read: what it asked is answered.
        self._ended = True
        if self._inner is not None:
            return self._inner.eof_received()
        self._next()
        return self._transport is not None and not self._transport.is_closing()

    def pause_writing(self) -> None:
        self._full = True
        self._unsent, self._unsent_since = 0, self._door.now
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._full = False
        self._since = self._door.now
        if self._inner is not None:
            self._inner.resume_writing()
        elif not self._busy:
            self._next()

    # The fast lane

    def _read(self, data: bytes) -> None:
        """Serve the request that data is, or keep what has come."""
        end = data.find(HEAD_END, 0, HEAD_BYTES_MAX) + len(HEAD_END)
        if end >= len(HEAD_END):
            head = self._door.heads.read(data[:end])
            if head is not None and len(data) == end + head.content_length <= limits.ORDER_BYTES_MAX:
                self._serve(head, data[end:])
                return
        self._waiting += data
        self._receive()

    def _receive(self) -> None:
        """Serve the request at the front of what has come, or leave it to aiohttp, as soon as that can be said."""
        waiting = self._waiting
        if self._head is None:
            end = waiting.find(HEAD_END, 0, HEAD_BYTES_MAX)
            if end < 0:
                # As long as it may become an order of ours.
                if len(waiting) >= HEAD_BYTES_MAX or not (
                    waiting.startswith(ORDERS_LINE) or ORDERS_LINE.startswith(waiting)
                ):
                    self._hand_over()
                return
            end += len(HEAD_END)
            head = self._door.heads.read(bytes(waiting[:end]))
            if head is None or head.content_length > limits.ORDER_BYTES_MAX:
                self._hand_over()
                return
            self._head, self._size = head, end + head.content_length
        if len(waiting) >= self._size:
            head, self._head = self._head, None
            body = bytes(waiting[self._size - head.content_length : self._size])
            del waiting[: self._size]
            self._serve(head, body)

    def _serve(self, head: Head, body: bytes) -> None:
        self._busy = True
        self._began = perf_counter()
        self._headers = head.headers
        self._request_id = request_id_of(head.headers.get("x-request-id"))
        try:
            principal = self._door.gate.check(Scope.ORDERS, "POST", ORDERS_PATH, head.headers, body)
            if isinstance(principal, Problem):
                if principal.type == "rate-limited":
                    self._door.refusals.tell(partial(self._answer, principal))
                else:
                    self._answer(principal)
                return
            # One that came twice is aiohttp's.
            given = head.headers.get("idempotency-key")
            key = None if given is None else of_caller(read_key(given), principal)
            if isinstance(key, Problem):
                self._answer(key)
                return
            timeout_s = read_timeout(head.headers.get(TIMEOUT))
            if isinstance(timeout_s, Problem):
                self._answer(timeout_s)
                return
            engine, source = self._door.engine, principal.source
            deadline_s = None if timeout_s is None else self._door.loop.time() + timeout_s
            # Before it is read: a refusal has to cost little.
            if (refused := engine.turned_away(source, deadline_s=deadline_s)) is not None:
                self._door.refusals.tell(partial(self._answer, turned_away(refused)))
                return
            order = read_order(body, principal, key)
            if isinstance(order, Problem):
                self._answer(order)
                return
            if key is None or key == order.order_id:
                self._order_id, self._under_key = order.order_id, key is not None
                engine.submit(order, source=source, deadline_s=deadline_s).add_done_callback(self._settled)
            else:
                self._door.start(take_order(engine, order, principal, key, deadline_s), self._taken)
        except Exception as error:
            self._answer(problem_of(error, path=ORDERS_PATH, request_id=self._request_id))

    def _settled(self, outcome: asyncio.Future[Outcome]) -> None:
        try:
            answered = order_answer(self._order_id, outcome.result())
            if self._under_key:
                answered = told_of_key(answered, "order-conflict")
        except Exception as error:
            answered = problem_of(error, path=ORDERS_PATH, request_id=self._request_id)
        self._answer(answered)

    def _taken(self, task: asyncio.Task[Answer | Problem]) -> None:
        """Of an order with a key beside its id."""
        if task.cancelled():
            self.abort()
            return
        try:
            answered = task.result()
        except Exception as error:
            answered = problem_of(error, path=ORDERS_PATH, request_id=self._request_id)
        self._answer(answered)

    def _answer(self, answered: Answer | Problem) -> None:
        transport = self._transport
        self._busy = False
        # Also where the client hung up: what became of its order counts.
        self._door.observe(
            ORDERS_ROUTE,
            TITLES[answered.type][0] if isinstance(answered, Problem) else answered.status,
            outcome_of(answered, ORDERS_ROUTE),
            perf_counter() - self._began,
            self._request_id,
            self._headers,
        )
        if transport is None:
            return
        replies, request_id = self._door.replies, self._request_id
        last = self._shut or (self._ended and not self._waiting)
        if isinstance(answered, Problem):
            transport.write(replies.encode_problem(answered, request_id, close=last))
        else:
            transport.write(replies.encode(answered, request_id, close=last))
        if last:
            transport.close()
            return
        self._since = self._door.now
        if self._waiting and not self._full:
            self._door.loop.call_soon(self._next)

    def _next(self) -> None:
        """Go on with what came while the former request was answered."""
        if self._busy or self._full or self._transport is None or self._inner is not None:
            return
        if self._held and len(self._waiting) <= WAITING_BYTES_MAX // 2:
            self._held = False
            self._transport.resume_reading()
        if self._waiting:
            self._receive()
        if self._ended and not self._busy and self._inner is None:
            # What is left, if anything, is no whole request.
            self._transport.close()

    # aiohttp's lane

    def _hand_over(self) -> None:
        assert self._transport is not None
        if self._held:
            self._held = False
            self._transport.resume_reading()
        data = bytes(self._waiting)
        self._waiting.clear()
        self._inner = inner = self._door.aiohttp()
        self._arriving = True
        inner.connection_made(self._transport)
        if self._full:
            inner.pause_writing()
        inner.data_received(data)
        if self._ended and not inner.eof_received():
            self._transport.close()

    def began(self) -> None:
        """A request of aiohttp's lane has its head, and goes to its handler."""
        self._requests += 1
        self._arriving = False

    def ended(self) -> None:
        """A request of aiohttp's lane has its answer."""
        self._requests -= 1
        self._since = self._door.now

    # The door's house-keeping

    def overdue(self, now: float, *, request_read_s: float, keepalive_s: float) -> bool:
        """Whether the rest of a request, the next one, or room for an answer has been waited for long enough."""
        if self._full and self._stuck(now):
            return True
        if self._inner is not None:
            return self._arriving and now - self._since > request_read_s
        if self._busy:
            return False
        return now - self._since > (request_read_s if self._waiting else keepalive_s)

    def _stuck(self, now: float) -> bool:
        """Whether the client has taken nothing for WRITE_WAIT_S."""
        assert self._transport is not None, "a connection that is lost is not swept"
        unsent = self._transport.get_write_buffer_size()
        if unsent < self._unsent:
            self._unsent_since = now
        self._unsent = unsent
        return now - self._unsent_since > WRITE_WAIT_S

    @property
    def served_here(self) -> bool:
        """Whether an order is under way in the fast lane."""
        return self._busy and self._inner is None

    def close(self) -> None:
        """Take no more; what is being answered gets its answer first."""
        self._shut = True
        if self._inner is None and not self._busy and self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()
