"""The function library: how it gets into the store, and what its functions promise, called directly."""

import asyncio

import pytest
from redis.asyncio import Redis

from engine.errors import StoreChanged, StoreUnsupported
from engine.planner import Record
from engine.store import Store, StoreRefused
from engine.store.library import LIBRARY_VERSION, ensure_library, library_source
from tests.engine.store.by_hand import (
    LONG_HOLD_MS,
    PREFIX,
    Args,
    commit,
    events,
    everything,
    fields,
    free,
    opened,
    pack,
    unpack,
)


async def test_an_emptied_store_takes_nothing_until_it_is_opened_again(store: Store, client: Redis) -> None:
    """Numbers of cells mean other SKUs there: whatever is written with them would be nonsense that looks like stock."""
    await store.partitions[0].movements.set_stock([1], [5], [0])
    await client.flushall()
    calls = (
        commit(store, Args().order("one", (1, 1))),
        store.partitions[0].movements.set_stock([1], [5], [0]),
        store.partitions[0].orders.expire(10),
        store.catalogue.put_skus([("sku", b"{}")]),
        store.catalogue.put_tariff(b"{}"),
        _all_pages(store),
    )
    for call in calls:
        with pytest.raises(StoreChanged, match="emptied or exchanged"):
            await call
    assert await client.keys("*") == []
    await store.open()
    await store.partitions[0].movements.set_stock([1], [5], [0])
    assert (await commit(store, Args().order("one", (1, 1)))).outcomes == b""


async def _all_pages(store: Store) -> None:
    async for _ in store.partitions[0].cells.scan_free():
        pass


async def test_a_missing_library_is_loaded_again_in_mid_sale(store: Store, client: Redis) -> None:
    """FUNCTION FLUSH, or a failover to a replica without it, must not cost an order: many calls meet it at once."""
    await store.partitions[0].movements.set_stock([1], [50], [0])
    await client.execute_command("FUNCTION", "FLUSH")
    looks = (free(store, 1) for _ in range(20))
    reply, *levels = await asyncio.gather(commit(store, Args().order("one", (1, 20))), *looks)
    assert reply.outcomes == b""
    assert {level for (level,) in levels} <= {50, 30}
    assert await free(store, 1) == [30]


async def test_a_later_version_of_the_library_is_left_alone(store: Store, client: Redis) -> None:
    """It serves a later release, whose layout we would not understand."""
    (source, _), later = library_source(), LIBRARY_VERSION + 1
    await client.execute_command(
        "FUNCTION", "LOAD", "REPLACE", source.replace(f"local VERSION = {LIBRARY_VERSION}", f"local VERSION = {later}")
    )
    try:
        with pytest.raises(StoreUnsupported, match=f"version {later}"):
            await store.open()
        version, _ = await client.execute_command("FCALL", "stockade_version", 0)
        assert version == later
    finally:
        await client.execute_command("FUNCTION", "FLUSH")


async def test_another_text_of_our_version_is_replaced(client: Redis) -> None:
    """A mended function has to reach a store that holds the faulty one."""
    source, digest = library_source()
    await client.execute_command("FUNCTION", "LOAD", "REPLACE", source.replace(digest, "other"))
    assert await ensure_library(client)
    assert await client.execute_command("FCALL", "stockade_version", 0) == [LIBRARY_VERSION, digest.encode()]
    assert not await ensure_library(client)


async def test_a_count_below_what_is_reserved_writes_no_row(store: Store, client: Redis) -> None:
    """The units are promised; the other rows of the call belong to it and wait for its correction."""
    await store.partitions[0].movements.set_stock([1, 2], [5, 5], [1, 0])
    await commit(store, Args().order("one", (1, 3), (2, 1)))
    before = await everything(client)
    _, levels, refused = await store.partitions[0].movements.set_stock([2, 1, 3], [50, 2, 9], [0, 0, 0])
    assert (levels, refused) == ([], [(1, 3)])
    assert await everything(client) == before


async def test_a_count_keeps_what_is_reserved(store: Store) -> None:
    """Counting is no sale and no return; safety may be raised above what is left, and then nothing is sold."""
    await store.partitions[0].movements.set_stock([1], [5], [0])
    await commit(store, Args().order("one", (1, 3)))
    _, levels, refused = await store.partitions[0].movements.set_stock([1], [4], [2])
    assert (levels, refused) == ([-1], [])
    assert (await commit(store, Args().order("two", (1, 1)))).outcomes == b"S"
    _, levels, _ = await store.partitions[0].movements.set_stock([1], [10], [-1])
    assert levels == [5]


async def test_a_batch_writes_one_event_and_none_where_nothing_was_taken(store: Store, client: Redis) -> None:
    """An entry an order would cost more than the order; an entry for nothing would wake every follower for nothing."""
    await store.partitions[0].movements.set_stock([1], [2], [0])
    assert len(await events(client)) == 1
    await commit(store, Args().order("a", (1, 1)).order("b", (1, 1)).order("c", (1, 1)))
    assert len(await events(client)) == 2
    refused = await commit(store, Args().order("a", (1, 1)).order("d", (1, 1)))
    only_read = await commit(store, Args(wants_levels=True))
    assert len(await events(client)) == 2
    newest = (await store.partitions[0].feed.position()).id
    assert (refused.outcomes, refused.event, only_read.event) == (b"RS", newest, newest)


async def test_a_follower_rebuilds_every_level_from_the_events_alone(store: Store, client: Redis) -> None:
    """Other engines' views are made of nothing else."""
    await store.partitions[0].movements.set_stock([1, 2, 3], [5, 5, 5], [0, 1, 0])
    await commit(store, Args().order("a", (1, 2), (2, 1)).order("b", (1, 2), (1, 1), hold_ms=1))
    limited = Args(limits={"7:ann": 1}).order("c", (3, 1), ("7:ann", 1)).order("d", (3, 1), ("7:ann", 1))
    await commit(store, limited.order("e", (2, 9)))
    await asyncio.sleep(0.01)
    assert await store.partitions[0].orders.expire(10) == 1
    await store.partitions[0].movements.set_stock([3, 1], [9, 2], [2, -1])
    rebuilt = {b"1": 0, b"2": 0, b"3": 0}
    for event in await events(client):
        units = unpack(event[b"d"])
        for cell, taken in zip(unpack(event[b"c"]), units, strict=False):
            rebuilt[cell.encode()] -= taken
    assert rebuilt == {cell: int(level) for cell, level in (await fields(client, "free")).items()}
    assert rebuilt == {b"1": 0, b"2": 3, b"3": 6}


async def test_a_hold_ends_once_and_only_when_it_is_due(store: Store, client: Redis) -> None:
    """Two engines look for ended holds at the same time; a unit given back twice is a unit oversold."""
    await store.partitions[0].movements.set_stock([1], [10], [0])
    limits = {"7:ann": 9}
    due = Args(limits=limits).order("due", (1, 2), ("7:ann", 2), hold_ms=1).order("kept", (1, 3), hold_ms=LONG_HOLD_MS)
    await commit(store, due.order("paid", (1, 1)))
    await asyncio.sleep(0.01)
    async with opened(store.url) as other:
        ended = await asyncio.gather(*(one.partitions[0].orders.expire(10) for one in (store, other, store, other)))
    assert sorted(ended) == [0, 0, 0, 1]
    assert await free(store, 1) == [6]
    assert await client.hget(PREFIX + "counters", "7:ann") == b"0"
    records = [Record(record) for record in await store.read_orders(["due", "kept", "paid"]) if record]
    assert [(record.status, record.version) for record in records] == [
        ("expired", 2),
        ("reserved", 1),
        ("confirmed", 1),
    ]
    replay = await commit(store, Args(limits=limits).order("due", (1, 2), ("7:ann", 2), hold_ms=1))
    assert (replay.outcomes, await free(store, 1)) == (b"R", [6])


async def test_no_more_holds_end_at_once_than_asked_for(store: Store) -> None:
    """A thousand holds of one second must not keep the store from selling while they end."""
    await store.partitions[0].movements.set_stock([1], [10], [0])
    args = Args()
    for number in range(5):
        args.order(f"o{number}", (1, 1), hold_ms=1)
    await commit(store, args)
    await asyncio.sleep(0.01)
    assert [await store.partitions[0].orders.expire(2) for _ in range(4)] == [2, 2, 1, 0]
    assert await free(store, 1) == [10]


async def test_an_unreadable_record_keeps_no_other_hold_from_ending(store: Store, client: Redis) -> None:
    """One record that somebody spoilt must not lock up the stock of everybody else's."""
    await store.partitions[0].movements.set_stock([1], [10], [0])
    args = Args()
    for number in range(6):
        args.order(f"o{number}", (1, 1), hold_ms=1)
    await commit(store, args)
    for number, spoilt in enumerate((b"", b"torn", b"\1\1" + bytes(36) + b"\x05", b"\1\1" + bytes(36) + b"\x92\x01")):
        await client.hset(PREFIX + "orders", f"o{number}", spoilt)
    await asyncio.sleep(0.01)
    assert await store.partitions[0].orders.expire(10) == 2
    assert await free(store, 1) == [6]
    assert await store.partitions[0].orders.expire(10) == 0
    touched = dict((await store.partitions[0].cells.touched(b"0-0", 100)).columns)
    assert len(unpack(touched["holds"])) == 2 * 6


async def test_numbers_of_names_are_given_once_and_for_ever(store: Store) -> None:
    """Cells are made of them: a number that moved would sell one SKU's stock as another's."""
    assert await store.catalogue.put_skus([("a", b"{}"), ("b", b"{}"), ("a", b"[]")]) == [0, 1, 0]
    both = await asyncio.gather(
        store.catalogue.put_skus([("c", b"{}"), ("b", b"{}")]), store.catalogue.put_skus([("d", b"{}"), ("c", b"{}")])
    )
    assert both[0][1] == 1
    assert both[0][0] == both[1][1]
    rows = {row.name: row.number async for page in store.catalogue.scan_skus() for row in page}
    assert sorted(rows.values()) == [0, 1, 2, 3]


async def test_a_full_catalogue_writes_no_name(store: Store, client: Redis) -> None:
    """The names of one call belong together, and a cell number has room for so many warehouses only."""
    await store.catalogue.put_warehouses([(f"W{number}", b"{}") for number in range(4_095)])
    before = await everything(client)
    with pytest.raises(StoreRefused, match="catalogue is full"):
        await store.catalogue.put_warehouses([("W0", b"[]"), ("last", b"{}"), ("one too many", b"{}")])
    assert await everything(client) == before
    assert await store.catalogue.put_warehouses([("last", b"{}")]) == [4_095]


async def test_a_writer_that_was_away_for_long_is_told_of_no_loss(store: Store, client: Redis) -> None:
    """Its row is gone for its age: whoever opened since must not make its commits look lost."""
    partition = store.partitions[0]
    await partition.movements.set_stock([1], [5], [0])
    await commit(store, Args().order("one", (1, 1)))
    await client.hdel(PREFIX + "writers", store.writer)
    with pytest.raises(StoreChanged):
        await commit(store, Args().order("two", (1, 1)))
    await store.open()
    assert partition.lost_commits == 0
    await commit(store, Args().order("two", (1, 1)))
    assert await free(store, 1) == [3]


async def test_a_strange_record_stops_no_hold_half_way(store: Store, client: Redis) -> None:
    """A shipment without its cells: the orders before and after it end whole, with their events."""
    await store.partitions[0].movements.set_stock([1], [10], [0])
    args = Args()
    for number in range(3):
        args.order(f"o{number}", (1, 1), hold_ms=1)
    await commit(store, args)
    strange = pack([[[1, 0, 0]], [], [], "CNY", "cheapest", "order", [], []])
    head = (await client.hget(PREFIX + "orders", "o1"))[:38]
    await client.hset(PREFIX + "orders", "o1", head + strange)
    await asyncio.sleep(0.01)
    assert await store.partitions[0].orders.expire(10) == 2
    assert await free(store, 1) == [9]
    assert await store.partitions[0].orders.expire(10) == 0
