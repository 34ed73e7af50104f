"""The bytes of one connection: whether its next request is an order for the fast lane, and whom nobody waits for.

Plain orders are cut out here, one after the other; the first other request makes the connection aiohttp's, which gets
the bytes of that request from its first one on, so that it reads, serves or refuses it as if we were not here. We stay
in front to see what comes when: a client that is too slow is not waited for in either lane.
"""

import asyncio
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, cast

from api.http.fast.head import HEAD_BYTES_MAX, HEAD_END, ORDERS_LINE, Head
from api.http.fast.unsent import Unsent
from api.http.problems import Problem
from engine.model import limits

if TYPE_CHECKING:
    from api.http.fast.door import Door
    from api.http.reader import Reader

WAITING_BYTES_MAX = 256 * 1024
"""Bytes of later requests that are kept while one is answered; then the client is not read from."""


class Link(asyncio.Protocol, ABC):
    """A client's connection, as far as its bytes go. What becomes of an order, `_serve` says."""

    __slots__ = (
        "_arriving",
        "_busy",
        "_door",
        "_ended",
        "_fresh",
        "_full",
        "_head",
        "_held",
        "_inner",
        "_shut",
        "_since",
        "_size",
        "_transport",
        "_unsent",
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
        """Whether an order is being answered."""
        self._shut = False
        """Whether the service takes no more."""
        self._ended = False
        """Whether the client sends no more."""
        self._full = False
        """Whether the client does not take what it is sent."""
        self._unsent: Unsent | None = None
        """How much of that, when it last did not."""
        self._held = False
        """Whether we do not take what the client sends."""
        self._arriving = False
        """Whether the head of a request began to come for aiohttp's lane, and has not come in whole."""
        self._fresh = True
        """Whether nothing came yet."""
        self._since = door.now
        """When the first byte of the request came that has not come in whole; or else when the last one was served."""

    # What the transport calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none by inheritance.
        self._transport = cast("asyncio.Transport", transport)
        self._door.opened(self, self._transport)

    def take(self, transport: asyncio.Transport, data: bytes) -> None:
        """Serve the one request that begins with data, of a connection too many."""
        transport.set_protocol(self)
        self._transport, self._shut = transport, True
        self._door.let_in(self, transport)
        self.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        # An order under way goes on: whoever sends it again finds it.
        transport, self._transport = self._transport, None
        if transport is not None:
            self._door.closed(transport)
        if self._inner is not None:
            self._inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._inner is not None:
            self._pass_on(self._inner, data)
        elif self._busy or self._full:
            self._waiting += data
            if len(self._waiting) > WAITING_BYTES_MAX and not self._held and self._transport is not None:
                self._held = True
                self._transport.pause_reading()
        elif self._waiting:
            self._waiting += data
            self._receive()
        else:
            self._since, self._fresh = self._door.now, False
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
        if self._transport is not None:
            self._unsent = Unsent(self._transport, self._door.now)
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

    @abstractmethod
    def _serve(self, head: Head, body: bytes) -> None:
        """Have an order answered; `_busy` until it is."""

    def _next(self) -> None:
        """Go on with what came while the former request was answered."""
        if self._busy or self._full or self._transport is None or self._inner is not None:
            return
        if self._held and len(self._waiting) <= WAITING_BYTES_MAX // 2:
            self._held = False
            self._transport.resume_reading()
        before = len(self._waiting)
        if before:
            self._receive()
        # One that was served and answered at once has this called again.
        if self._ended and not self._busy and self._inner is None and len(self._waiting) == before:
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
        if self._shut:
            inner.end_soon()
        inner.connection_made(self._transport)
        if self._full:
            inner.pause_writing()
        self._pass_on(inner, data)
        if self._ended and not inner.eof_received():
            self._transport.close()

    def _pass_on(self, inner: "Reader", data: bytes) -> None:
        """Have aiohttp read, and note whether that begins a request."""
        heads, between = inner.heads, inner.between
        inner.data_received(data)
        if inner.heads > heads:
            self._arriving = False
        elif between and not self._arriving:
            self._arriving, self._since = True, self._door.now

    # The door's house-keeping

    def overdue(self, now: float, *, request_read_s: float, keepalive_s: float) -> bool:
        """Whether the rest of a request, the next one, or room for an answer has been waited for long enough."""
        if self._full and self._unsent is not None and self._unsent.stuck(now):
            return True
        if self._inner is not None:
            return self._arriving and now - self._since > request_read_s
        if self._busy:
            return False
        return now - self._since > (request_read_s if self._waiting or self._fresh else keepalive_s)

    @property
    def served_here(self) -> bool:
        """Whether an order is under way in the fast lane."""
        return self._busy and self._inner is None

    @property
    def arrives(self) -> bool:
        """Whether a request has begun to come that nobody answers yet, and those before it have their answers."""
        if self._full or self._busy:
            return False
        if self._inner is not None:
            return self._arriving and not self._inner.under_way
        return bool(self._waiting)

    @property
    def idle(self) -> bool:
        """Whether nothing has come that has no answer yet, in either lane."""
        return not (self._busy or self.arrives or (self._inner is not None and self._inner.under_way))

    @abstractmethod
    def refuse(self, problem: Problem) -> None:
        """Tell the client of the request that `arrives`, and end the connection."""

    def close(self) -> None:
        """Take no more; what has begun to come, or is being answered, gets its answer first."""
        self._shut = True
        if self._inner is not None:
            self._inner.end_soon()
        if self._transport is not None and self.idle:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()
