"""The commit, called directly: all or nothing, once, and never below zero, whatever the caller sends."""

import asyncio

import pytest
from redis.asyncio import Redis

from engine.audit import audit_store
from engine.model import Line, Order, ShipTo, Sku, Warehouse
from engine.planner import CostDefaults, Planner, canonical_bytes, cell_number
from engine.store import Store, StoreRefused
from tests.engine.store.by_hand import LONG_HOLD_MS, PREFIX, Args, commit, events, everything, fields, free, unpack


async def test_an_order_is_taken_whole_or_not_at_all(store: Store, client: Redis) -> None:
    """A parcel without its second line is no order: the line that would do must not stay taken."""
    await store.partitions[0].movements.set_stock([1, 2], [5, 1], [0, 0])
    reply = await commit(store, Args().order("short", (1, 5), (2, 2)).order("fits", (1, 4), (2, 1)))
    assert reply.outcomes == b"SA"
    assert unpack(reply.levels) == [1, 0]
    assert await free(store, 1, 2) == [1, 0]
    assert await store.read_orders(["short"]) == [None]
    assert len(await fields(client, "orders")) == 1


async def test_an_id_twice_in_one_batch_takes_once(store: Store) -> None:
    """Twins may meet in one call, when two engines' queues are drained into it or a caller is at fault."""
    await store.partitions[0].movements.set_stock([1], [10], [0])
    reply = await commit(store, Args().order("one", (1, 2)).order("one", (1, 2)).order("one", (1, 3), fingerprint=2))
    assert reply.outcomes == b"ARC"
    assert await free(store, 1) == [8]
    assert reply.records == await store.read_orders(["one"])


async def test_a_replay_brings_the_record_and_another_body_a_conflict(store: Store) -> None:
    """The record is what was promised first; neither may take, nor change a byte of it."""
    await store.partitions[0].movements.set_stock([1], [3], [0])
    assert (await commit(store, Args().order("one", (1, 3)))).outcomes == b""
    (record,) = await store.read_orders(["one"])
    reply = await commit(store, Args().order("one", (1, 3)).order("two", (1, 1)))
    assert (reply.outcomes, reply.records) == (b"RS", [record])
    assert (await commit(store, Args().order("one", (1, 1), fingerprint=2))).outcomes == b"C"
    assert await store.read_orders(["one"]) == [record]
    assert await free(store, 1) == [0]


async def test_a_cell_named_twice_by_one_order_is_summed(store: Store) -> None:
    """Each of the two takes fits by itself; together they are one unit too many."""
    await store.partitions[0].movements.set_stock([1], [5], [0])
    assert (await commit(store, Args().order("much", (1, 3), (1, 3)))).outcomes == b"S"
    assert await free(store, 1) == [5]
    assert (await commit(store, Args().order("fits", (1, 3), (1, 2)))).outcomes == b""
    assert await free(store, 1) == [0]


async def test_units_per_cell_that_do_not_match_never_oversell(store: Store) -> None:
    """The sums are a shortcut of the caller's; where an order is decided alone, its own takes count."""
    await store.partitions[0].movements.set_stock([1], [5], [0])
    args = Args().order("a", (1, 3)).order("b", (1, 3)).packed()
    reply = await store.partitions[0].orders.commit(args)
    assert reply.outcomes == b"AS"
    assert await free(store, 1) == [2]


async def test_a_counter_bounds_what_a_customer_takes(store: Store, client: Redis) -> None:
    """The limit is final and goes before a shortage; what it refuses leaves cell and counter as they were."""
    await store.partitions[0].movements.set_stock([1, 2], [10, 0], [0, 0])
    limits = {"7:ann": 3, "7:bob": 3}
    first = Args(limits=limits).order("a", (1, 2), ("7:ann", 2)).order("b", (1, 2), ("7:ann", 2))
    reply = await commit(store, first.order("c", (1, 3), ("7:bob", 3)))
    assert reply.outcomes == b"ALA"
    assert unpack(reply.levels) == [5, 1, 0]
    both = await commit(store, Args(limits={"7:ann": 3}).order("d", (2, 1), ("7:ann", 2)))
    assert both.outcomes == b"L"
    assert await fields(client, "counters") == {b"7:ann": b"2", b"7:bob": b"3"}
    assert await free(store, 1) == [5]


async def test_a_lowered_limit_takes_nothing_back_and_gives_nothing_more(store: Store, client: Redis) -> None:
    """A limit below what a customer has leaves less than none."""
    await store.partitions[0].movements.set_stock([1], [10], [0])
    await commit(store, Args(limits={"7:ann": 5}).order("a", (1, 5), ("7:ann", 5)))
    reply = await commit(store, Args(limits={"7:ann": 2}).order("b", (1, 1), ("7:ann", 1)))
    assert (reply.outcomes, unpack(reply.levels)) == (b"L", [5, -3])
    assert await client.hget(PREFIX + "counters", "7:ann") == b"5"


async def test_a_store_out_of_memory_refuses_whole(store: Store, client: Redis) -> None:
    """Half a batch written is stock without an order, or an order without stock."""
    await store.partitions[0].movements.set_stock([1], [10], [0])
    before = await everything(client)
    await client.config_set("maxmemory", "1mb")
    try:
        with pytest.raises(StoreRefused, match="raise maxmemory"):
            await commit(store, Args().order("one", (1, 1)).order("two", (1, 1)))
        with pytest.raises(StoreRefused, match="raise maxmemory"):
            await store.partitions[0].movements.set_stock([1, 2], [99, 99], [0, 0])
        assert await everything(client) == before
    finally:
        await client.config_set("maxmemory", "0")
    assert (await commit(store, Args().order("one", (1, 1)))).outcomes == b""


@pytest.mark.parametrize("short", [False, True])
async def test_a_batch_beyond_every_chunk_is_one_batch(store: Store, client: Redis, short: bool) -> None:
    """Lua's stack ends at 8,000 values: a batch is cut for each command, never for its outcome."""
    orders, cells = 4_000, list(range(9_000))
    await store.partitions[0].movements.set_stock(cells, [1] * len(cells), [0] * len(cells))
    args = Args(limits={f"7:c{number}": 5 for number in range(orders)}, wants_levels=True)
    for number in range(orders):
        takes = ((2 * number, 1), (2 * number + 1, 1), (f"7:c{number}", 1))
        args.order(f"o{number}", *takes, hold_ms=LONG_HOLD_MS)
    if short:
        args.order("short", (8_999, 2))
    reply = await commit(store, args)
    assert reply.outcomes == (b"A" * orders + b"S" if short else b"")
    assert len(unpack(reply.levels)) == len(args.cells) + orders
    _, rows = await store.partitions[0].cells.read(cells)
    assert [row.free for row in rows] == [0] * 8_000 + [1] * 1_000
    assert len(await fields(client, "orders")) == orders
    assert await client.zcard(PREFIX + "holds") == orders + 1
    assert len(await fields(client, "counters")) == orders
    assert len(await events(client)) == 2
    touched = dict((await store.partitions[0].cells.touched(b"0-0", 10)).columns)
    assert len(unpack(touched["holds"])) == 2 * (orders + short)
    assert len(unpack(touched["counters"])) == 2 * orders


STRANGE_IDS = ("注文-🎁", "Ω" * 128, "a:b{c}d", "\u202eabc", "0", "\x7f\x01", "é", "e\u0301", "{p0}", '"\\', "\x00")


async def test_ids_are_bytes_to_the_store(store: Store, client: Redis) -> None:
    """Names come from every shop in the world; none may be cut, folded or mistaken for another."""
    await store.partitions[0].movements.set_stock([1], [100], [0])
    args = Args(limits={f"7:{name}": 2 for name in STRANGE_IDS})
    for name in STRANGE_IDS:
        args.order(name, (1, 1), (f"7:{name}", 1), hold_ms=1)
    assert (await commit(store, args)).outcomes == b""
    assert (await commit(store, args)).outcomes == b"R" * len(STRANGE_IDS)
    assert len(await fields(client, "orders")) == len(STRANGE_IDS)
    assert {order_id async for page in store.partitions[0].orders.scan() for order_id, _ in page} == set(STRANGE_IDS)
    await asyncio.sleep(0.01)
    assert await store.partitions[0].orders.expire(100) == len(STRANGE_IDS)
    assert await free(store, 1) == [100]
    report = await audit_store(store)
    assert (report.orders, report.differences) == (len(STRANGE_IDS), ())


async def test_the_planners_own_arguments_balance(store: Store) -> None:
    """The hand-made arguments above stand for these."""
    planner = Planner(
        currency="CNY", default_policy="cheapest", defaults=CostDefaults(fixed_cost=1, unit_cost=1, cost_per_km=1)
    )
    planner.put_warehouses([(0, Warehouse(id="A", lat=0.0, lon=0.0)), (5, Warehouse(id="B", lat=1.0, lon=1.0))])
    planner.put_skus([(0, Sku(sku="x")), (900, Sku(sku="y", purchase_limit=3))])
    cells = [cell_number(sku=sku, warehouse=warehouse) for sku in (0, 900) for warehouse in (0, 5)]
    event, levels, _ = await store.partitions[0].movements.set_stock(cells, [4, 4, 4, 4], [0, 0, 0, 0])
    planner.set_levels(list(zip(cells, levels, strict=True)), event)
    orders = [
        Order(
            order_id=f"注文{number}",
            customer="ann",
            ship_to=ShipTo(lat=0.0, lon=0.0),
            lines=(Line("x", 1), Line("y", 1), Line("x", 1)),
            payment="pending",
        )
        for number in range(5)
    ]
    batch, decided = planner.core.plan([(canonical_bytes(order), 0, 0, False) for order in orders])
    reply = await store.partitions[0].orders.commit(batch.commit_args(0, 1_700_000_000_000))
    settled, _ = planner.core.settle(
        batch, [(0, reply.now_ms, reply.event, reply.outcomes, reply.levels, reply.records)]
    )
    words = [word for _, (word, _) in sorted(settled)]
    assert (decided, reply.outcomes, words) == ([], b"AAAL", ["reserved"] * 3 + ["limit", "again"])
    report = await audit_store(store)
    assert (report.differences, report.units_reserved) == ((), 9)
