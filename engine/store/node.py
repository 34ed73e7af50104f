"""One server: its connections by lane, the function library in it, and commands sent to it. Knows no other server."""

import contextlib
import socket
from collections.abc import Sequence
from enum import Enum
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.connection import HiredisRespSerializer
from redis.exceptions import ResponseError

from engine.errors import FieldError, InvalidInput
from engine.store.endpoints import address_of
from engine.store.library import ensure_library

SALE_CONNECTIONS = 4
READERS_MAX = 16
"""Connections for everything but commits and the feed; who finds none free waits, as long as a call may take."""

SEND_BYTES = 2 * 1024 * 1024
"""What a local socket may hold on its way: a batch in bulk as a whole, so that the store can work on it while this
process plans the next one, and need not come back to write the rest. The system's net.core.wmem_max may be lower."""

_serializer = HiredisRespSerializer()

FEED_BLOCK_MS_MAX = 1_000
"""The longest wait for news that may be asked for; a read of the streams has it on top of a call's own time."""


class Lane(Enum):
    """Whose connections a call takes. What the sale waits for shares its own with no reader: however many ask."""

    SALE = "sale"
    READ = "read"
    FEED = "feed"


class Node:
    """A server and the connections to it, made as they are needed. `name` is what messages call it."""

    def __init__(self, url: str, *, timeout_s: float, replica_wait_s: float) -> None:
        """`replica_wait_s` is what a call on the SALE lane may take longer than others."""
        self.calls = 0
        """Calls under way."""
        self._clients = {
            Lane.SALE: _client(url, timeout_s + replica_wait_s, connections_max=SALE_CONNECTIONS),
            Lane.READ: _client(url, timeout_s, connections_max=READERS_MAX),
            Lane.FEED: _client(url, timeout_s + FEED_BLOCK_MS_MAX / 1000, connections_max=READERS_MAX),
        }
        self._has_library = False
        # After the clients, which refuse what is no address.
        self.host, port = address_of(url)
        self.name = f"{self.host}:{port}"

    async def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            await client.aclose()

    def client(self, lane: Lane) -> Redis:
        """The client of a lane, for what is asked of this very server."""
        return self._clients[lane]

    async def load_library(self, *, anew: bool = False) -> None:
        """Load the function library where this process has not seen it yet, or `anew` where it went missing."""
        if anew or not self._has_library:
            await ensure_library(self._clients[Lane.SALE])
            self._has_library = True

    def forget_library(self) -> None:
        """Have the library looked for again before the next call of a function."""
        self._has_library = False

    async def send(self, commands: Sequence[Sequence[Any]], lane: Lane) -> list[Any]:
        """Send commands in one round trip and over one connection; the replies, those that are errors as values.

        Raises RedisError where the connection breaks: then nobody knows which of them were done.
        """
        client = self._clients[lane]
        self.calls += 1
        try:
            if len(commands) == 1:
                try:
                    return [await client.execute_command(*commands[0])]
                except ResponseError as error:
                    return [error]
            async with client.pipeline(transaction=False) as pipe:
                for command in commands:
                    pipe.execute_command(*command)
                return await pipe.execute(raise_on_error=False)
        finally:
            self.calls -= 1


def _client(url: str, timeout_s: float, *, connections_max: int) -> Redis:
    try:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=connections_max,
            timeout=timeout_s,
            protocol=2,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            redis_connect_func=_connected,
            # No retry below us: whether a commit may be sent again is the intake's to decide.
            retry=Retry(NoBackoff(), 0),
            decode_responses=False,
        )
    except ValueError as error:
        message = f"is no address of a store ({error}); give redis://HOST:PORT/0, rediss://... or unix:///PATH"
        raise InvalidInput((FieldError("REDIS_URL", message),)) from None
    pool.connection_class = _PACKING[pool.connection_class]
    client = Redis.from_pool(pool)
    # The library looks for the fields of messages even where JUSTID leaves them out.
    client.set_response_callback("XCLAIM", _as_it_came)
    return client


async def _connected(connection: AbstractConnection) -> None:
    """Ready a connection. The system sizes those of TCP by itself, and local ones not at all."""
    if isinstance(connection, UnixDomainSocketConnection) and (writer := connection._writer) is not None:
        with contextlib.suppress(OSError):
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)
    await connection.on_connect()


class _Packing:
    """Writes commands in C, as the library's threaded connections do and its asynchronous ones do not."""

    def pack_command(self, *args: Any) -> list[bytes]:
        """The command, as it is sent."""
        packed: list[bytes] = _serializer.pack(*args)
        return packed


class _Tcp(_Packing, Connection):
    pass


class _Tls(_Packing, SSLConnection):
    pass


class _Local(_Packing, UnixDomainSocketConnection):
    pass


_PACKING: dict[type[AbstractConnection], type[AbstractConnection]] = {
    Connection: _Tcp,
    SSLConnection: _Tls,
    UnixDomainSocketConnection: _Local,
}


def _as_it_came(response: Any, **_: Any) -> Any:
    return response
