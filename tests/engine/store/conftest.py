"""A plain store and a plain client, each on an empty server."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from engine.store import Store
from tests.engine.store.by_hand import opened


@pytest.fixture
async def store(empty_store_url: str) -> AsyncIterator[Store]:
    """A store with nothing in it."""
    async with opened(empty_store_url) as one:
        yield one


@pytest.fixture
async def client(store: Store) -> AsyncIterator[Redis]:
    """A plain client, to look and to break."""
    async with Redis.from_url(store.url) as one:
        yield one
