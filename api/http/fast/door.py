"""Listens, and keeps all connections: how many there are, which are overdue, and how they end with the service."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Coroutine, Sequence
from math import ceil
from typing import TYPE_CHECKING, Any

from api.http.access.gate import Gate
from api.http.answer import Answer
from api.http.fast.beyond import BEYOND_MAX, Beyond
from api.http.fast.connection import Connection
from api.http.fast.head import Heads
from api.http.fast.link import Link
from api.http.fast.refusals import Refusals
from api.http.fast.reply import Replies
from api.http.problems import STOPPING, TOO_SLOW, Problem
from api.http.request_id import request_id_of
from api.watch import Watch
from engine import Engine
from engine.intake.patience import RETRY_S_MAX

if TYPE_CHECKING:
    from api.http.reader import Reader

BACKLOG = 1_024
"""Connections that the kernel holds for us while we are busy."""
KEEPALIVE_S = 75.0
SWEEP_S = 1.0
LET_IN_S = 0.02
GIVE_UP_S = 3.0
"""How long who was given up is waited for: a body in bulk that is cut off lingers for 2 s (api/http/reader.py)."""
CLOSED_SWEEPS = 8
"""How fast connections end is smoothed over so many sweeps."""


class Door:
    """The connections of one service."""

    def __init__(
        self,
        engine: Engine,
        gate: Gate,
        watch: Watch,
        aiohttp: "Callable[[], Reader]",
        *,
        connections_max: int,
        request_read_s: float,
    ) -> None:
        """`watch` is told of every request; `aiohttp` makes the protocol that serves what the fast lane does not."""
        self.engine = engine
        self.gate = gate
        self.observe = watch.observe
        self.aiohttp = aiohttp
        self.heads = Heads()
        self.replies = Replies()
        self.refusals = Refusals(lambda: engine.intake.patience.served)
        self.loop = asyncio.get_running_loop()
        self.now = self.loop.time()
        """Of the last sweep: up to SWEEP_S ago."""
        self.refused = 0
        """Connections too many."""
        self.timed_out = 0
        """Connections that were closed as their client was too slow, or sent nothing for long."""
        self._connections: dict[asyncio.Transport, Link] = {}
        self.beyond: set[Beyond] = set()
        """Connections too many that may ask how the service is."""
        self._tasks: set[asyncio.Task[Answer | Problem]] = set()
        """Orders with an `Idempotency-Key` of its own; the loop itself would forget them."""
        self._closed = 0
        """Connections since the last sweep, and a second, smoothed."""
        self._closed_per_s = 0.0
        self._refused_before = 0
        """Of `refused`, those before the last sweep."""
        self._connections_max = connections_max
        self._request_read_s = request_read_s
        self._servers: list[asyncio.Server] = []
        self._covered: dict[int, list[asyncio.Server]] = {}
        """Of other workers' places, which we serve, too, for the time being."""
        self._listens = False
        self._sweeper: asyncio.TimerHandle | None = None
        self._stopping = False
        self._drained = asyncio.Event()
        """Set when it stops, and the last connection has ended."""

    async def open(self, host: str, port: int, sockets: Sequence[socket.socket] = ()) -> tuple[str, int]:
        """Listen on `sockets` that are bound already, else on an address of our own; returns the (first) address.

        Raises OSError when it cannot be had.
        """
        for bound in sockets:
            self._servers.append(await self.loop.create_server(lambda: Connection(self), sock=bound, backlog=BACKLOG))
        if not sockets:
            self._servers.append(await self.loop.create_server(lambda: Connection(self), host, port, backlog=BACKLOG))
        self._listens = True
        self._sweep()
        address: tuple[str, int] = self._servers[0].sockets[0].getsockname()[:2]
        return address

    async def cover(self, place: int, sockets: Sequence[socket.socket]) -> None:
        """Take connections by another worker's sockets, too, until `release`."""
        for bound in sockets:
            server = await self.loop.create_server(lambda: Connection(self), sock=bound, backlog=BACKLOG)
            if self._listens:
                self._covered.setdefault(place, []).append(server)
            else:
                server.close()

    def release(self, place: int) -> None:
        """Leave that worker's sockets to itself; the connections that came by them stay."""
        for server in self._covered.pop(place, ()):
            server.close()

    async def drain(self, drain_s: float) -> None:
        """Take no more connections; return when all have ended, with the answer to what had begun, or in `drain_s`."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        self._listens = False
        for place in list(self._covered):
            self.release(place)
        for server in self._servers:
            server.close()
        # What the kernel has for us already is let in first, and read.
        await asyncio.sleep(LET_IN_S)
        for connection in list(self._connections.values()):
            connection.close()
        for beyond in list(self.beyond):
            beyond.turn_away()
        self._stopping = True
        self.refusals.release()
        await self._until_drained(drain_s)

    async def give_up(self) -> None:
        """Wait for no request that has not come in whole: its client is told so, which is waited for shortly."""
        for connection in list(self._connections.values()):
            if connection.arrives:
                connection.refuse(STOPPING)
        await self._until_drained(GIVE_UP_S)

    async def _until_drained(self, wait_s: float) -> None:
        if self._connections:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._drained.wait(), wait_s)

    def opened(self, connection: Link, transport: asyncio.Transport) -> None:
        """Count a connection in; if there are too many, it is asked for no more than how the service is."""
        if len(self._connections) < self._connections_max:
            self._connections[transport] = connection
            return
        if len(self._connections) + len(self.beyond) < self._connections_max + BEYOND_MAX:
            transport.set_protocol(Beyond(self, transport))
        else:
            self.turn_away(transport)

    def let_in(self, connection: Link, transport: asyncio.Transport) -> None:
        """Count a connection in that is one too many, for the one request that it has."""
        self._connections[transport] = connection

    def turn_away(self, transport: asyncio.Transport) -> None:
        """Tell a connection too many to come back, and end it."""
        self.refused += 1
        transport.write(self._full_house)
        transport.close()

    def closed(self, transport: asyncio.Transport) -> None:
        """Count a connection out."""
        if self._connections.pop(transport, None) is not None:
            self._closed += 1
        if self._stopping and not self._connections:
            self._drained.set()

    def start(
        self, work: Coroutine[Any, Any, Answer | Problem], done: Callable[[asyncio.Task[Answer | Problem]], None]
    ) -> None:
        """Have an order's work done that is more than to submit it."""
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(done)

    @property
    def connections(self) -> int:
        """Those that are open."""
        return len(self._connections)

    @property
    def under_way(self) -> int:
        """Orders of the fast lane that have no answer yet."""
        return sum(connection.served_here for connection in self._connections.values())

    @property
    def _full_house(self) -> bytes:
        """What a connection too many is told."""
        detail = f"{self._connections_max} connections are open. Keep yours open between requests, or come back."
        request_id = request_id_of(None)
        problem = Problem("overloaded", detail, retry_after_s=self._place_after_s())
        return self.replies.encode_problem(problem, request_id, close=True)

    def _place_after_s(self) -> int:
        """When those that were sent away lately may have a place, as fast as connections end now."""
        # Before any did: as if all were idle.
        closed_per_s = self._closed_per_s or self._connections_max / KEEPALIVE_S
        return min(RETRY_S_MAX, max(1, ceil((self.refused - self._refused_before) / closed_per_s)))

    def _sweep(self) -> None:
        self.now = self.loop.time()
        # What was noted since the last sweep bears its time.
        surely = self.now - SWEEP_S
        for connection in list(self._connections.values()):
            if connection.overdue(surely, request_read_s=self._request_read_s, keepalive_s=KEEPALIVE_S):
                self.timed_out += 1
                if connection.arrives:
                    connection.refuse(TOO_SLOW)
                else:
                    connection.abort()
        self._closed_per_s += (self._closed / SWEEP_S - self._closed_per_s) / CLOSED_SWEEPS
        self._closed, self._refused_before = 0, self.refused
        self._sweeper = self.loop.call_later(SWEEP_S, self._sweep)
