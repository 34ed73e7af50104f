"""Keys of requests in the store: each is of one content for as long as one of its requests was not refused."""

import pytest
from redis.asyncio import Redis

from engine import Bound, Engine

A, B = b"one content", b"another"


async def test_a_key_is_of_the_content_that_came_first(engine: Engine) -> None:
    """Whoever comes with the same is told so, whoever comes with another one, too."""
    assert [await engine.bind_key("k", content) for content in (A, A, B)] == [Bound.NOW, Bound.BEFORE, Bound.OTHER]
    assert await engine.bind_key("another key", B) is Bound.NOW


@pytest.mark.parametrize("twins", [1, 2, 5])
async def test_a_key_is_free_once_all_that_came_with_it_were_refused(engine: Engine, twins: int) -> None:
    """Not before: a twin may still be done."""
    for _ in range(twins):
        await engine.bind_key("k", A)
    for _ in range(twins):
        assert await engine.bind_key("k", B) is Bound.OTHER
        await engine.release_key("k", A)
    assert await engine.bind_key("k", B) is Bound.NOW


async def test_a_key_whose_twin_was_done_stays_its_contents(engine: Engine) -> None:
    """However often others with it are refused, the first of them or a later one."""
    for _ in range(2):
        await engine.bind_key("k", A)
    await engine.release_key("k", A)
    for _ in range(3):
        await engine.bind_key("k", A)
        await engine.release_key("k", A)
    assert await engine.bind_key("k", B) is Bound.OTHER


async def test_another_content_gives_up_nothing(engine: Engine) -> None:
    """Nor does a key that is not there."""
    await engine.bind_key("k", A)
    await engine.release_key("k", B)
    await engine.release_key("none", B)
    assert [await engine.bind_key(name, B) for name in ("k", "none")] == [Bound.OTHER, Bound.NOW]


async def test_a_key_is_kept_for_its_time_however_often_it_comes(engine: Engine, empty_store_url: str) -> None:
    """A client that repeats itself for ever must not keep it for ever."""
    for kept_s in (100, 500):
        await engine.store.request_keys.bind("k", A, kept_s=kept_s)
    await engine.release_key("k", A)
    async with Redis.from_url(empty_store_url) as client:
        (key,) = [key async for key in client.scan_iter("*:request:*")]
        assert 0 < await client.ttl(key) <= 100
