"""A store that goes back behind what it acknowledged, as a replica does that takes over too early, by older dumps."""

import asyncio
from collections.abc import AsyncIterator, Iterable

import pytest
from redis.asyncio import Redis

from engine import Engine, Settings, open_engine
from engine.intake import InsufficientStock
from engine.planner import Record
from engine.store import Partition
from tests.cluster.books import assert_balanced, settled
from tests.cluster.network import SKUS as MANY_SKUS
from tests.cluster.network import mixed_orders, promised, same, sell
from tests.cluster.network import put_network as put_many
from tests.engine.small_network import another, cell, change_unseen, order, put_network, reserved

Dumps = dict[str, bytes]
ANSWER_S = 10.0


async def dump(engine: Engine, partitions: Iterable[Partition]) -> Dumps:
    """All keys of partitions, as they are."""
    async with Redis.from_url(engine.store.url) as client:
        keys = [name for each in partitions for name in (getattr(each.keys, f) for f in each.keys.__struct_fields__)]
        return {key: await client.dump(key) for key in keys}


async def put_back(engine: Engine, dumps: Dumps) -> None:
    """Exchange keys for what they were, all at one moment: who looks in between would mend what is not whole yet."""
    async with Redis.from_url(engine.store.url) as client, client.pipeline(transaction=True) as pipeline:
        for key, dumped in dumps.items():
            pipeline.restore(key, 0, dumped, replace=True)
        await pipeline.execute()


async def look_again(engine: Engine) -> None:
    """Load the store anew, as a process does that sees another node serve it."""
    async with engine.intake.exclusive:
        await engine.replica.load()


@pytest.fixture
async def three(empty_store_url: str) -> AsyncIterator[Engine]:
    """An engine on three partitions."""
    async with open_engine(Settings(redis_url=empty_store_url, partitions=3)) as opened:
        yield opened


async def test_lost_commits_are_counted(engine: Engine) -> None:
    """Exactly, over several generations, and once."""
    await put_network(engine, {("x", "A"): 100})
    (partition,) = engine.store.partitions
    dumps = []
    for number in range(6):
        dumps.append(await dump(engine, [partition]))
        reserved(await engine.reserve(order(f"o{number}", ("x", 1))))
        if number % 2:
            await partition.open(1)
            assert partition.lost_commits == 0
    await put_back(engine, dumps[5])
    await partition.open(1)
    assert partition.lost_commits == 1
    await partition.open(1)
    assert partition.lost_commits == 1
    await put_back(engine, dumps[1])
    await partition.open(1)
    assert partition.lost_commits == 5
    partition.forget_loss()
    await partition.open(1)
    assert partition.lost_commits == 0


async def test_acknowledged_orders_that_wait_wait_again(three: Engine) -> None:
    """They hold nothing, and are promised all the same; whoever was answered as it retried restores them, too."""
    await put_network(three, {("x", "A"): 6})
    before = await dump(three, three.store.partitions)
    told = {}
    for number in range(6):
        waits = order(f"o{number}", ("x", 7), ("z", 1), allow_backorder=True, payment="pending")
        told[waits.order_id] = reserved(await three.reserve(waits)).json
    async with another(three) as other:
        assert reserved(await other.reserve(waits)).replayed
        await put_back(three, before)
        for number in range(6):
            reserved(await three.reserve(order(f"late{number}", ("x", 1))))
            assert same(told[f"o{number}"], await three.order_json(f"o{number}"))
        assert three.lost_orders.count == 0
        await put_back(three, before)
        await look_again(other)
        reserved(await other.reserve(order("one more", ("x", 1))))
    # It sees for itself that the store went back, but in the middle of the count, perhaps.
    await look_again(three)
    await settled(three)
    assert three.lost_orders.count == 1
    await assert_balanced(three)


async def test_acknowledged_orders_are_held_again(engine: Engine) -> None:
    """By the same shipments, before another order is taken; also those of a pending payment."""
    await put_network(engine, {("x", "A"): 6, ("few", "A"): 9})
    before = await dump(engine, engine.store.partitions)
    told = {}
    for number in range(5):
        outcome = reserved(await engine.reserve(order(f"o{number}", ("x", 1), payment="pending")))
        told[f"o{number}"] = outcome.json
    limited = reserved(await engine.reserve(order("limited", ("few", 3), customer="ann")))
    await put_back(engine, before)
    # One unit is left, not six.
    assert isinstance(await engine.reserve(order("late", ("x", 2))), InsufficientStock)
    reserved(await engine.reserve(order("last", ("x", 1))))
    for order_id, json in told.items():
        assert same(json, await engine.order_json(order_id))
        allocation = await engine.order(order_id)
        assert allocation is not None
        assert allocation.status == "reserved"
    assert same(limited.json, await engine.order_json("limited"))
    records = await assert_balanced(engine)
    assert set(records) == {*told, "limited", "last"}
    assert (engine.status.lost_orders, list(engine.lost_orders.ids)) == (0, [])


async def test_order_whose_stock_was_sold_meanwhile_is_reported_lost(engine: Engine) -> None:
    """Two were promised one unit: the later one, by the store's reckoning, has it; nobody is sold what is not there."""
    await put_network(engine, {("x", "A"): 1, ("y", "A"): 5})
    async with another(engine) as other:
        before = await dump(engine, engine.store.partitions)
        reserved(await engine.reserve(order("first", ("x", 1))))
        await put_back(engine, before)
        await look_again(other)
        reserved(await other.reserve(order("second", ("x", 1))))
        reserved(await engine.reserve(order("third", ("y", 1))))
        assert (engine.status.lost_orders, list(engine.lost_orders.ids)) == (1, ["first"])
        assert other.status.lost_orders == 0
        assert await engine.order_json("first") is None
        assert set(await assert_balanced(engine)) == {"second", "third"}


async def test_order_that_was_refused_is_not_held_later(engine: Engine) -> None:
    """It shared a commit with one that was taken."""
    await put_network(engine, {("x", "A"): 5, ("y", "A"): 5})
    before = await dump(engine, engine.store.partitions)
    await change_unseen(engine, "x", "A", -4)
    small, big = await asyncio.gather(engine.reserve(order("small", ("x", 1))), engine.reserve(order("big", ("x", 2))))
    reserved(small)
    assert isinstance(big, InsufficientStock)
    await put_back(engine, before)
    reserved(await engine.reserve(order("next", ("y", 1))))
    assert set(await assert_balanced(engine)) == {"small", "next"}


async def test_more_than_is_remembered_is_not_restored(empty_store_url: str) -> None:
    """The memory is bounded, and the newest are in it."""
    async with open_engine(Settings(redis_url=empty_store_url, reconcile_orders_max=2)) as engine:
        await put_network(engine, {("x", "A"): 9})
        before = await dump(engine, engine.store.partitions)
        for number in range(4):
            reserved(await engine.reserve(order(f"o{number}", ("x", 1))))
        await put_back(engine, before)
        reserved(await engine.reserve(order("next", ("x", 1))))
        assert set(await assert_balanced(engine)) == {"o2", "o3", "next"}


async def test_another_store_is_given_nothing(engine: Engine) -> None:
    """One that was emptied owes nobody what the former one promised."""
    await put_network(engine, {("x", "A"): 9})
    reserved(await engine.reserve(order("before", ("x", 1))))
    async with Redis.from_url(engine.store.url) as client:
        await client.flushall()
    await engine.reserve(order("wakes", ("x", 1)))
    await put_network(engine, {("x", "A"): 9})
    reserved(await engine.reserve(order("after", ("x", 1))))
    assert set(await assert_balanced(engine)) == {"after"}
    assert engine.status.lost_orders == 0


@pytest.mark.parametrize("gone", [(1,), (0, 1, 2)])
async def test_each_partition_may_go_back_alone(three: Engine, gone: tuple[int, ...]) -> None:
    """Homes get orders again, others their shares of them."""
    await put_many(three, 1_000)
    await sell([three], mixed_orders(60, seed=1, name="before"))
    partitions = [three.store.partitions[number] for number in gone]
    dumps = await dump(three, partitions)
    told = promised(await sell([three], mixed_orders(100, seed=2, name="lost")))
    await put_back(three, dumps)
    told |= promised(await sell([three], mixed_orders(40, seed=3, name="after")))
    records = await assert_balanced(three)
    assert told.keys() <= records.keys()
    for order_id, json in told.items():
        assert same(json, await three.order_json(order_id))
    assert three.status.lost_orders == 0


@pytest.mark.parametrize("gone", [(0,), (0, 2)])
async def test_order_of_two_partitions_is_held_whole_or_not_at_all(three: Engine, gone: tuple[int, ...]) -> None:
    """Where one of them has sold its share meanwhile, the other gives its own back, whatever the home knows."""
    await put_many(three, 1)
    async with another(three) as other:
        one, two = (sku_in(three, 0), sku_in(three, 1))
        order_id, late, wakes = (name_at_home(three, name, home) for name, home in (("a", 2), ("b", 0), ("c", 0)))
        await settled(three)
        dumps = await dump(three, [three.store.partitions[number] for number in gone])
        reserved(await three.reserve(order(order_id, (one, 1), (two, 1), warehouses=("A",))))
        await settled(three)
        await put_back(three, dumps)
        await look_again(other)
        reserved(await other.reserve(order(late, (one, 1), warehouses=("A",))))
        reserved(await three.reserve(order(wakes, (one, 1), warehouses=("B",))))
        assert list(three.lost_orders.ids) == [order_id]
        records = await assert_balanced(three)
        assert {name for name, record in records.items() if record.holds_stock} == {late, wakes}
        reserved(await three.reserve(order(name_at_home(three, "d", 0), (two, 1), warehouses=("A",))))
        await assert_balanced(three)


async def test_attempts_of_two_loads_never_share_a_name(three: Engine) -> None:
    """Else the second would take the place of one whose lease still runs, and its units be held for ever."""
    await put_many(three, 100)
    one, two = (sku_in(three, 0), sku_in(three, 1))
    attempts = set()
    for start in "ab":
        order_id = name_at_home(three, start, 2)
        reserved(await three.reserve(order(order_id, (one, 1), (two, 1))))
        (record,) = await three.store.read_orders([order_id])
        assert record is not None
        attempts |= set(Record(record).transitions)
        await look_again(three)
    assert len(attempts) == 2


def sku_in(engine: Engine, partition: int) -> str:
    """A SKU of a partition, without a purchase limit."""
    names = (sku.sku for sku in MANY_SKUS if not sku.purchase_limit)
    return next(name for name in names if engine.store.owner(cell(engine, name, "A")).number == partition)


def name_at_home(engine: Engine, start: str, partition: int) -> str:
    """An order id that is at home in a partition."""
    return next(name for name in map(f"{start}{{}}".format, range(99)) if engine.store.home(name).number == partition)


async def test_lost_changes_of_every_kind_are_counted(engine: Engine) -> None:
    """A count, a confirmation: what the view has seen and the store lacks is told, in events."""
    await put_network(engine, {("x", "A"): 10})
    reserved(await engine.reserve(order("held", ("x", 1), payment="pending")))
    (partition,) = engine.store.partitions
    older = await dump(engine, [partition])
    await engine.confirm("held")
    await put_network(engine, {("x", "A"): 20})
    newest = await partition.feed.position()
    async with asyncio.timeout(ANSWER_S):
        while engine.replica.positions != [newest]:
            await asyncio.sleep(0.001)
    await put_back(engine, older)
    engine.store.distrust()
    reserved(await engine.reserve(order("next", ("x", 1))))
    assert engine.status.lost_changes == 2
