"""Registered followers: every event at least once, in order, whoever of their consumers dies."""

import asyncio
from collections import Counter

import pytest
from redis.asyncio import Redis

from engine import Engine
from engine.errors import EventsExpired, InvalidInput
from engine.feed.followers import ACKNOWLEDGED_MAX
from engine.model.event import Event
from tests.engine.feeds import busy_sale, levels, opened, quiet, read_all, sell, true_levels
from tests.engine.small_network import order, put_network, reserved

WAIT_S = 20.0


async def drain(engine: Engine, consumer: str, *, limit: int = 40, idle_ms: int = 60_000) -> list[Event]:
    """Read and acknowledge until there is nothing more for this consumer."""
    events: list[Event] = []
    while page := await engine.read_as("books", consumer, limit=limit, idle_ms=idle_ms):
        events += page
        assert await engine.acknowledge("books", [event.id for event in page]) == len(page)
    return events


@pytest.mark.parametrize("partitions", [1, 3])
async def test_a_follower_gets_every_event_once_and_in_order(empty_store_url: str, partitions: int) -> None:
    """One consumer that acknowledges what it has: its books are those of the store."""
    async with opened(empty_store_url, partitions) as engine:
        await engine.register_follower("books", from_start=True)
        sale = asyncio.create_task(busy_sale(engine))
        events: list[Event] = []
        while not sale.done():
            events += await drain(engine, "one", limit=7)
        await sale
        await quiet(engine)
        events += await drain(engine, "one", limit=7)
        assert levels(events) == await true_levels(engine)
        assert Counter(event.id for event in events) == Counter(event.id for event in await read_all(engine))
        for partition in range(partitions):
            numbers = [event.n for event in events if event.partition == partition]
            assert numbers == list(range(1, len(numbers) + 1))
        assert all(event.cursor is None for event in events)
        (follower,) = await engine.followers()
        assert (follower.unread, follower.pending, follower.behind_s) == (0, 0, 0)


@pytest.mark.parametrize("partitions", [1, 3])
async def test_what_a_consumer_that_died_was_given_goes_to_another(empty_store_url: str, partitions: int) -> None:
    """Not before its time is up; and then nothing is missing."""
    async with opened(empty_store_url, partitions) as engine:
        await engine.register_follower("books", from_start=True)
        for number in range(10):
            await sell(engine, 2, f"s{number}-")
        await quiet(engine)
        taken = await engine.read_as("books", "dies", limit=6)
        assert taken
        rest = await drain(engine, "lives")
        everything = {event.id for event in await read_all(engine)}
        assert {event.id for event in rest} == everything - {event.id for event in taken}
        assert (await engine.followers())[0].pending == len(taken)
        again: list[Event] = []
        async with asyncio.timeout(WAIT_S):
            while len(again) < len(taken):
                again += await drain(engine, "lives", idle_ms=20)
        assert sorted(event.id for event in again) == sorted(event.id for event in taken)
        assert (await engine.followers())[0].pending == 0


async def test_a_consumer_that_starts_again_begins_with_what_it_has_not_acknowledged(engine: Engine) -> None:
    """It may have died before or after it used them: only it can tell, so it gets them again, before any other."""
    await put_network(engine, {("x", "A"): 50})
    await engine.register_follower("books")
    for number in range(6):
        reserved(await engine.reserve(order(f"o{number}", ("x", 1))))
    first = await engine.read_as("books", "one", limit=4)
    assert await engine.read_as("books", "one", limit=4) == first
    assert await engine.acknowledge("books", [event.id for event in first[:3]]) == 3
    assert await engine.read_as("books", "one", limit=4) == first[3:]
    assert await engine.acknowledge("books", [event.id for event in first]) == 1
    assert [event.orders for event in await engine.read_as("books", "one")] == [("o4",), ("o5",)]


async def test_consumers_share_the_work(engine: Engine) -> None:
    """An event goes to one of them."""
    await put_network(engine, {("x", "A"): 100})
    await engine.register_follower("books")
    for number in range(40):
        reserved(await engine.reserve(order(f"o{number}", ("x", 1))))
    shares = await asyncio.gather(*(drain(engine, f"c{number}", limit=3) for number in range(4)))
    assert Counter(order_id for share in shares for event in share for order_id in event.orders) == Counter(
        f"o{number}" for number in range(40)
    )
    for share in shares:
        assert [event.n for event in share] == sorted(event.n for event in share)


async def test_a_follower_that_waits_hears_of_news_at_once(engine: Engine) -> None:
    """No connection of the store waits with it."""
    await put_network(engine, {("x", "A"): 5})
    await engine.register_follower("books")
    waiting = asyncio.create_task(engine.read_as("books", "one", wait_ms=30_000))
    await asyncio.sleep(0)
    reserved(await engine.reserve(order("one", ("x", 1))))
    (event,) = await asyncio.wait_for(waiting, 5)
    assert event.orders == ("one",)


async def test_a_follower_from_now_sees_nothing_of_before(engine: Engine) -> None:
    """One that begins with a copy of the stock must not add to it what is in it already."""
    await put_network(engine, {("x", "A"): 5})
    await engine.register_follower("books")
    assert await engine.read_as("books", "one") == ()
    (follower,) = await engine.followers()
    assert (follower.name, follower.consumers, follower.unread, follower.behind_s) == ("books", 1, 0, 0)


async def test_wrong_names_and_ids_are_refused(engine: Engine) -> None:
    """Each with its own word; and a name that is taken is not taken over."""
    await put_network(engine, {("x", "A"): 5})
    await engine.register_follower("books")
    for call, word in (
        (engine.register_follower("books"), "registered already"),
        (engine.register_follower("no spaces"), "letters"),
        (engine.register_follower("x" * 65), "letters"),
        (engine.remove_follower("none"), "no follower"),
        (engine.read_as("none", "one"), "no follower"),
        (engine.read_as("books", ""), "letters"),
        (engine.read_as("books", "one", limit=501), "must be 1"),
        (engine.acknowledge("books", ["0:1-1", "1:1-1"]), "no id"),
        (engine.acknowledge("books", ["0-1"]), "no id"),
        (engine.acknowledge("books", ["0:1-1"] * (ACKNOWLEDGED_MAX + 1)), "at the most"),
    ):
        with pytest.raises(InvalidInput, match=word):
            await call
    assert await engine.acknowledge("books", ["0:1-1"]) == 0
    assert await engine.acknowledge("none", ["0:1-1"]) == 0


async def test_followers_and_consumers_have_a_limit(engine: Engine) -> None:
    """Each costs the store something with every look."""
    await put_network(engine, {("x", "A"): 5})
    for number in range(32):
        await engine.register_follower(f"f{number}")
    with pytest.raises(InvalidInput, match="one too many"):
        await engine.register_follower("more")
    for number in range(256):
        await engine.read_as("f0", f"c{number}")
    with pytest.raises(InvalidInput, match="one too many"):
        await engine.read_as("f0", "more")
    assert await engine.read_as("f0", "c7") == ()


async def test_an_event_that_was_dropped_by_hand_is_told_to_the_follower_that_had_it(engine: Engine) -> None:
    """It would have waited for it for ever."""
    await put_network(engine, {("x", "A"): 5})
    await engine.register_follower("books", from_start=True)
    assert await engine.read_as("books", "one")
    async with Redis.from_url(engine.store.url) as client:
        await client.xtrim("stockade:{p0}:events", maxlen=0, approximate=False)
    with pytest.raises(EventsExpired, match="dropped"):
        await engine.read_as("books", "one")
