"""The connections to the store, and one call over them. Knows no keys.

Raises StoreUnavailable when the outcome is not known (the connection broke), StoreRefused when certainly nothing was
done, StoreChanged when the store behind the address is another than the one that was opened.
"""

from enum import Enum
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError

from engine.errors import FieldError, InvalidInput
from engine.store.durability import StoreDescription, describe_store
from engine.store.errors import store_errors
from engine.store.library import ensure_library, is_missing_function

SALE_CONNECTIONS = 4
READERS_MAX = 16
"""Connections for everything but commits and the feed; who finds none free waits, as long as a call may take."""

FEED_BLOCK_MS_MAX = 1_000
"""The longest wait for news that may be asked for; a read of the streams has it on top of a call's own time."""


class Lane(Enum):
    """Whose connections a call takes. What the sale waits for shares its own with no reader: however many ask."""

    SALE = "sale"
    READ = "read"
    FEED = "feed"


class Wire:
    """Connections to one store."""

    def __init__(self, url: str, *, timeout_s: float) -> None:
        self.url = url
        self._timeout_s = timeout_s
        self._clients = {
            Lane.SALE: _client(url, timeout_s, connections_max=SALE_CONNECTIONS),
            Lane.READ: _client(url, timeout_s, connections_max=READERS_MAX),
            Lane.FEED: _client(url, timeout_s + FEED_BLOCK_MS_MAX / 1000, connections_max=READERS_MAX),
        }

    async def open(self) -> None:
        """Check the store and load the function library."""
        with store_errors():
            client = self._clients[Lane.SALE]
            await describe_store(client)
            await ensure_library(client)

    async def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            await client.aclose()

    async def describe(self) -> StoreDescription:
        """What the store is and promises."""
        with store_errors():
            return await describe_store(self._clients[Lane.READ])

    async def ping(self) -> None:
        """Return when the store answers."""
        await self.command("PING", lane=Lane.SALE)

    async def call(self, function: str, keys: tuple[str, ...], args: tuple[Any, ...], *, lane: Lane) -> Any:
        """Call a function of the library."""
        client = self._clients[lane]
        command = ("FCALL", function, len(keys), *keys, *args)
        with store_errors():
            try:
                return await client.execute_command(*command)
            except ResponseError as error:
                if not is_missing_function(error):
                    raise
                # Somebody flushed the functions: nothing was done, so load them and call again.
                await ensure_library(client)
                return await client.execute_command(*command)

    async def command(self, *command: Any, lane: Lane = Lane.READ) -> Any:
        """One command of the store's own, on one key."""
        with store_errors():
            return await self._clients[lane].execute_command(*command)


def _client(url: str, timeout_s: float, *, connections_max: int) -> Redis:
    try:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=connections_max,
            timeout=timeout_s,
            protocol=2,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            # No retry below us: whether a commit may be sent again is the intake's to decide.
            retry=Retry(NoBackoff(), 0),
            decode_responses=False,
        )
    except ValueError as error:
        message = f"is no address of a store ({error}); give redis://HOST:PORT/0, rediss://... or unix:///PATH"
        raise InvalidInput((FieldError("REDIS_URL", message),)) from None
    return Redis.from_pool(pool)
