"""A store of each test's own, to be broken."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from engine import Engine, Settings, open_engine
from engine.store import EmbeddedServer
from engine.store.binary import find_binary

RECOVERY_MS = 300


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[EmbeddedServer]:
    """A server that is started; whoever ends it starts it again."""
    one = EmbeddedServer(find_binary(), tmp_path / "store")
    await one.start()
    yield one
    await one.stop()


@pytest.fixture
async def engine(server: EmbeddedServer) -> AsyncIterator[Engine]:
    """An engine on it that does not wait for long."""
    async with open_engine(Settings(redis_url=server.url, store_recovery_ms=RECOVERY_MS)) as opened:
        yield opened


@pytest.fixture
async def client(server: EmbeddedServer) -> AsyncIterator[Redis]:
    """A plain client, to look and to break."""
    async with Redis.from_url(server.url) as one:
        yield one
