"""Movements over partitions, step by step, with whoever began them gone in between: every row or none, always."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from engine import Settings
from engine.errors import StockUnderChange
from engine.intake import settle_due
from engine.intake.moving import put_counts, put_movement
from engine.store import CountRows, MoveRow, Partition, Store
from tests.engine.store.by_hand import Args
from tests.engine.store.rebuilt import check_events, undecided

CELLS = (0 * 4096, 1 * 4096, 2 * 4096)
"""One of each partition."""

ROWS = [MoveRow(CELLS[0], -4), MoveRow(CELLS[1], 3), MoveRow(CELLS[2], -10)]
AFTER = [6, 13, 0]
PRINT = b"fingerprint 16 b"
ENDS_AT_ONCE_MS, LONG_MS = 0, 60_000


@pytest.fixture
async def store(empty_store_url: str) -> AsyncIterator[Store]:
    """Three partitions, ten units in a cell of each; afterwards nothing is half done, and the events tell all."""
    async with Store(empty_store_url, namespace=Settings().namespace, timeout_s=5, partitions=3) as one:
        await put_counts(one, CELLS, [10] * 3, [-1] * 3)
        yield one
        async with Redis.from_url(empty_store_url) as client:
            assert await undecided(client, 3) == 0
            await check_events(client, 3)


async def prepare(store: Store, movement_id: str, *, lease_ms: int) -> None:
    """The first step, in every partition."""
    home = store.home(movement_id).number
    for partition, row in zip(store.partitions, ROWS, strict=True):
        reply = await partition.movements.prepare(movement_id, home, f"by {movement_id}", "adjust", "", [row], lease_ms)
        assert reply.letter == "A"


async def settle(store: Store) -> None:
    """Until nothing is due."""
    while await settle_due(store):
        pass


async def levels(store: Store) -> list[tuple[int, int]]:
    """(on_hand, free) of the cells."""
    return [(row.on_hand, row.free) for row in await store.read_cells(CELLS)]


async def sell(partition: Partition, cell: int, units: int) -> bytes:
    """An order for units of one cell, decided in that cell's own partition."""
    return (await partition.orders.commit(Args().order(f"order {cell} {units}", (cell, units)).packed())).outcomes


async def test_what_was_only_prepared_is_given_back_and_can_never_be_decided(store: Store) -> None:
    """The clerk's machine died; what it tells the home later, from a slow network, comes too late."""
    await prepare(store, "m", lease_ms=ENDS_AT_ONCE_MS)
    assert await levels(store) == [(10, 6), (10, 10), (10, 0)]
    await settle(store)
    assert await levels(store) == [(10, 10)] * 3
    assert await store.home("m").movements.decide("m", PRINT, "by m") == "X"
    assert (await put_movement(store, "m", PRINT, "adjust", "", ROWS)).letter == "A"
    assert await levels(store) == [(units, units) for units in AFTER]


@pytest.mark.parametrize("told", [0, 1, 2, 3])
async def test_what_was_decided_is_done_everywhere_whoever_was_told(store: Store, told: int) -> None:
    """All rows, once each: also where a partition is told, and then asks."""
    await prepare(store, "m", lease_ms=ENDS_AT_ONCE_MS)
    assert await store.home("m").movements.decide("m", PRINT, "by m") == "A"
    for partition in store.partitions[:told]:
        assert await partition.movements.apply("by m") is not None
    await settle(store)
    assert await levels(store) == [(units, units) for units in AFTER]
    for partition in store.partitions:
        assert await partition.movements.apply("by m") is None
        assert await partition.movements.drop("by m") is None
    assert await store.home("m").movements.decide("m", PRINT, "another") == "R"
    assert (await put_movement(store, "m", PRINT, "adjust", "", ROWS)).letter == "R"
    assert (await put_movement(store, "m", b"another 16 bytes", "adjust", "", ROWS)).letter == "C"
    assert await levels(store) == [(units, units) for units in AFTER]


async def test_a_lease_that_runs_out_before_all_have_prepared_ends_the_movement(store: Store) -> None:
    """One partition has given back already: then no other may do its row."""
    await prepare(store, "m", lease_ms=LONG_MS)
    await store.home("m").movements.refuse([("m", "by m")])
    assert await store.home("m").movements.decide("m", PRINT, "by m") == "X"
    for partition in store.partitions:
        await partition.movements.drop("by m")
    assert await levels(store) == [(10, 10)] * 3


async def test_until_it_is_settled_no_other_movement_changes_the_same_cells(store: Store) -> None:
    """A count, or a comparison with what is on hand, would be of what is not true yet."""
    await prepare(store, "m", lease_ms=ENDS_AT_ONCE_MS)
    (first, *_) = store.partitions
    with pytest.raises(StockUnderChange):
        await first.movements.count([CELLS[0]], [10], [-1])
    assert (await put_counts(store, CELLS, [1] * 3, [-1] * 3)).letter == "P"
    assert (await put_movement(store, "n", PRINT, "adjust", "", ROWS[:1])).letter == "P"
    await settle(store)
    assert await levels(store) == [(10, 10)] * 3


async def test_what_is_sold_meanwhile_is_not_what_was_prepared(store: Store) -> None:
    """Orders do not wait for movements: they take what these leave, and what is added only when it is there."""
    await prepare(store, "m", lease_ms=ENDS_AT_ONCE_MS)
    first, second, third = store.partitions
    assert await sell(first, CELLS[0], 7) == b"S"
    assert await sell(first, CELLS[0], 6) == b""
    assert await sell(second, CELLS[1], 11) == b"S"
    assert await sell(third, CELLS[2], 1) == b"S"
    assert await store.home("m").movements.decide("m", PRINT, "by m") == "A"
    await settle(store)
    assert await levels(store) == [(6, 0), (13, 13), (0, 0)]
    assert await sell(second, CELLS[1], 13) == b""


async def test_a_count_is_of_the_moment_when_it_was_weighed(store: Store) -> None:
    """What is sold before it is done everywhere stays sold, and on hand is what was counted."""
    first, second, _ = store.partitions
    rows = (CountRows([str(CELLS[0])], [4], [1]), CountRows([str(CELLS[1])], [12], [-1]))
    for partition, row in zip((first, second), rows, strict=True):
        reply = await partition.movements.prepare("count", 0, "attempt", "count", "", row, ENDS_AT_ONCE_MS)
        assert reply.letter == "A"
    assert await sell(first, CELLS[0], 3) == b""
    assert await sell(second, CELLS[1], 10) == b""
    assert await first.movements.decide("count", PRINT, "attempt") == "A"
    await settle(store)
    assert (await levels(store))[:2] == [(4, 0), (12, 2)]


async def test_a_count_that_is_done_leaves_no_trace_of_its_own(store: Store) -> None:
    """Nobody can send the same count again, so there is nothing to be kept for ever."""
    async with Redis.from_url(store.url) as client:
        for number in range(3):
            assert await client.hkeys(f"stockade:{{p{number}}}:movements") == [b""]


async def test_a_row_that_is_refused_in_one_partition_leaves_the_others_as_they_were(store: Store) -> None:
    """With the row's place in the whole call."""
    rows = [ROWS[0], ROWS[1], MoveRow(CELLS[2], -11)]
    done = await put_movement(store, "m", PRINT, "adjust", "", rows)
    assert (done.letter, [(row.row, row.letter, row.found) for row in done.refused]) == ("N", [(2, "S", 10)])
    assert await levels(store) == [(10, 10)] * 3
