"""The repair: sets what is certain and nothing else, says so in the stream, and leaves the rest to a human."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from engine import RepairReport
from engine.store import home_of
from tests.engine.audit_case import Spoilt, crossing_sale, pack, small_sale
from tests.engine.small_network import order, reserved
from tests.engine.store.by_hand import everything


@pytest.fixture(params=[1, 3])
async def sale(empty_store_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Spoilt]:
    """The small sale, in one partition or in three."""
    async with small_sale(empty_store_url, partitions=request.param) as one:
        yield one


@pytest.fixture
async def three(empty_store_url: str) -> AsyncIterator[Spoilt]:
    """The small sale in three partitions."""
    async with small_sale(empty_store_url, partitions=3) as one:
        yield one


KEPT = (
    "free",
    "on_hand",
    "safety",
    "quarantined",
    "inbound",
    "counters",
    "orders",
    "holds",
    "parts",
    "tentative",
    "leases",
)


async def books_of(sale: Spoilt) -> dict[bytes, Any]:
    """All that orders and cells are, without the stream and what counts it."""
    own = {sale.key(name, at).encode() for name in KEPT for at in range(len(sale.engine.store.partitions))}
    return {key: value for key, value in (await everything(sale.client)).items() if key in own}


async def repaired(sale: Spoilt, before: dict[bytes, Any]) -> RepairReport:
    """A dry run that writes nothing, then the repair that it foretold, after which the books are as `before`."""
    spoilt = await everything(sale.client)
    planned = await sale.engine.repair(dry_run=True)
    assert await everything(sale.client) == spoilt, "a dry run wrote"
    report = await sale.engine.repair(dry_run=False)
    assert report.steps == planned.steps
    assert (report.left, planned.left) == ((), ())
    assert await sale.audit() == []
    assert await books_of(sale) == before
    return report


async def repair_events(sale: Spoilt, partition: int = 0) -> list[list[Any]]:
    """What repairs say that they set, in the order of the stream."""
    entries = await sale.client.xrange(sale.key("events", partition))
    found = [fields for _, fields in entries if fields[b"t"] == b"repair"]
    assert all(fields[b"r"] == b"repair" for fields in found)
    return [row for fields in found for row in msgspec.msgpack.decode(fields[b"f"])]


def steps_of(report: RepairReport) -> list[tuple[str, str, int | None, int | None]]:
    """What was set where, what was there and what is."""
    return [(step.what, step.where, step.seen, step.set) for step in report.steps]


async def test_sound_books_are_left_alone(sale: Spoilt) -> None:
    """There is nothing to set, and no event that says otherwise."""
    before = await everything(sale.client)
    report = await sale.engine.repair(dry_run=False)
    assert (report.steps, report.left) == ((), ())
    assert await everything(sale.client) == before


@pytest.mark.parametrize("units", [2, -2])
async def test_a_changed_cell_is_set_from_its_reservations(sale: Spoilt, units: int) -> None:
    """The step is an event like any other, so the sum is set after it."""
    before = await books_of(sale)
    await sale.client.hincrby(sale.key("free"), sale.cell("x", "B"), units)
    report = await repaired(sale, before)
    assert steps_of(report) == [
        ("free", "x at B", 3 + units, 3),
        ("total", "free of partition 0", 3 - units, 3),
    ]
    assert await repair_events(sale) == [
        ["free", sale.cell("x", "B"), 3 + units, 3],
        ["total", "free_total", 3 - units, 3],
    ]


async def test_followers_see_what_a_repair_gave_and_took(sale: Spoilt) -> None:
    """An engine that loaded the wrong level sells by it until it hears."""
    await sale.client.hincrby(sale.key("free"), sale.cell("x", "B"), -3)
    await sale.engine.repair(dry_run=False)
    entries = await sale.client.xrange(sale.key("events"))
    told = [fields for _, fields in entries if fields[b"t"] == b"repair" and fields[b"d"] != pack([])]
    assert [(msgspec.msgpack.decode(one[b"c"]), msgspec.msgpack.decode(one[b"d"])) for one in told] == [
        ([sale.cell("x", "B")], [-3])
    ]
    reserved(await sale.engine.reserve(order("rest", ("x", 3))))
    assert await sale.audit() == []


@pytest.mark.parametrize("found", [0, 7])
async def test_a_changed_counter_is_set_from_the_records(sale: Spoilt, found: int) -> None:
    """The customer may buy again what the limit leaves, and no more."""
    before = await books_of(sale)
    name = f"{sale.engine.planner.core.sku_number('few')}:ann"
    await sale.client.hset(sale.key("counters"), name, found)
    report = await repaired(sale, before)
    assert steps_of(report) == [("counter", "limit of few for ann", found, 3)]
    assert await repair_events(sale) == [["counter", name, found, 3]]


async def test_holds_are_set_from_the_records(sale: Spoilt) -> None:
    """The missing one ends its order in time, the strange one is gone."""
    before = await books_of(sale)
    homes = {name: home_of(name, len(sale.engine.store.partitions)) for name in ("one", "two")}
    expires_ms = int(await sale.client.zscore(sale.key("holds", homes["two"]), "two") or 0)
    await sale.client.zrem(sale.key("holds", homes["two"]), "two")
    await sale.client.zadd(sale.key("holds", homes["one"]), {"one": 77})
    report = await repaired(sale, before)
    assert sorted(steps_of(report)) == [("hold", "order one", 77, None), ("hold", "order two", None, expires_ms)]


async def test_totals_are_set_from_the_cells(sale: Spoilt) -> None:
    """From here on, what happens without an event shows again."""
    before = await books_of(sale)
    await sale.client.hincrby(sale.key("meta"), "free_total", 9)
    await sale.client.hincrby(sale.key("meta"), "on_hand_total", -9)
    report = await repaired(sale, before)
    assert steps_of(report) == [
        ("total", "free of partition 0", 12, 3),
        ("total", "on hand of partition 0", -1, 8),
    ]


async def test_a_part_is_set_from_its_record_and_its_cell_follows(three: Spoilt) -> None:
    """First the part, for the cell would else be given to somebody else: it agrees again, so it is not touched."""
    order_id, _, at = await crossing_sale(three)
    before = await books_of(three)
    await three.client.hdel(three.key("parts", at), order_id)
    report = await repaired(three, before)
    assert steps_of(report) == [("part", f"order {order_id} in partition {at}", 0, 2)]
    await three.client.hset(three.key("parts", at), order_id, pack([1, [int(three.cell("y", "C")), 5], [], []]))
    await repaired(three, before)
    assert [row[0] for row in await repair_events(three, at)] == ["part", "part"]


async def test_an_attempt_without_a_lease_gets_one_that_is_due(three: Spoilt) -> None:
    """Its home is asked, which has decided nothing: the units come back."""
    cell = three.cell("x", "B")
    await three.client.hset(three.key("tentative"), "try", pack(["lost", 2, [int(cell), 1], []]))
    await three.client.hincrby(three.key("free"), cell, -1)
    await three.client.hincrby(three.key("meta"), "free_total", -1)
    await three.client.zadd(three.key("leases"), {"nothing": 1_000})
    report = await three.engine.repair(dry_run=False)
    assert [(step.what, step.where) for step in report.steps] == [
        ("lease", "attempt nothing"),
        ("lease", "attempt try"),
    ]
    due = await three.engine.store.partitions[0].crossing.due(10)
    assert [lease.attempt for lease in due.leases] == ["try"]


async def test_many_breaks_are_mended_in_bounded_steps(sale: Spoilt) -> None:
    """No step keeps the sale waiting for long, however much is wrong."""
    before = await books_of(sale)
    await sale.client.hset(sale.key("counters"), mapping={f"0:c{number}": 1 for number in range(650)})
    report = await sale.engine.repair(dry_run=False)
    assert (len(report.steps), report.left) == (650, ())
    entries = await sale.client.xrange(sale.key("events"))
    assert len([1 for _, fields in entries if fields[b"t"] == b"repair"]) == 4
    assert await sale.audit() == []
    await sale.client.hdel(sale.key("counters"), *(f"0:c{number}" for number in range(650)))
    assert await books_of(sale) == before


# What is left to a human


async def left_alone(sale: Spoilt, kinds: set[str]) -> None:
    """A repair sets nothing for differences of these kinds, and names them."""
    before = await everything(sale.client)
    for dry_run in (True, False):
        report = await sale.engine.repair(dry_run=dry_run)
        assert report.steps == ()
        assert {one.kind for one in report.left} == kinds
        assert report.left_count == len(report.left)
    assert await everything(sale.client) == before


async def test_an_unreadable_record_is_left_to_a_human_and_so_is_what_it_may_hold(sale: Spoilt) -> None:
    """To give its units to others because it cannot be read would sell them twice."""
    home = home_of("two", len(sale.engine.store.partitions))
    await sale.client.hset(sale.key("orders", home), "two", b"torn")
    await left_alone(sale, {"record", "reserved"} if home == 0 else {"record"})


async def test_an_oversold_cell_is_left_to_a_human(sale: Spoilt) -> None:
    """Which of its customers goes without is no matter of arithmetic."""
    for key in ("free", "on_hand"):
        await sale.client.hincrby(sale.key(key), sale.cell("x", "B"), -4)
    for total in ("free_total", "on_hand_total"):
        await sale.client.hincrby(sale.key("meta"), total, -4)
    await left_alone(sale, {"oversold"})


async def test_missing_events_are_left_to_a_human(sale: Spoilt) -> None:
    """Nobody can write what was in them."""
    ids = [event for event, _ in await sale.client.xrange(sale.key("events"))]
    await sale.client.xdel(sale.key("events"), ids[-2])
    await left_alone(sale, {"event"})


async def test_a_part_without_an_order_is_left_to_a_human(three: Spoilt) -> None:
    """The order may only be lost: to give its units to others cannot be taken back."""
    order_id, home, _ = await crossing_sale(three)
    await three.client.hdel(three.key("orders", home), order_id)
    report = await three.engine.repair(dry_run=False)
    assert {one.kind for one in report.left} == {"part"}
    assert {step.what for step in report.steps} <= {"free"}


# While others work


async def test_a_repair_during_a_sale_mends_and_takes_nothing_from_it(sale: Spoilt) -> None:
    """Each step finds what it saw, or does nothing and looks again."""
    partition = sale.engine.store.partitions[0]
    cells = [int(sale.cell("x", name)) for name in "ABC"]
    event, levels, _ = await partition.movements.set_stock(cells, [5_000] * 3, [-1] * 3)
    sale.engine.planner.set_levels(list(zip(cells, levels, strict=True)), event)
    over = False

    async def buy(caller: int) -> int:
        sold = 0
        while not over:
            reserved(await sale.engine.reserve(order(f"s{caller}/{sold}", ("x", 1))))
            sold += 1
        return sold

    callers = [asyncio.create_task(buy(caller)) for caller in range(8)]
    for name in "ABC":
        await sale.client.hincrby(sale.key("free"), sale.cell("x", name), -7)
    reports = [await sale.engine.repair(dry_run=False)]
    while reports[-1].left_count and len(reports) < 5:
        reports.append(await sale.engine.repair(dry_run=False))
    over = True
    sold = sum(await asyncio.gather(*callers))
    report = await sale.engine.audit()
    assert (report.differences, report.units_reserved) == ((), sold + 5)
    assert {(step.what, step.where) for one in reports for step in one.steps} == {
        ("free", "x at A"),
        ("free", "x at B"),
        ("free", "x at C"),
        ("total", "free of partition 0"),
    }


async def test_two_repairs_at_once_correct_nothing_twice(sale: Spoilt) -> None:
    """A sum has no value of its own to be compared with: the second one is told to audit again."""
    await sale.client.hincrby(sale.key("meta"), "free_total", 9)
    await asyncio.gather(*(sale.engine.repair(dry_run=False) for _ in range(3)), return_exceptions=True)
    assert await sale.audit() == []
    assert await repair_events(sale) == [["total", "free_total", 12, 3]]
