"""Movements through the engine, on one partition and on three, where rows of one movement have several owners."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from engine import Engine, Settings, open_engine
from engine.errors import InvalidInput, MovementConflict, StockBelowReserved, StockRefused
from engine.intake import Reserved
from engine.model import Cell, Line, Moved, Movement, Order, ShipTo, Sku, StockCount, Warehouse, limits
from engine.planner import cell_number
from engine.store import MoveRow
from tests.engine.store.rebuilt import check_events, undecided

SKUS = ("A", "B", "C", "D")
NOON = datetime(2030, 1, 2, 12, tzinfo=UTC)


@pytest.fixture(params=[1, 3])
async def engine(request: pytest.FixtureRequest, empty_store_url: str) -> AsyncIterator[Engine]:
    """Four SKUs with ten units each at X, none at Y; afterwards the events must tell all, and nothing be half done."""
    async with open_engine(Settings(redis_url=empty_store_url, partitions=request.param)) as one:
        await one.put_skus([Sku(sku=name) for name in SKUS])
        await one.put_warehouses([Warehouse(id=name, lat=30, lon=120) for name in "XY"])
        await one.set_stock([StockCount(sku=name, warehouse="X", on_hand=10) for name in SKUS])
        yield one
        async with Redis.from_url(empty_store_url) as client:
            await check_events(client, request.param)
            assert await undecided(client, request.param) == 0


def row(sku: str, quantity: int | None = 1, warehouse: str = "X", **fields: Any) -> dict[str, Any]:
    """A row of a movement."""
    return {"sku": sku, "warehouse": warehouse, "quantity": quantity, **fields}


def movement(movement_id: str, type_: str, *rows: dict[str, Any], **fields: Any) -> Movement:
    """A movement, as it comes over the wire."""
    return msgspec.convert({"movement_id": movement_id, "type": type_, "rows": rows, **fields}, Movement)


async def move(engine: Engine, movement_id: str, type_: str, *rows: dict[str, Any]) -> Moved:
    """Do a movement."""
    return await engine.move(movement(movement_id, type_, *rows))


async def refused(engine: Engine, type_: str, *rows: dict[str, Any]) -> list[tuple[int, str, int]]:
    """The rows of a movement that must be refused and change nothing: (row, rule, found)."""
    before = await cells(engine)
    with pytest.raises(StockRefused) as raised:
        await move(engine, "refused", type_, *rows)
    assert await cells(engine) == before
    return [(one.row, one.rule, one.found) for one in raised.value.rows]


async def cells(engine: Engine) -> dict[str, Cell]:
    """All cells, by SKU and warehouse in one text."""
    return {cell.sku + cell.warehouse: cell for cell in (await engine.stock()).cells}


async def reserve(engine: Engine, sku: str, units: int) -> None:
    """Reserve units."""
    order = Order(order_id=f"order {sku}", ship_to=ShipTo(31, 121), lines=(Line(sku, units),))
    assert isinstance(await engine.reserve(order), Reserved)


async def test_receiving_and_returns_add_to_what_is_sold(engine: Engine) -> None:
    """Also to a cell that did not exist."""
    done = await move(engine, "m1", "receive", row("A", 5), row("B", 7, "Y"))
    assert (done.replayed, done.rows) == (False, 2)
    assert [(cell.sku, cell.on_hand, cell.available) for cell in done.cells] == [("A", 15, 15), ("B", 7, 7)]
    await move(engine, "m2", "return", row("A", 1))
    assert (await cells(engine))["AX"].available == 16
    await reserve(engine, "B", 17)


async def test_an_adjustment_goes_both_ways_but_takes_nothing_promised(engine: Engine) -> None:
    """What is reserved or kept for safety is not there to be taken; the rows that would are all named."""
    await reserve(engine, "A", 4)
    await engine.set_stock([StockCount(sku="B", warehouse="X", on_hand=10, safety=7)])
    found = await refused(engine, "adjust", row("A", -7), row("C", -10), row("B", -4), row("D", -11))
    assert found == [(0, "free", 6), (2, "free", 3), (3, "free", 10)]
    await move(engine, "m", "adjust", row("A", -6), row("B", -3), row("C", -10), row("D", 3))
    found_cells = await cells(engine)
    assert [(found_cells[sku + "X"].on_hand, found_cells[sku + "X"].available) for sku in SKUS] == [
        (4, 0),
        (7, 0),
        (0, 0),
        (13, 13),
    ]
    assert found_cells["AX"].reserved == 4


async def test_compare_and_set_by_what_is_on_hand(engine: Engine) -> None:
    """Two clerks who saw the same ten units: the second learns what is there now."""
    await move(engine, "first", "adjust", row("A", -1, expected_on_hand=10))
    rows = (row("B", 1), row("A", -1, expected_on_hand=10), row("C", 1, "Y", expected_on_hand=1))
    assert await refused(engine, "adjust", *rows) == [(1, "expected_on_hand", 9), (2, "expected_on_hand", 0)]
    await move(engine, "second", "adjust", row("A", -1, expected_on_hand=9), row("C", 1, "Y", expected_on_hand=0))


async def test_quarantined_units_are_beside_what_is_on_hand(engine: Engine) -> None:
    """Set apart, some of them back, the rest thrown away: never more than there are."""
    await move(engine, "m1", "quarantine", row("A", 4), row("B", 10))
    cell = (await cells(engine))["AX"]
    assert (cell.on_hand, cell.available, cell.quarantined, cell.reserved) == (6, 6, 4, 0)
    assert await refused(engine, "quarantine", row("A", 7), row("B", 1)) == [(0, "free", 6), (1, "free", 0)]
    assert await refused(engine, "release_quarantine", row("B"), row("A", 5)) == [(1, "quarantined", 4)]
    await move(engine, "m2", "release_quarantine", row("A", 3), row("B", 10))
    assert await refused(engine, "scrap", row("A", 2)) == [(0, "quarantined", 1)]
    await move(engine, "m3", "scrap", row("A", 1))
    found = await cells(engine)
    assert [(found[name].on_hand, found[name].quarantined) for name in ("AX", "BX")] == [(9, 0), (10, 0)]


async def test_a_transfer_is_in_transit_until_it_is_received(engine: Engine) -> None:
    """It leaves one warehouse at once, is promisable at the other, and arrives there in as many parts as it likes."""
    await move(engine, "T", "transfer", row("A", 6, to_warehouse="Y", arrives_at=NOON), row("B", 2, to_warehouse="Y"))
    found = await cells(engine)
    assert (found["AX"].on_hand, found["AY"].on_hand, found["AY"].available, found["AY"].inbound) == (4, 0, 0, 6)
    assert [(one.reference, one.quantity, one.arrives_at) for one in found["AY"].arrivals] == [("T", 6, NOON)]
    assert found["BY"].arrivals[0].arrives_at is None
    assert await refused(engine, "receive", row("A", 7, "Y", inbound="T")) == [(0, "inbound", 6)]
    assert await refused(engine, "receive", row("C", 1, "Y", inbound="T")) == [(0, "inbound", 0)]
    await move(engine, "R1", "receive", row("A", 5, "Y", inbound="T"), row("B", 2, "Y", inbound="T"))
    found = await cells(engine)
    assert (found["AY"].on_hand, found["AY"].inbound, found["BY"].inbound) == (5, 1, 0)
    await move(engine, "R2", "cancel_inbound", row("A", None, "Y", inbound="T"))
    assert (await cells(engine))["AY"].arrivals == ()
    assert await refused(engine, "transfer", row("A", 5, to_warehouse="Y")) == [(0, "free", 4)]


async def test_what_is_announced_is_promisable_but_not_sold(engine: Engine) -> None:
    """An announcement changes nothing that is sold; an instant is the same wherever it was written."""
    tokyo = NOON.astimezone(timezone(timedelta(hours=9)))
    done = await move(engine, "P1", "inbound", row("A", 30, arrives_at=tokyo), row("B", 1, "Y", arrives_at=NOON))
    assert [(cell.on_hand, cell.available, cell.inbound) for cell in done.cells] == [(10, 10, 30), (0, 0, 1)]
    assert done.cells[0].arrivals[0].arrives_at == NOON
    assert (
        await move(engine, "P1", "inbound", row("A", 30, arrives_at=NOON), row("B", 1, "Y", arrives_at=NOON))
    ).replayed
    await move(engine, "P2", "cancel_inbound", row("A", 10, inbound="P1"))
    assert await refused(engine, "cancel_inbound", row("A", 21, inbound="P1")) == [(0, "inbound", 20)]
    await move(engine, "P3", "receive", row("A", 20, inbound="P1"))
    cell = (await cells(engine))["AX"]
    assert (cell.on_hand, cell.inbound) == (30, 0)


async def test_no_cell_has_more_open_arrivals_than_it_may(engine: Engine) -> None:
    """They are kept in one place and read together."""
    for number in range(limits.ARRIVALS_MAX):
        await move(engine, f"P{number}", "inbound", row("A", 1, arrives_at=NOON))
    assert await refused(engine, "inbound", row("B", 1, arrives_at=NOON), row("A", 1, arrives_at=NOON)) == [
        (1, "arrivals", limits.ARRIVALS_MAX)
    ]


async def test_a_cell_holds_no_more_than_numbers_are_exact_for(engine: Engine) -> None:
    """A billion is a mistake in the file."""
    found = await refused(engine, "receive", row("B"), row("A", limits.ON_HAND_MAX - 9))
    assert found == [(1, "on_hand", 10)]


async def test_pools_are_parts_of_what_is_available(engine: Engine) -> None:
    """What is kept for a channel comes from the rest that all share, and is no reservation."""
    await reserve(engine, "A", 3)
    await move(
        engine, "m1", "allot", row("A", 4, channel="live"), row("A", 1, channel="app"), row("B", 10, channel="app")
    )
    found = await cells(engine)
    cell = found["AX"]
    assert (cell.on_hand, cell.reserved, cell.available, cell.pools) == (10, 3, 7, {"live": 4, "app": 1})
    assert found["CX"].pools is msgspec.UNSET
    assert await refused(engine, "allot", row("C", 1, channel="app"), row("A", 3, channel="app")) == [(1, "free", 2)]
    assert await refused(engine, "allot", row("A", -2, channel="app")) == [(0, "free", 1)]
    assert await refused(engine, "adjust", row("A", -3)) == [(0, "free", 2)]
    await move(engine, "m2", "allot", row("A", -4, channel="live"))
    assert (await cells(engine))["AX"].pools == {"app": 1}
    with pytest.raises(InvalidInput, match="no stock was ever allotted"):
        await move(engine, "m3", "allot", row("A", -1, channel="nobody"))


async def test_a_count_does_not_reach_into_pools(engine: Engine) -> None:
    """Below what is reserved it is refused for that; above, until the pools have given back."""
    await reserve(engine, "A", 3)
    await move(engine, "m1", "allot", row("A", 5, channel="live"))
    other = StockCount(sku="B", warehouse="X", on_hand=1)
    with pytest.raises(StockBelowReserved) as below:
        await engine.set_stock([other, StockCount(sku="A", warehouse="X", on_hand=2)])
    assert below.value.rows == ((1, 3),)
    for count in (
        StockCount(sku="A", warehouse="X", on_hand=7),
        StockCount(sku="A", warehouse="X", on_hand=10, safety=3),
    ):
        with pytest.raises(StockRefused, match="allot them back") as raised:
            await engine.set_stock([other, count])
        assert [(one.row, one.rule, one.found) for one in raised.value.rows] == [(1, "pools", 5)]
    assert (await cells(engine))["BX"].on_hand == 10
    await engine.set_stock([other, StockCount(sku="A", warehouse="X", on_hand=8)])
    await move(engine, "m2", "allot", row("A", -5, channel="live"))
    await engine.set_stock([StockCount(sku="A", warehouse="X", on_hand=3, safety=2)])
    cell = (await cells(engine))["AX"]
    assert (cell.reserved, cell.available) == (3, -2)


async def test_an_id_has_one_effect(engine: Engine) -> None:
    """Sent again it changes nothing, whatever the stock is by then; another content under it is a conflict."""
    rows = row("A", 3, "X", to_warehouse="Y"), row("B", 10, "X", to_warehouse="Y"), row("C", 1, "X", to_warehouse="Y")
    assert not (await move(engine, "once", "transfer", *rows)).replayed
    before = await cells(engine)
    again = await move(engine, "once", "transfer", *rows)
    assert again.replayed
    assert {cell.sku + cell.warehouse: cell for cell in again.cells}.items() <= before.items()
    for other in (movement("once", "transfer", *rows[:2]), movement("once", "transfer", *rows, reason="other")):
        with pytest.raises(MovementConflict, match="another content"):
            await engine.move(other)
    assert await cells(engine) == before


async def test_a_refused_id_may_be_sent_again(engine: Engine) -> None:
    """Nothing was done under it."""
    assert await refused(engine, "adjust", row("A", -11), row("B", -1)) == [(0, "free", 10)]
    await move(engine, "refused", "adjust", row("A", -10), row("B", -1))


@pytest.mark.parametrize(
    ("type_", "fields", "pointer"),
    [
        ("receive", {"quantity": 0}, "/rows/0/quantity"),
        ("receive", {"quantity": -1}, "/rows/0/quantity"),
        ("adjust", {"quantity": 0}, "/rows/0/quantity"),
        ("scrap", {"quantity": None}, "/rows/0/quantity"),
        ("transfer", {}, "/rows/0/to_warehouse"),
        ("transfer", {"to_warehouse": "X"}, "/rows/0/to_warehouse"),
        ("transfer", {"to_warehouse": "none"}, "/rows/0/to_warehouse"),
        ("inbound", {}, "/rows/0/arrives_at"),
        ("inbound", {"arrives_at": "2030-01-02T12:00:00"}, "/rows/0/arrives_at"),
        ("cancel_inbound", {}, "/rows/0/inbound"),
        ("allot", {}, "/rows/0/channel"),
        ("return", {"channel": "live"}, "/rows/0/channel"),
        ("return", {"sku": "none"}, "/rows/0/sku"),
    ],
)
async def test_a_row_that_makes_no_sense_is_pointed_at(
    engine: Engine, type_: str, fields: dict[str, Any], pointer: str
) -> None:
    """Which fields a row has depends on the type, and every name must be known."""
    with pytest.raises((InvalidInput, msgspec.ValidationError)) as raised:
        await move(engine, "wrong", type_, {**row("A"), **fields})
    if isinstance(raised.value, InvalidInput):
        assert [error.pointer for error in raised.value.errors] == [pointer]


async def test_a_cell_is_named_once(engine: Engine) -> None:
    """Whether two adjustments of one cell were meant to add up, nobody knows."""
    with pytest.raises(InvalidInput, match="same cell as row 0"):
        await move(engine, "twice", "adjust", row("A"), row("A", 2))


async def test_an_audit_reads_the_books_after_every_kind_of_movement(engine: Engine) -> None:
    """Movements are no reservations, and what their events say stands in nobody's way."""
    await move(engine, "m1", "receive", row("A", 5), row("B", 5))
    await move(engine, "m2", "quarantine", row("A", 5), row("B", 5))
    await move(engine, "m3", "release_quarantine", row("A", 1), row("B", 1))
    await move(engine, "m4", "scrap", row("A", 4))
    await move(engine, "m5", "transfer", row("A", 2, to_warehouse="Y"), row("C", 2, to_warehouse="Y"))
    await move(engine, "m6", "receive", row("A", 2, "Y", inbound="m5"))
    await move(engine, "m7", "adjust", row("D", -10), row("B", 1))
    report = await engine.audit()
    assert report.balanced, report.differences


@pytest.mark.parametrize("engine", [3], indirect=True)
async def test_who_meets_a_movement_that_nobody_will_finish_waits_until_it_is_settled(engine: Engine) -> None:
    """The process that began it died; the count, and the movement sent again, are done when its lease has ended."""
    cell = cell_number(sku=0, warehouse=0)
    home, owner = engine.store.home("m").number, engine.store.owner(cell)
    reply = await owner.movements.prepare("m", home, "of the dead", "adjust", "", [MoveRow(cell, -4)], 300)
    assert reply.letter == "A"
    await engine.set_stock([StockCount(sku="A", warehouse="X", on_hand=12)])
    assert (await move(engine, "m", "adjust", row("A", -4))).cells[0].on_hand == 8
