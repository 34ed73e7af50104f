"""What is dropped from the event streams, and what never is."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from engine import Engine, Settings, open_engine
from engine.feed.retention import Retention
from engine.store import TRIM_STEP, Store
from tests.engine.feeds import count, levels, opened, read_all, true_levels
from tests.engine.small_network import order, put_network, reserved
from tests.engine.store.by_hand import PREFIX, Args, commit
from tests.engine.store.by_hand import opened as store_opened

EVENTS = PREFIX + "events"
AGE_MS = 60_000
BYTES_MAX = 1 << 40
NODE_BYTES = 4_096
WAIT_S = 30.0


@pytest.fixture
async def store(empty_store_url: str) -> AsyncIterator[Store]:
    """A store with a cell of many units, and its first event."""
    async with store_opened(empty_store_url) as one:
        await one.partitions[0].movements.set_stock([1], [100_000], [0])
        yield one


@pytest.fixture
async def client(store: Store) -> AsyncIterator[Redis]:
    """A plain client of the same store."""
    async with Redis.from_url(store.url) as one:
        yield one


async def sell(store: Store, orders: int, prefix: str = "o") -> None:
    """One event an order."""
    for number in range(orders):
        await commit(store, Args().order(f"{prefix}{number}", (1, 1)))


async def numbers(client: Redis) -> list[int]:
    """Numbers of the events that are kept."""
    return [int(fields[b"n"]) for _, fields in await client.xrange(EVENTS)]


async def trim(
    store: Store, *, events_max: int = 1_000_000, age_ms_max: int = 0, bytes_max: int = BYTES_MAX
) -> tuple[int, int, int, str]:
    """One call: (dropped, left, waiting, for whom)."""
    report = await store.partitions[0].feed.trim(events_max=events_max, age_ms_max=age_ms_max, bytes_max=bytes_max)
    return report.dropped, report.left, report.waiting, report.holder


async def read_group(client: Redis, name: str, events: int, *, acknowledge: int = 0) -> None:
    """Read as a follower, and acknowledge some, the oldest first."""
    ((_, rows),) = await client.xreadgroup(name, "c", {EVENTS: ">"}, count=events)
    for event, _ in rows[:acknowledge]:
        await client.xack(EVENTS, name, event)


async def test_the_oldest_go_when_there_are_too_many(store: Store, client: Redis) -> None:
    """Exactly as many as are too many."""
    await sell(store, 20)
    assert await trim(store, events_max=21) == (0, 21, 0, "")
    assert await trim(store, events_max=8) == (13, 8, 0, "")
    assert await numbers(client) == list(range(14, 22))


async def test_the_oldest_go_when_they_are_too_large(store: Store, client: Redis) -> None:
    """As many as bring the stream back to its size by the store's estimate, and one stays however large it is."""
    await sell(store, 300)
    size = await client.memory_usage(EVENTS)
    assert await trim(store, bytes_max=size) == (0, 301, 0, "")
    for _ in range(10):
        await trim(store, bytes_max=size // 3)
    # What is dropped is nodes of the stream, whole ones.
    assert size / 6 < await client.memory_usage(EVENTS) <= size / 3 + NODE_BYTES
    left = await numbers(client)
    assert left == list(range(302 - len(left), 302))
    for _ in range(10):
        await trim(store, bytes_max=1)
    assert await numbers(client) == [301]


async def test_the_last_event_always_stays(store: Store, client: Redis) -> None:
    """The key would vanish with it, and the place where everybody stands."""
    await sell(store, 5)
    await asyncio.sleep(0.01)
    assert await trim(store, events_max=1, age_ms_max=1) == (5, 1, 0, "")
    assert await trim(store, events_max=1, age_ms_max=1) == (0, 1, 0, "")
    assert await numbers(client) == [6]
    await sell(store, 1, "after")
    assert await numbers(client) == [6, 7]


async def test_a_stream_without_any_event_stays_as_it_is(empty_store_url: str) -> None:
    """A partition that was made just now."""
    async with store_opened(empty_store_url) as store, Redis.from_url(empty_store_url) as client:
        assert await trim(store, events_max=1, age_ms_max=1) == (0, 0, 0, "")
        assert await client.exists(EVENTS)


async def test_what_is_too_old_goes_by_the_stores_clock(store: Store, client: Redis) -> None:
    """A stream with ids of the past: young ones stay, whatever their number."""
    now_ms = (await client.time())[0] * 1000
    await client.delete(EVENTS)
    for number, age_ms in enumerate((5 * AGE_MS, 3 * AGE_MS, 2 * AGE_MS, AGE_MS // 2, 1_000), 1):
        await client.xadd(EVENTS, {"n": number, "t": "count"}, id=f"{now_ms - age_ms}-0")
    assert await trim(store, age_ms_max=0) == (0, 5, 0, "")
    assert await trim(store, age_ms_max=AGE_MS) == (3, 2, 0, "")
    assert await numbers(client) == [4, 5]


async def test_nothing_goes_that_a_follower_has_not_acknowledged(store: Store, client: Redis) -> None:
    """Neither what it was not given yet, nor what it was given and may have to be given again."""
    await sell(store, 19)
    await client.xgroup_create(EVENTS, "books", "0")
    assert await trim(store, events_max=1) == (0, 20, 19, "books")
    await read_group(client, "books", 10, acknowledge=10)
    assert await trim(store, events_max=1) == (10, 10, 9, "books")
    await read_group(client, "books", 6, acknowledge=2)
    # Delivered, not acknowledged: 13 to 16.
    assert await trim(store, events_max=1) == (2, 8, 7, "books")
    assert (await numbers(client))[0] == 13
    for event in await client.xpending_range(EVENTS, "books", "-", "+", 10):
        await client.xack(EVENTS, "books", event["message_id"])
    assert await trim(store, events_max=2) == (4, 4, 2, "books")
    await client.xgroup_destroy(EVENTS, "books")
    assert await trim(store, events_max=2) == (2, 2, 0, "")


async def test_one_acknowledged_out_of_turn_frees_nothing_before_it(store: Store, client: Redis) -> None:
    """A consumer that works from the end has not read the beginning."""
    await sell(store, 9)
    await client.xgroup_create(EVENTS, "books", "0")
    ((_, rows),) = await client.xreadgroup("books", "c", {EVENTS: ">"})
    await client.xack(EVENTS, "books", *(event for event, _ in rows[3:]))
    assert await trim(store, events_max=1) == (0, 10, 9, "books")
    await client.xack(EVENTS, "books", rows[0][0])
    assert await trim(store, events_max=1) == (1, 9, 8, "books")


async def test_the_slowest_follower_counts_and_one_that_has_read_all_does_not(store: Store, client: Redis) -> None:
    """The report names who holds back."""
    await sell(store, 9)
    await client.xgroup_create(EVENTS, "quick", "$")
    await client.xgroup_create(EVENTS, "slow", "0")
    await read_group(client, "slow", 4, acknowledge=4)
    assert await trim(store, events_max=2) == (4, 6, 4, "slow")
    await client.xgroup_destroy(EVENTS, "slow")
    assert await trim(store, events_max=2) == (4, 2, 0, "")


async def test_age_waits_for_followers_too(store: Store, client: Redis) -> None:
    """And the report counts what is old enough, not what is young."""
    now_ms = (await client.time())[0] * 1000
    await client.delete(EVENTS)
    for number, age_ms in enumerate((5 * AGE_MS, 3 * AGE_MS, 2 * AGE_MS, AGE_MS // 2, 1_000), 1):
        await client.xadd(EVENTS, {"n": number, "t": "count"}, id=f"{now_ms - age_ms}-0")
    await client.xgroup_create(EVENTS, "books", "0")
    await read_group(client, "books", 1, acknowledge=1)
    assert await trim(store, age_ms_max=AGE_MS) == (1, 4, 2, "books")


async def test_one_call_drops_no_more_than_its_step(store: Store, client: Redis) -> None:
    """The store serves nobody else while it runs."""
    await sell(store, 2 * TRIM_STEP + 10)
    assert [(await trim(store, events_max=5))[0] for _ in range(4)] == [TRIM_STEP, TRIM_STEP, 6, 0]
    assert await client.xlen(EVENTS) == 5


async def test_trims_of_many_race_with_a_sale_and_a_follower_and_nothing_is_missed(empty_store_url: str) -> None:
    """The follower reads and acknowledges while several drop as fast as they can: it still gets every number."""
    async with opened(empty_store_url) as engine:
        await engine.register_follower("books", from_start=True)
        partition = engine.store.partitions[0]
        seen = []
        selling = True

        async def sale() -> None:
            nonlocal selling
            for number in range(300):
                reserved(await engine.reserve(order(f"o{number}", ("y", 1))))
            selling = False

        async def trims() -> None:
            while selling:
                await partition.feed.trim(events_max=1, age_ms_max=1, bytes_max=BYTES_MAX)

        async def follow() -> None:
            while selling or (await engine.followers())[0].unread:
                page = await engine.read_as("books", "one", limit=5, wait_ms=5)
                seen.extend(page)
                await engine.acknowledge("books", [event.id for event in page])

        await count(engine, {("y", "A"): 1_000})
        async with asyncio.timeout(WAIT_S):
            await asyncio.gather(sale(), trims(), trims(), follow())
        assert [event.n for event in seen] == list(range(1, 303))
        assert levels(seen) == await true_levels(engine)
        while (await partition.feed.trim(events_max=1, age_ms_max=0, bytes_max=BYTES_MAX)).dropped:
            pass
        assert len(await read_all(engine)) == 1


@pytest.mark.parametrize("partitions", [1, 3])
async def test_a_running_engine_keeps_its_streams_short(empty_store_url: str, partitions: int) -> None:
    """Nobody calls for it; and what follows by cursor or view goes on."""
    async with opened(empty_store_url, partitions, events_kept_max=1_000) as engine:
        loads = engine.replica.loads
        async with Redis.from_url(empty_store_url) as client:
            for name in ("x", "y", "z"):
                for units in range(400):
                    await count(engine, {(name, "A"): units + 1})
            for number in range(partitions):
                async with asyncio.timeout(WAIT_S):
                    while await client.xlen(f"stockade:{{p{number}}}:events") > 1_000:
                        await asyncio.sleep(0.05)
        assert engine.replica.loads == loads
        events = await read_all(engine)
        assert len(events) <= 1_000 * partitions
        for partition in range(partitions):
            own = [event.n for event in events if event.partition == partition]
            assert all(after == before + 1 for before, after in pairwise(own))


async def test_a_follower_that_holds_back_too_much_is_named_in_the_log(engine: Engine) -> None:
    """Before the store's memory is full, and not with every look."""
    await put_network(engine, {("x", "A"): 1})
    await engine.register_follower("forgotten", from_start=True)
    for _ in range(6):
        await engine.store.partitions[0].movements.set_stock([0], [1], [0])
    # Beyond what a setting may be, so that few events are enough.
    settings = Settings(events_kept_max=2)
    retention = Retention(engine.store, settings, engine.replica.freshness)
    with capture_logs() as logs:
        await retention.tend()
        retention._due_at = 0
        await retention.tend()
    (warning,) = [row for row in logs if row["log_level"] == "warning"]
    assert (warning["follower"], warning["partition"]) == ("forgotten", 0)
    assert warning["events"] > 2


async def test_an_engine_that_only_looks_drops_nothing(empty_store_url: str) -> None:
    """A command must not change what it shows."""
    async with opened(empty_store_url) as engine:
        await count(engine, {("x", "A"): 1})
    async with open_engine(Settings(redis_url=empty_store_url), background=False) as looker:
        assert [event.n for event in await read_all(looker)] == [1, 2]
