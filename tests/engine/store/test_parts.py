"""How other partitions follow the home of an order, whoever died on the way, and that nothing is free in between."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from engine.intake import follow_order, settle_due
from engine.planner import Record
from engine.store import Replacement, Store, attempt_args, home_of
from tests.engine.store.by_hand import LONG_HOLD_MS, body, unpack
from tests.engine.store.three import CELLS, commit_over, fill, levels, opened_in_three, part, step


@pytest.fixture
async def three(empty_store_url: str) -> AsyncIterator[Store]:
    """A store of three partitions with ten units in a cell of each."""
    async with opened_in_three(empty_store_url) as one:
        await fill(one, 10)
        yield one


TAKES = dict(zip(CELLS, (1, 2, 3), strict=True))


async def assert_follows(store: Store, client: Redis, order_id: str) -> None:
    """Every part is what the record says, and nobody is left to follow."""
    await follow_order(store, order_id)
    home = store.home(order_id)
    record = Record((await store.read_orders([order_id]))[0] or b"")
    held, shipped = dict(record.held), dict(record.shipped)
    for cell in TAKES:
        owner = store.owner(cell)
        if owner is not home:
            own = [cell, held[cell]] if held.get(cell) else []
            gone = [cell, shipped[cell]] if shipped.get(cell) else []
            found = await part(client, owner, order_id)
            assert found in ([record.version, own, gone, []], None if not own + gone else found)
    assert (await home.crossing.due(10)).orders == []


@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize("order_id", ["a", "b", "c", "d"])
async def test_parts_follow_from_step_to_step(three: Store, client: Redis, order_id: str, sealed: bool) -> None:
    """Whether or not the attempt became a part before the first step, and wherever the order is at home."""
    attempt = await commit_over(three, order_id, TAKES, hold_ms=LONG_HOLD_MS)
    others = [partition for partition in three.partitions if partition is not three.home(order_id)]
    if sealed:
        assert [await partition.crossing.seal([attempt]) for partition in others] == [1, 1]
    expected = [(9, 10), (8, 10), (7, 10)]
    assert await levels(three) == expected
    for what, detail in (("extend", LONG_HOLD_MS), ("confirm", ""), ("ship", [CELLS[1], 1, CELLS[2], 3])):
        assert (await step(three, what, order_id, what, detail)).letter == "A"
        await assert_follows(three, client, order_id)
        assert [partition.number for partition in others if await partition.crossing.seal([attempt])] == []
    assert await levels(three) == [(9, 10), (8, 9), (7, 7)]
    assert (await step(three, "ship", order_id, "rest", [])).letter == "A"
    await assert_follows(three, client, order_id)
    assert await levels(three) == [(9, 9), (8, 8), (7, 7)]


@pytest.mark.parametrize("order_id", ["a", "b", "c", "d"])
async def test_a_seal_that_comes_after_the_end_holds_nothing(three: Store, client: Redis, order_id: str) -> None:
    """The order was cancelled before others heard that it was decided for."""
    attempt = await commit_over(three, order_id, TAKES)
    assert (await step(three, "cancel", order_id, "t")).letter == "A"
    await assert_follows(three, client, order_id)
    for partition in three.partitions:
        assert await partition.crossing.seal([attempt]) == 0
    assert await levels(three) == [(10, 10)] * 3


async def test_another_process_has_them_follow_when_the_first_died(three: Store) -> None:
    """The outbox of the home tells it what is due."""
    await commit_over(three, "a", TAKES)
    assert (await step(three, "cancel", "a", "t")).letter == "A"
    async with opened_in_three(three.url) as other:
        assert await settle_due(other) == 1
        assert await settle_due(other) == 0
    assert await levels(three) == [(10, 10)] * 3


@pytest.mark.parametrize("order_id", ["a", "b", "c", "d"])
async def test_split_units_are_never_free_on_the_way(three: Store, client: Redis, order_id: str) -> None:
    """Whoever has only the parent follow brings its children along, later changes of the parent included."""
    await commit_over(three, order_id, TAKES)
    await follow_order(three, order_id)
    home, child = three.home(order_id), f"{order_id}/b"
    rows = [
        Replacement(order_id, 1, body(1, {CELLS[0]: 1}, {})),
        Replacement(child, 0, body(2, {CELLS[1]: 2, CELLS[2]: 3}, {})),
    ]
    assert (await home.orders.replace("split:t=0", rows, event="split", reason="", limits={})).letter == "A"
    assert (await step(three, "confirm", order_id, "t")).letter == "R"
    assert (await step(three, "ship", order_id, "t", [])).letter == "A"
    assert [found for found, _ in await home.crossing.family([order_id])] == [order_id, child]
    await assert_follows(three, client, order_id)
    await assert_follows(three, client, child)
    assert await levels(three) == [(9, 9), (8, 10), (7, 10)]
    assert await most_free(three, client) == [9, 8, 7]
    assert (await step(three, "cancel", child, "t")).letter == "A"
    await assert_follows(three, client, child)
    assert await levels(three) == [(9, 9), (10, 10), (10, 10)]


async def most_free(store: Store, client: Redis) -> list[int]:
    """What was free in each cell when it was the most, after it was first taken from: what others could have bought."""
    most = []
    for cell in CELLS:
        level, seen = 0, []
        for _, entry in await client.xrange(store.owner(cell).keys.events):
            level -= _taken(entry, cell)
            seen.append(level)
        most.append(max(seen[2:], default=level))
    return most


def _taken(entry: dict[bytes, bytes], cell: int) -> int:
    cells = [int(name) for name in unpack(entry[b"c"])]
    return sum(units for one, units in zip(cells, unpack(entry[b"d"]), strict=False) if one == cell)


@pytest.mark.parametrize("order_id", ["a", "b", "c", "d"])
async def test_an_order_that_gives_up_its_part_elsewhere_is_followed(three: Store, order_id: str) -> None:
    """What it was before tells who has to follow, not only what it is."""
    await commit_over(three, order_id, TAKES)
    await follow_order(three, order_id)
    home = three.home(order_id)
    own = CELLS[home.number]
    rows = [Replacement(order_id, 1, body(1, {own: 1}, {}))]
    assert (await home.orders.replace("amend:t=0", rows, event="amend", reason="", limits={})).letter == "A"
    assert len((await home.crossing.due(10)).orders) == 1
    await settle_due(three)
    assert await levels(three) == [(9 if cell == own else 10, 10) for cell in CELLS]


async def amend_over(store: Store, attempt: str, *, lease_ms: int) -> list[Replacement]:
    """Prepare two units more in each other partition for an amendment of "a"; returns what is to be decided."""
    home = home_of("a", len(CELLS))
    for cell in CELLS:
        if store.owner(cell) is not store.home("a"):
            reply = await store.owner(cell).crossing.prepare(
                attempt_args(attempt, "a", home, [(cell, 2)], [(f"{cell // 4096}:ann", 1, 5)]), lease_ms
            )
            assert reply.outcomes == b""
    counters = {f"{cell // 4096}:ann": 1 for cell in CELLS if store.owner(cell) is not store.home("a")}
    return [Replacement("a", 1, body(1, {cell: units + 2 for cell, units in TAKES.items()}, counters))]


async def test_an_amendment_that_nobody_decided_for_is_given_back(three: Store) -> None:
    """Its lease ends, its home says no, and can never say yes any more."""
    await commit_over(three, "a", TAKES)
    await follow_order(three, "a")
    before = await levels(three)
    rows = await amend_over(three, "amending", lease_ms=0)
    await settle_due(three)
    assert await levels(three) == before
    late = await three.home("a").orders.replace(
        "amend:t=0", rows, event="amend", reason="", limits={}, attempt="amending"
    )
    assert late.letter == "X"
    assert await levels(three) == before


@pytest.mark.parametrize("lease_ms", [0, 60_000])
async def test_an_amendment_that_was_decided_for_is_followed_whoever_died(
    three: Store, client: Redis, lease_ms: int
) -> None:
    """By the lease or by the outbox, whichever is looked at first."""
    await commit_over(three, "a", TAKES)
    await follow_order(three, "a")
    rows = await amend_over(three, "amending", lease_ms=lease_ms)
    done = await three.home("a").orders.replace(
        "amend:t=0", rows, event="amend", reason="", limits={}, attempt="amending"
    )
    assert done.letter == "A"
    await settle_due(three)
    await settle_due(three)
    assert await levels(three) == [(7, 10), (6, 10), (5, 10)]
    record = Record(done.records[0])
    for cell in CELLS:
        if three.owner(cell) is not three.home("a"):
            counter = f"{cell // 4096}:ann"
            assert await part(client, three.owner(cell), "a") == [
                record.version,
                [cell, TAKES[cell] + 2],
                [],
                [[counter, 1]],
            ]
            assert await three.owner(cell).orders.read_counter(counter) == 1
    assert (await step(three, "cancel", "a", "t")).letter == "A"
    await follow_order(three, "a")
    assert await levels(three) == [(10, 10)] * 3


async def test_an_attempt_alone_is_refused_by_stock_and_by_limits(three: Store) -> None:
    """Then nothing of it is held."""
    crossing = three.partitions[1].crossing
    for cells, counters, letter in (
        ([(CELLS[1], 11)], [], b"S"),
        ([(CELLS[1], 1)], [("1:ann", 6, 5)], b"L"),
        ([], [("1:ann", 6, 5)], b"L"),
    ):
        assert (await crossing.prepare(attempt_args("x", "a", 0, cells, counters), 1000)).outcomes == letter
    assert await levels(three) == [(10, 10)] * 3
    assert await three.partitions[1].orders.read_counter("1:ann") == 0
