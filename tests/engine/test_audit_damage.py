"""Every kind of damage, done by hand, is named: what it is, where, what should be there and what is."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from engine.model import Sku, Warehouse
from engine.store import home_of
from engine.store.keys import CHANNEL_CELLS
from tests.engine.audit_case import Spoilt, crossing_sale, pack, small_sale
from tests.engine.small_network import order, reserved


@pytest.fixture(params=[1, 3])
async def sale(empty_store_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Spoilt]:
    """The small sale. Its SKUs are numbers 0 and 3, so that all its cells are in partition 0 of one or of three."""
    async with small_sale(empty_store_url, partitions=request.param) as one:
        yield one


@pytest.fixture
async def three(empty_store_url: str) -> AsyncIterator[Spoilt]:
    """The small sale in three partitions."""
    async with small_sale(empty_store_url, partitions=3) as one:
        yield one


def at_home(sale: Spoilt, order_id: str) -> int:
    """The partition that decides about an order."""
    return home_of(order_id, len(sale.engine.store.partitions))


@pytest.mark.parametrize("units", [1, -1])
async def test_a_changed_cell_is_named_and_so_is_the_sum(sale: Spoilt, units: int) -> None:
    """A unit from nowhere would be sold and could not be shipped."""
    await sale.client.hincrby(sale.key("free"), sale.cell("x", "B"), units)
    assert await sale.audit() == [
        ("total", "free of partition 0", 3, 3 + units),
        ("reserved", "x at B", 2, 2 - units),
    ]


async def test_units_on_hand_without_an_event_are_named_though_the_cell_agrees(sale: Spoilt) -> None:
    """Found or stolen, somebody has to have said so: the books would lead elsewhere than the shelf."""
    for key in ("free", "on_hand"):
        await sale.client.hincrby(sale.key(key), sale.cell("x", "B"), 4)
    assert await sale.audit() == [
        ("total", "free of partition 0", 3, 7),
        ("total", "on hand of partition 0", 8, 12),
    ]


async def test_an_event_without_its_change_is_named(sale: Spoilt) -> None:
    """Followers of the stream would believe what never was."""
    await sale.client.hincrby(sale.key("meta"), "free_total", -2)
    assert await sale.audit() == [("total", "free of partition 0", 1, 3)]


async def test_a_lost_safety_stock_is_named(sale: Spoilt) -> None:
    """What it kept back seems to be reserved by nobody."""
    partition = sale.engine.store.partitions[0]
    await partition.movements.set_stock([int(sale.cell("x", "B"))], [5], [1])
    assert await sale.audit() == []
    await sale.client.hdel(sale.key("safety"), sale.cell("x", "B"))
    assert await sale.audit() == [("reserved", "x at B", 2, 3)]


async def test_a_deleted_cell_is_named(sale: Spoilt) -> None:
    """What is reserved of a cell that is gone is sold without being there."""
    for key in ("free", "on_hand"):
        await sale.client.hdel(sale.key(key), sale.cell("x", "B"))
    found = await sale.audit()
    assert [row for row in found if row[0] != "total"] == [("reserved", "x at B", 2, 0), ("oversold", "x at B", 0, 2)]


async def test_more_reserved_than_on_hand_is_named_though_the_sums_agree(sale: Spoilt) -> None:
    """Oversold is the one thing that must never be, whatever else adds up."""
    for key in ("free", "on_hand"):
        await sale.client.hincrby(sale.key(key), sale.cell("x", "B"), -4)
    for total in ("free_total", "on_hand_total"):
        await sale.client.hincrby(sale.key("meta"), total, -4)
    assert await sale.audit() == [("oversold", "x at B", 1, 2)]


async def test_a_pool_is_part_of_its_cell(sale: Spoilt) -> None:
    """Units in a channel's pool are neither reserved nor free for others; nobody may offer more than there is."""
    pool, cell = str(CHANNEL_CELLS + int(sale.cell("x", "B"))), sale.cell("x", "B")
    await sale.client.hset(sale.key("free"), mapping={pool: 2, cell: 1})
    assert await sale.audit() == []
    await sale.client.hset(sale.key("free"), mapping={pool: 5, cell: -2})
    assert await sale.audit() == [("oversold", "x at B", 3, 5)]
    await sale.client.hset(sale.key("free"), mapping={pool: -1, cell: 4})
    assert await sale.audit() == [("negative", "x at B", 0, -1)]


async def test_units_below_zero_are_named(sale: Spoilt) -> None:
    """Nothing can be set apart or kept back that is not there."""
    await sale.client.hset(sale.key("quarantined"), sale.cell("x", "B"), -3)
    await sale.client.hset(sale.key("safety"), sale.cell("few", "A"), -1)
    assert await sale.audit() == [
        ("negative", "x at B", 0, -3),
        ("reserved", "few at A", 3, 4),
        ("negative", "few at A", 0, -1),
    ]


@pytest.mark.parametrize("spoilt", [b"torn", b"\xc1", pack([["PO-1", -4, 0]])])
async def test_arrivals_that_cannot_be_read_are_named(sale: Spoilt, spoilt: bytes) -> None:
    """What is promised from them could never be told to have come."""
    await sale.client.hset(sale.key("inbound"), sale.cell("x", "B"), spoilt)
    assert await sale.audit() == [("unreadable", "x at B", 0, 0)]


async def test_a_level_that_is_no_number_is_named(sale: Spoilt) -> None:
    """The sale takes it for nothing; the audit says what stands there."""
    await sale.client.hset(sale.key("free"), sale.cell("x", "B"), "many")
    report = await sale.engine.audit()
    assert [(one.kind, one.where) for one in report.differences] == [
        ("total", "free of partition 0"),
        ("unreadable", "x at B"),
        ("reserved", "x at B"),
    ]


async def test_a_deleted_order_is_named_by_all_that_it_held(sale: Spoilt) -> None:
    """Its units are held by nobody, its customer may not buy again, and its hold ends nothing."""
    assert {at_home(sale, name) for name in ("one", "two")} <= {0, 1, 2}
    for name in ("one", "two"):
        await sale.client.hdel(sale.key("orders", at_home(sale, name)), name)
    found = await sale.audit()
    own = {name: at_home(sale, name) == 0 for name in ("one", "two")}
    assert [row for row in found if row[0] == "part"] == [
        ("part", f"order {name} in partition 0", 0, units) for name, units in (("one", 3), ("two", 2)) if not own[name]
    ]
    held = [("two", ("reserved", "x at B", 0, 2)), ("one", ("reserved", "few at A", 0, 3))]
    assert [row for row in found if row[0] == "reserved"] == [row for name, row in held if own[name]]
    assert [row for row in found if row[0] == "limit"] == [("limit", "limit of few for ann", 0, 3)] * own["one"]
    assert [row[:3] for row in found if row[0] == "hold"] == [("hold", "order two", 0)]


@pytest.mark.parametrize("spoilt", [b"", b"torn", b"\x09" + bytes(60), b"\x02\x02" + bytes(36) + b"\xff"])
async def test_an_unreadable_record_is_named(sale: Spoilt, spoilt: bytes) -> None:
    """The other orders are still counted."""
    await sale.client.hset(sale.key("orders", at_home(sale, "two")), "two", spoilt)
    found = await sale.audit()
    own = [("reserved", "x at B", 0, 2)] * (at_home(sale, "two") == 0)
    assert found == [("record", "order two", 0, 0), *own]


@pytest.mark.parametrize("found", [0, 4])
async def test_a_changed_counter_is_named(sale: Spoilt, found: int) -> None:
    """Too low sells beyond the limit, too high refuses a customer without reason."""
    name = f"{sale.engine.planner.core.sku_number('few')}:ann"
    await sale.client.hset(sale.key("counters"), name, found)
    assert await sale.audit() == [("limit", "limit of few for ann", 3, found)]


async def test_a_counter_below_zero_is_named(sale: Spoilt) -> None:
    """It would let a customer buy more than the limit."""
    await sale.client.hset(sale.key("counters"), "0:bob", -2)
    assert await sale.audit() == [("limit", "limit of x for bob", 0, -2)]


async def test_more_bought_than_the_catalogue_allows_is_told_and_is_no_difference(sale: Spoilt) -> None:
    """Counter and orders agree, both beyond the limit: whether it was lowered since is for the reader to know."""
    await sale.engine.put_skus([Sku(sku="few", purchase_limit=2)])
    report = await sale.engine.audit()
    assert report.balanced
    (notice,) = report.notices
    assert (notice.kind, notice.where, notice.expected, notice.found) == ("beyond", "limit of few for ann", 2, 3)


async def test_the_counter_of_a_warehouses_day_is_compared(sale: Spoilt) -> None:
    """A day that seems full turns customers away; one that seems empty overruns the warehouse."""
    await sale.engine.put_warehouses([Warehouse(id="A", lat=30.0, lon=110.0, capacity_orders_per_day=4)])
    day = datetime(2026, 11, 22, tzinfo=UTC)
    number = (day - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(days=1)
    await sale.client.hset(sale.key("counters"), f"@0:{number}", 5)
    assert await sale.audit() == [("capacity", "capacity of A on 2026-11-22", 0, 5)]


async def test_a_missing_hold_is_named(sale: Spoilt) -> None:
    """An order that nobody pays would keep its units for ever."""
    home = at_home(sale, "two")
    expires_ms = int(await sale.client.zscore(sale.key("holds", home), "two") or 0)
    await sale.client.zrem(sale.key("holds", home), "two")
    assert await sale.audit() == [("hold", "order two", expires_ms, 0)]
    await sale.client.zadd(sale.key("holds", home), {"two": expires_ms + 5})
    assert await sale.audit() == [("hold", "order two", expires_ms, expires_ms + 5)]


async def test_a_hold_of_a_paid_order_is_named(sale: Spoilt) -> None:
    """It would not end the order; it only says what is not so."""
    await sale.client.zadd(sale.key("holds", at_home(sale, "one")), {"one": 77})
    assert await sale.audit() == [("hold", "order one", 0, 77)]


async def test_missing_events_are_named_by_their_numbers(sale: Spoilt) -> None:
    """Whoever follows the stream has not seen what they told; a trimmed old end is fine."""
    for number in range(3):
        reserved(await sale.engine.reserve(order(f"a{number}", ("x", 1))))
    events = sale.key("events")
    ids = [event for event, _ in await sale.client.xrange(events)]
    numbers = [int(fields[b"n"]) for _, fields in await sale.client.xrange(events)]
    assert numbers == list(range(1, len(ids) + 1))
    await sale.client.xdel(events, ids[0])
    assert await sale.audit() == []
    await sale.client.xdel(events, ids[2])
    report = await sale.engine.audit()
    (difference,) = report.differences
    assert (difference.kind, difference.where) == ("event", "events of partition 0")
    assert (difference.expected, difference.found) == (len(ids) - 1, len(ids) - 2)
    assert f"{numbers[2]} is missing" in difference.detail


async def test_a_missing_last_event_is_named(sale: Spoilt) -> None:
    """The newest change seems not to have been."""
    ids = [event for event, _ in await sale.client.xrange(sale.key("events"))]
    await sale.client.xdel(sale.key("events"), ids[-1])
    assert await sale.audit() == [("event", "events of partition 0", len(ids), len(ids) - 1)]


async def test_an_event_that_nobody_counted_is_named(sale: Spoilt) -> None:
    """A line slipped into the books is no change of theirs."""
    events = await sale.client.xlen(sale.key("events"))
    await sale.client.xadd(sale.key("events"), {"t": "count", "w": "me", "c": pack([]), "d": pack([])})
    assert (await sale.audit())[0] == ("event", "events of partition 0", events, 0)


# Between partitions


async def test_a_missing_part_is_named(three: Spoilt) -> None:
    """The order counts on units that its partition takes to be held by nobody."""
    order_id, home, at = await crossing_sale(three)
    assert at != home
    await three.client.hdel(three.key("parts", at), order_id)
    assert await three.audit() == [
        ("part", f"order {order_id} in partition {at}", 2, 0),
        ("reserved", "y at C", 0, 2),
    ]


async def test_a_tampered_part_is_named(three: Spoilt) -> None:
    """What it holds is not what the order holds there; its own cell shows it as well."""
    order_id, _, at = await crossing_sale(three)
    for part, expected, found in (
        ([1, [int(three.cell("y", "C")), 1], [], []], 2, 1),
        ([1, [int(three.cell("y", "C")), 2], [int(three.cell("y", "C")), 1], []], 2, 2),
        ([4, [int(three.cell("y", "C")), 2], [], []], 1, 4),
    ):
        await three.client.hset(three.key("parts", at), order_id, pack(part))
        named = await three.audit()
        assert named[0] == ("part", f"order {order_id} in partition {at}", expected, found)


async def test_a_part_without_an_order_is_named(three: Spoilt) -> None:
    """It holds units that no order will ever ship or give back."""
    order_id, home, at = await crossing_sale(three)
    await three.client.hdel(three.key("orders", home), order_id)
    named = await three.audit()
    assert ("part", f"order {order_id} in partition {at}", 0, 2) in named


async def test_an_unreadable_part_is_named(three: Spoilt) -> None:
    """What it holds is not known, so its cell is named as well."""
    order_id, _, at = await crossing_sale(three)
    await three.client.hset(three.key("parts", at), order_id, b"torn")
    named = await three.audit()
    assert ("part", f"order {order_id} in partition {at}", 0, 0) in named
    assert ("reserved", "y at C", 0, 2) in named


async def test_an_attempt_is_named_when_nobody_will_settle_it(three: Spoilt) -> None:
    """It holds units for an order that is not decided: without a lease, or long after it, for ever."""
    cell = three.cell("x", "B")
    kept = pack(["lost", 2, [int(cell), 1], []])
    await three.client.hset(three.key("tentative"), "try", kept)
    await three.client.hincrby(three.key("free"), cell, -1)
    await three.client.hincrby(three.key("meta"), "free_total", -1)
    assert [row[:2] for row in await three.audit()] == [("lease", "attempt try")]
    await three.client.zadd(three.key("leases"), {"try": 1_000})
    assert [(kind, where, found) for kind, where, _, found in await three.audit()] == [("lease", "attempt try", 1_000)]
    await three.client.hset(three.key("tentative"), "try", b"torn")
    named = await three.audit()
    assert ("record", "attempt try", 0, 0) in named
    assert ("reserved", "x at B", 2, 3) in named


async def test_a_lease_for_nothing_is_named(three: Spoilt) -> None:
    """It is asked about again and again."""
    await three.client.zadd(three.key("leases"), {"try": 1_000})
    assert await three.audit() == [("lease", "attempt try", 0, 1_000)]
