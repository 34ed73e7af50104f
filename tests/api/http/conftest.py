"""What the tests of the HTTP door prove again and again: a refused request has changed nothing."""

from collections.abc import Iterator

import pytest
import redis


@pytest.fixture
def unchanged(live_store: "redis.Redis[bytes]") -> Iterator[None]:
    """Asserts that the store (stock, orders, catalogue, counters, events) is the same bytes after the test."""
    before = _contents(live_store)
    yield
    assert _contents(live_store) == before


def _contents(store: "redis.Redis[bytes]") -> dict[bytes, bytes | None]:
    return {key: store.dump(key) for key in store.scan_iter()}
