"""Orders that wait for stock, through the engine, on one partition and on three."""

import asyncio

import msgspec
import pytest

from engine import Engine, Quoted
from engine.intake import InsufficientStock, Invalid, PurchaseLimit, Reserved, Unavailable
from engine.life.change import InvalidState, VersionConflict
from engine.model import (
    HeldLine,
    Line,
    Movement,
    MovementRow,
    StockCount,
    Warehouse,
)
from tests.engine.goods_case import (
    ANSWER_S,
    at,
    change_unseen_at,
    changed,
    kit_of,
    lines,
    retried,
    units,
)
from tests.engine.small_network import assert_balanced, order, reserved


async def announce(engine: Engine, movement_id: str, days: int, *rows: tuple[str, str, int]) -> None:
    """Units that are to arrive."""
    arriving = tuple(MovementRow(sku=sku, warehouse=to, quantity=n, arrives_at=at(days)) for sku, to, n in rows)
    await engine.move(Movement(movement_id=movement_id, type="inbound", rows=arriving))


async def test_what_cannot_be_served_waits_whole_holds_nothing_and_its_retry_gets_the_same(stocked: Engine) -> None:
    """Even when what it waits for has come, or nothing is expected any more."""
    one = order("o", ("kit", 1), ("z", 3), allow_backorder=True, customer="ann")
    await announce(stocked, "i1", 3, ("z", "A", 1), ("z", "C", 5))
    await announce(stocked, "i2", 2, ("z", "A", 1))
    first = reserved(await stocked.reserve(one))
    waits = first.allocation
    assert (waits.status, waits.version, waits.shipments, waits.cost) == ("backordered", 1, (), 0)
    assert (waits.unfilled, waits.bundles) == (lines(("kit", 1), ("z", 3)), ())
    assert waits.expected_on == at(3).date().isoformat()
    await assert_balanced(stocked, units_reserved=0)
    assert reserved(await stocked.reserve(order("p", ("kit", 3), customer="ann")))
    await stocked.move(
        Movement(movement_id="r", type="receive", rows=(MovementRow(sku="z", warehouse="C", quantity=5, inbound="i1"),))
    )
    await retried(stocked, one, first)


async def test_what_can_be_served_does_not_wait(stocked: Engine) -> None:
    """Nor does it before the store was looked at; nor where a substitute comes."""
    await change_unseen_at(stocked, "z", "B", 2)
    assert reserved(await stocked.reserve(order("o", ("z", 3), allow_backorder=True))).allocation.status == "confirmed"
    both = order("p", ("z", 4), allow_backorder=True, allow_substitutes=True)
    assert units(reserved(await stocked.reserve(both)).allocation) == {"x": 4}
    part = await stocked.reserve(order("q", ("z", 4), allow_backorder=True, allow_partial=True))
    assert isinstance(part, Invalid)
    assert part.errors[0].pointer == "/allow_backorder"


async def test_an_order_waits_for_whatever_stands_in_its_way(stocked: Engine) -> None:
    """Stock, too many shipments, a warehouse's day; but not for a purchase limit, and no day is known but for stock."""
    await stocked.put_warehouses([Warehouse(id="C", lat=32.0, lon=110.0, capacity_orders_per_day=0)])
    for number, one in enumerate(
        (
            order("stock", ("z", 2), allow_backorder=True),
            order("spread", ("z", 1), ("y", 1), allow_backorder=True, allow_split=False),
            order("capacity", ("few", 1), allow_backorder=True),
        )
    ):
        waits = reserved(await stocked.reserve(one)).allocation
        assert (waits.status, waits.expected_on) == ("backordered", None), number
    assert isinstance(await stocked.reserve(order("limit", ("kit", 4), allow_backorder=True)), PurchaseLimit)


async def test_many_orders_that_wait_are_taken_in_one_go(stocked: Engine) -> None:
    """They want the same cells looked at, and take none of each other's."""
    await announce(stocked, "i", 1, ("z", "A", 2))
    orders = [order(f"o{number}", ("z", 2), allow_backorder=True) for number in range(30)]
    outcomes = await asyncio.gather(*(stocked.reserve(one) for one in orders))
    expected = {reserved(outcome).allocation.expected_on for outcome in outcomes}
    assert expected == {at(1).date().isoformat()}


async def test_others_do_not_wait_for_what_is_announced(stocked: Engine) -> None:
    """Not even where it cannot be read."""
    partitions, wire = stocked.store.partitions, stocked.store.wire
    for one in partitions:
        await wire.command("SET", one.keys.inbound, "no hash")
    answers = await asyncio.gather(
        stocked.reserve(order("waits", ("z", 9), allow_backorder=True)), stocked.reserve(order("o", ("x", 1)))
    )
    assert isinstance(answers[0], Unavailable)
    assert reserved(answers[1]).allocation.status == "confirmed"
    for one in partitions:
        await wire.command("DEL", one.keys.inbound)
    async with asyncio.timeout(ANSWER_S):
        while not isinstance(await stocked.reserve(order("waits", ("z", 9), allow_backorder=True)), Reserved):
            await asyncio.sleep(0.005)


async def test_nothing_is_held_that_could_be_confirmed_extended_shipped_or_split(stocked: Engine) -> None:
    """Each is refused with the state found; a cancellation ends it, once."""
    one = order("o", ("z", 9), allow_backorder=True, payment="pending", hold_seconds=60)
    waits = reserved(await stocked.reserve(one)).allocation
    assert (waits.status, waits.expires_at) == ("backordered", None)
    refused = InvalidState("backordered", 1)
    assert await stocked.confirm("o", transition_id="c") == refused
    assert await stocked.confirm("o") == refused
    assert await stocked.extend("o", 60, transition_id="e") == refused
    assert await stocked.ship("o", transition_id="s") == refused
    assert await stocked.ship("o", transition_id="s", lines=[HeldLine("z", 1)]) == refused
    assert await stocked.split("o", "o/1", [HeldLine("z", 1)], transition_id="p") == refused
    assert await stocked.cancel("o", version=2) == VersionConflict("backordered", 1)
    assert await stocked.order("o") == waits
    over = changed(await stocked.cancel("o", transition_id="x"))
    assert (over.status, over.version, over.expected_on) == ("released", 2, None)
    assert changed(await stocked.cancel("o", transition_id="x")) == over
    assert await stocked.amend("o", [Line("x", 1)], transition_id="a") == InvalidState("released", 2)


@pytest.mark.parametrize(("payment", "status"), [("paid", "confirmed"), ("cod", "confirmed"), ("pending", "reserved")])
async def test_an_order_that_waited_gets_its_stock_when_it_is_amended(
    stocked: Engine, payment: str, status: str
) -> None:
    """With other lines or the same: once it can be served, it holds what its payment says, from then on."""
    one = order("o", ("z", 4), ("kit", 1), allow_backorder=True, payment=payment, customer="ann")
    reserved(await stocked.reserve(one))
    await announce(stocked, "i", 5, ("z", "A", 9))
    on = changed(await stocked.amend("o", one.lines, transition_id="a"))
    assert (on.status, on.version, on.expected_on) == ("backordered", 2, at(5).date().isoformat())
    more = changed(await stocked.amend("o", [Line("z", 99)], transition_id="b"))
    assert (more.unfilled, more.expected_on) == (lines(("z", 99)), None)
    assert isinstance(await stocked.amend("o", [Line("kit", 4)], transition_id="c"), PurchaseLimit)
    await stocked.set_stock([StockCount(sku="z", warehouse="C", on_hand=3)])
    got = changed(await stocked.amend("o", one.lines, transition_id="d"))
    assert (got.status, got.version, units(got)) == (status, 4, {"z": 4, "x": 1, "y": 2})
    assert (got.expires_at is not None, got.unfilled, got.bundles) == (status == "reserved", (), (kit_of(1),))
    assert changed(await stocked.amend("o", one.lines, transition_id="d")) == got
    assert await stocked.reserve(one) == Reserved(await stocked.order_json("o"), replayed=True)
    # What it holds it keeps, whatever it is asked for then.
    assert isinstance(await stocked.amend("o", [Line("z", 5)], transition_id="e"), InsufficientStock)
    assert changed(await stocked.confirm("o")).status == "confirmed"
    assert changed(await stocked.ship("o", transition_id="f")).status == "shipped"


async def test_a_hold_of_an_order_that_waited_ends_like_any_other(stocked: Engine) -> None:
    """It begins with the stock, not with the order."""
    one = order("o", ("z", 2), allow_backorder=True, payment="pending", hold_seconds=1)
    reserved(await stocked.reserve(one))
    await stocked.set_stock([StockCount(sku="z", warehouse="A", on_hand=1)])
    assert changed(await stocked.amend("o", one.lines, transition_id="a")).status == "reserved"
    async with asyncio.timeout(ANSWER_S):
        while (await stocked.order("o")).status == "reserved":  # type: ignore[union-attr]
            await asyncio.sleep(0.02)
    assert (await stocked.order("o")).status == "expired"  # type: ignore[union-attr]


async def test_a_quote_says_that_an_order_would_wait_and_until_when(stocked: Engine) -> None:
    """Under version 0, as nothing is kept."""
    await announce(stocked, "i", 0, ("z", "A", 9))
    quote = await stocked.quote(order("o", ("z", 3), allow_backorder=True))
    assert isinstance(quote, Quoted)
    told = msgspec.json.decode(quote.json)
    assert (told["status"], told["version"], told["expected_on"]) == ("backordered", 0, at(0).date().isoformat())
    reason = "no plan: the warehouses that may serve it have too little of z (1 of 3)"
    assert told["explanation"]["reason"] == reason
    assert told["shortages"] == [{"sku": "z", "requested": 3, "available": 1}]
    assert await stocked.order("o") is None
