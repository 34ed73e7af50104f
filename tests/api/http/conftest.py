"""What the tests of the HTTP door share: both lanes to send bytes to, and that a refused request changed nothing."""

from collections.abc import AsyncIterator, Iterator

import pytest
import redis

from tests.api.http.raw import Doors, open_doors


@pytest.fixture
async def doors(empty_store_url: str) -> AsyncIterator[Doors]:
    """The product's door, and aiohttp alone, on one engine with stock of "x"."""
    async with open_doors(empty_store_url) as found:
        yield found


@pytest.fixture
def unchanged(live_store: "redis.Redis[bytes]") -> Iterator[None]:
    """Asserts that the store (stock, orders, catalogue, counters, events) is the same bytes after the test."""
    before = _contents(live_store)
    yield
    assert _contents(live_store) == before


def _contents(store: "redis.Redis[bytes]") -> dict[bytes, bytes | None]:
    return {key: store.dump(key) for key in store.scan_iter()}
