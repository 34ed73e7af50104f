"""The event feed by cursor: complete, in order, resumable anywhere, and never with a gap that nobody is told of."""

import asyncio
import base64
from collections import Counter

import pytest
from redis.asyncio import Redis

from engine import Engine, Settings, open_engine
from engine.errors import EventsExpired, InvalidInput
from engine.model import Sku, StockCount
from engine.model.event import Event
from engine.tasks import end_task
from tests.engine.feeds import busy_sale, count, levels, opened, quiet, read_all, sell, step, true_levels
from tests.engine.small_network import another, order, put_network, put_stock, reserved

WAIT_S = 20.0


def assert_in_order(events: list[Event]) -> None:
    """Numbers of each partition without a gap."""
    for partition in {event.partition for event in events}:
        numbers = [event.n for event in events if event.partition == partition]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


@pytest.mark.parametrize("partitions", [1, 3])
async def test_levels_rebuilt_from_the_feed_alone_are_true(empty_store_url: str, partitions: int) -> None:
    """Whoever keeps books of their own has nothing else; also while the sale runs."""
    async with opened(empty_store_url, partitions) as engine:
        followed: list[Event] = []

        async def follow() -> None:
            async for event in engine.follow_events():
                followed.append(event)

        follower = asyncio.create_task(follow())
        taken = await busy_sale(engine)
        await quiet(engine)
        read = await read_all(engine)
        async with asyncio.timeout(WAIT_S):
            while len(followed) < len(read):
                await asyncio.sleep(0.01)
        await end_task(follower)
        assert levels(read) == levels(followed) == await true_levels(engine)
        assert {event.id for event in read} == {event.id for event in followed}
        for events in (read, followed):
            assert_in_order(events)
            assert [event.n for event in events if event.n == 1] == [1] * partitions
        decided = Counter(order_id for event in read if event.type == "commit" for order_id in event.orders)
        assert decided == Counter(taken)
        assert {event.type for event in read} >= {"commit", "count", "cancel", "ship", "extend", "expire"}
        assert ({event.type for event in read} >= {"prepare", "seal", "follow"}) is (partitions > 1)
        assert all(event.at.tzinfo is not None for event in read)


@pytest.mark.parametrize("partitions", [1, 3])
async def test_every_cursor_leads_to_all_that_came_after_it(empty_store_url: str, partitions: int) -> None:
    """A follower may die anywhere; it goes on with what it noted last, without loss and without repetition."""
    async with opened(empty_store_url, partitions) as engine:
        for number in range(12):
            await sell(engine, 2, f"s{number}-")
        await quiet(engine)
        events = await read_all(engine)
        assert len(events) > 12
        for place, event in enumerate(events):
            rest = await read_all(engine, event.cursor, limit=7)
            assert sorted(one.id for one in rest) == sorted(one.id for one in events[place + 1 :])
            assert_in_order(rest)
        assert [one.id for one in await read_all(engine, limit=1)] == [one.id for one in events]


async def test_an_order_of_a_batch_that_was_not_taken_is_in_no_event(engine: Engine) -> None:
    """The batch's event names all that it weighed; what people read names those that it took."""
    await put_network(engine, {("x", "A"): 5})
    outcomes = await asyncio.gather(*(engine.reserve(order(f"o{number}", ("x", 2))) for number in range(4)))
    won = [f"o{number}" for number, outcome in enumerate(outcomes) if hasattr(outcome, "json")]
    events = await read_all(engine)
    assert [order_id for event in events for order_id in event.orders] == won
    assert len(won) == 2
    assert levels(events)["x", "A"] == (1, 5)


async def test_an_event_tells_names_units_and_transition(engine: Engine) -> None:
    """In words that need no look at the store."""
    await put_network(engine, {("y", "B"): 5})
    allocation = reserved(await engine.reserve(order("one", ("y", 2)))).allocation
    assert allocation.shipments[0].warehouse == "B"
    await step(engine, "ship", "one", [])
    counted, sold, shipped = await read_all(engine)
    assert [(row.sku, row.warehouse, row.channel, row.taken, row.on_hand_change) for row in counted.cells] == [
        ("y", "B", None, -5, 5)
    ]
    assert (sold.type, sold.orders, sold.cells[0].taken, sold.cells[0].on_hand_change) == ("commit", ("one",), 2, 0)
    assert (shipped.type, shipped.orders, shipped.transition_id) == ("ship", ("one",), "ship-one")
    assert [(row.taken, row.on_hand_change) for row in shipped.cells] == [(0, -2)]
    assert [event.n for event in (counted, sold, shipped)] == [1, 2, 3]
    assert counted.writer == engine.store.writer


async def test_names_that_another_process_has_just_added_are_known(engine: Engine) -> None:
    """Its event must not come before its name; also in an engine that only looks."""
    await put_network(engine, {("x", "A"): 1})
    settings = Settings(redis_url=engine.store.url)
    async with open_engine(settings, background=False) as looker, another(engine) as second:
        for number in range(20):
            await second.put_skus([Sku(sku=f"new{number}")])
            await second.set_stock([StockCount(sku=f"new{number}", warehouse="A", on_hand=1)])
            for reader in (engine, looker):
                assert (await read_all(reader))[-1].cells[0].sku == f"new{number}"


async def test_who_waits_hears_of_news_at_once_and_who_asks_for_now_of_nothing_before(engine: Engine) -> None:
    """A wait that only ended with its time would make every follower as late as that."""
    await put_network(engine, {("x", "A"): 5})
    now = await engine.events(after="$")
    assert now.events == ()
    waiting = asyncio.create_task(engine.events(after=now.cursor, wait_ms=30_000))
    await asyncio.sleep(0)
    reserved(await engine.reserve(order("one", ("x", 1))))
    page = await asyncio.wait_for(waiting, 5)
    assert [event.orders for event in page.events] == [("one",)]
    assert (await engine.events(after=page.cursor, wait_ms=50)).events == ()


async def test_a_cursor_whose_place_is_gone_is_told_so_and_where_to_begin(engine: Engine) -> None:
    """A silent gap would leave a follower with levels that are wrong for ever."""
    await put_network(engine, {("x", "A"): 50})
    for number in range(6):
        reserved(await engine.reserve(order(f"o{number}", ("x", 1))))
    events = await read_all(engine)
    async with Redis.from_url(engine.store.url) as client:
        await client.xtrim("stockade:{p0}:events", maxlen=3, approximate=False)
    kept = events[-3:]
    # The last one dropped needs nothing of what is gone; all before it do.
    assert [event.id for event in await read_all(engine, events[-4].cursor)] == [event.id for event in kept]
    for event in events[:-4]:
        with pytest.raises(EventsExpired, match="dropped unread") as expired:
            await engine.events(after=event.cursor)
        assert [one.id for one in await read_all(engine, expired.value.oldest)] == [one.id for one in kept]
    assert [one.id for one in await read_all(engine)] == [one.id for one in kept]


async def test_an_event_lost_from_the_middle_is_no_silent_gap(engine: Engine) -> None:
    """Numbers prove it, whoever deleted it."""
    await put_network(engine, {("x", "A"): 50})
    for number in range(4):
        reserved(await engine.reserve(order(f"o{number}", ("x", 1))))
    events = await read_all(engine)
    async with Redis.from_url(engine.store.url) as client:
        await client.xdel("stockade:{p0}:events", events[2].id.partition(":")[2])
    with pytest.raises(EventsExpired):
        await engine.events(after=events[0].cursor)


async def test_a_cursor_of_another_store_is_refused(engine: Engine, empty_store_url: str) -> None:
    """The numbers of its events could be those of others here."""
    await put_network(engine, {("x", "A"): 5})
    cursor = (await engine.events()).cursor
    async with Redis.from_url(empty_store_url) as client:
        await client.flushall()
    async with open_engine(Settings(redis_url=empty_store_url, partitions=3)) as fresh:
        with pytest.raises(EventsExpired, match="another store"):
            await fresh.events(after=cursor)


async def test_a_cursor_that_the_feed_never_gave_is_refused(engine: Engine) -> None:
    """Cut, changed, invented, or far too long: a clear word, and no event."""
    await put_network(engine, {("x", "A"): 5})
    cursor = (await engine.events()).cursor
    flipped = bytearray(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    flipped[12] ^= 1
    strange = (
        ("", "0", "é", "now", cursor[:-1], cursor[1:], cursor + "AAAA", "A" * 20_000)
        + (base64.urlsafe_b64encode(flipped).decode().rstrip("="),)
    )  # fmt: skip
    for text in strange:
        with pytest.raises(InvalidInput, match="no cursor"):
            await engine.events(after=text)
    for bounds in ({"limit": 0}, {"limit": 501}, {"wait_ms": -1}, {"wait_ms": 30_001}):
        with pytest.raises(InvalidInput, match="must be"):
            await engine.events(**bounds)  # type: ignore[arg-type]


async def test_a_page_is_bounded_by_size_too(empty_store_url: str) -> None:
    """Events of full batches are a thousand times those of single orders: a page must not keep the service busy."""
    async with opened(empty_store_url) as engine:
        await count(engine, {("x", "A"): 100_000})
        for number in range(8):
            await asyncio.gather(
                *(engine.reserve(order(f"{'long' * 20}{number}-{one}", ("x", 1))) for one in range(400))
            )
        page = await engine.events(limit=500)
        everything = await read_all(engine)
        assert len(page.events) < len(everything)
        assert [event.id for event in page.events] == [event.id for event in everything[: len(page.events)]]
        assert sum(len(event.orders) for event in everything) == 3_200


async def test_the_view_is_loaded_anew_when_its_events_were_dropped(engine: Engine) -> None:
    """It follows without being registered: so it must see that something is missing, however little is left."""
    await put_network(engine, {("x", "A"): 5})
    async with Redis.from_url(engine.store.url) as client, another(engine) as second:
        loads = engine.replica.loads
        # Three events in one step, of which the first two are never seen by anybody.
        script = """
        local key, n = KEYS[1], tonumber(redis.call('HGET', KEYS[2], 'sequence'))
        redis.call('HINCRBY', KEYS[3], '1', 7)
        redis.call('HINCRBY', KEYS[4], '1', 7)
        for i = 1, 3 do
          redis.call('XADD', key, '*', 'n', n + i, 't', 'count', 'w', 'x', 'c', '\\144', 'd', '\\144')
        end
        redis.call('HSET', KEYS[2], 'sequence', n + 3)
        redis.call('XTRIM', key, 'MAXLEN', '=', 1)
        """
        names = ("events", "meta", "free", "on_hand")
        await client.eval(script, 4, *(f"stockade:{{p0}}:{name}" for name in names))
        async with asyncio.timeout(WAIT_S):
            while engine.replica.loads == loads or engine.state != "ready":
                await asyncio.sleep(0.02)
        await put_stock(second, {("y", "A"): 3})
        reserved(await engine.reserve(order("one", ("y", 3))))
