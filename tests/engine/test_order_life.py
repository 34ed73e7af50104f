"""The life of an order through the engine, on one partition and on three: what each step does, refuses and repeats."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from engine import Engine, Settings, open_engine
from engine.errors import InvalidInput
from engine.intake import Conflict, InsufficientStock, Invalid, PurchaseLimit
from engine.life.change import (
    Change,
    Changed,
    IdTaken,
    InvalidState,
    NotFound,
    TransitionConflict,
    VersionConflict,
)
from engine.model import Allocation, HeldLine, Line, Order
from engine.planner import Record
from tests.engine.ledgers import assert_books, put_stock
from tests.engine.small_network import another, cell, order, reserved

STOCK = {
    ("x", "A"): 10, ("x", "B"): 10, ("y", "A"): 10, ("y", "C"): 10, ("z", "A"): 5, ("z", "B"): 5, ("few", "A"): 20,
}  # fmt: skip
LINES = (("x", 4), ("y", 3), ("z", 2))


@pytest.fixture(params=[1, 3], ids=["one partition", "three partitions"])
async def stocked(request: pytest.FixtureRequest, empty_store_url: str) -> AsyncIterator[Engine]:
    """An engine with stock of SKUs whose partitions differ where there are several."""
    async with open_engine(Settings(redis_url=empty_store_url, partitions=request.param)) as engine:
        await put_stock(engine, STOCK)
        yield engine


async def hold(engine: Engine, order_id: str, **more: Any) -> Order:
    """An order over three SKUs, reserved: unpaid where it does not say."""
    one = order(order_id, *LINES, **{"payment": "pending", **more})
    reserved(await engine.reserve(one))
    return one


def changed(change: Change, *, replayed: bool = False) -> Allocation:
    """The Allocation of a change, which must be done."""
    assert isinstance(change, Changed), change
    assert change.replayed is replayed
    return change.allocation


def units(allocation: Allocation) -> dict[tuple[str, str], int]:
    """Units by SKU and warehouse."""
    return {
        (line.sku, shipment.warehouse): line.quantity for shipment in allocation.shipments for line in shipment.lines
    }


def shipped(allocation: Allocation) -> dict[tuple[str, str], int]:
    """Units that have left, by SKU and warehouse."""
    return {
        (line.sku, shipment.warehouse): line.quantity for shipment in allocation.shipments for line in shipment.shipped
    }


async def free(engine: Engine) -> dict[tuple[str, str], int]:
    """What is free in each cell of STOCK, once all partitions agree with the records."""
    levels = (await assert_books(engine)).free()
    return {name: levels[cell(engine, *name)] for name in STOCK}


async def test_a_confirmed_order_lasts_and_is_confirmed_once(stocked: Engine) -> None:
    """A second confirmation, under whichever id, finds it done."""
    await hold(stocked, "one")
    first = changed(await stocked.confirm("one", transition_id="paid", version=1))
    assert (first.status, first.version, first.expires_at) == ("confirmed", 2, None)
    for again in (
        stocked.confirm("one", transition_id="paid"),
        stocked.confirm("one"),
        stocked.confirm("one", version=1),
    ):
        assert changed(await again, replayed=True) == first
    assert await free(stocked) == {**STOCK, ("x", "A"): 6, ("y", "A"): 7, ("z", "A"): 3}


async def test_a_cancelled_order_gives_everything_back_once(stocked: Engine) -> None:
    """Cancelled before or after it was paid; it stays over."""
    for order_id in ("held", "paid"):
        one = await hold(stocked, order_id, payment="paid" if order_id == "paid" else "pending")
        first = changed(await stocked.cancel(order_id))
        assert first.status == "released"
        assert changed(await stocked.cancel(order_id, transition_id="again"), replayed=True) == first
        assert await stocked.confirm(order_id) == InvalidState("released", 2)
        assert await stocked.extend(order_id, 5, transition_id="t") == InvalidState("released", 2)
        assert reserved(await stocked.reserve(one)).replayed
    assert await free(stocked) == STOCK


async def test_cancelled_at_once_a_part_that_was_not_sealed_yet_is_given_back(stocked: Engine) -> None:
    """The decision and the cancellation race to the other partitions; whichever comes first, nothing stays behind."""
    await asyncio.gather(*(_come_and_go(stocked, f"o{number}") for number in range(10)))
    assert await free(stocked) == STOCK


async def _come_and_go(engine: Engine, order_id: str) -> None:
    reserved(await engine.reserve(order(order_id, ("x", 1), ("y", 1), ("z", 1))))
    changed(await engine.cancel(order_id))


async def test_without_an_id_the_state_alone_says_what_was_done(stocked: Engine) -> None:
    """An order that was confirmed and then cancelled is not confirmed; only the id of that confirmation says it was."""
    for order_id, transition_id in (("one", None), ("two", "paid")):
        await hold(stocked, order_id)
        changed(await stocked.confirm(order_id, transition_id=transition_id))
        over = changed(await stocked.cancel(order_id))
        again = await stocked.confirm(order_id, transition_id=transition_id)
        assert again == (InvalidState("released", 3) if transition_id is None else Changed(again.json, replayed=True))  # type: ignore[union-attr]
        assert over.status == "released"


async def test_a_hold_that_is_over_is_neither_split_nor_amended(stocked: Engine) -> None:
    """Whether or not anybody has swept it."""
    await hold(stocked, "one", hold_seconds=1)
    home = stocked.store.home("one")
    while True:
        (record,) = await stocked.store.read_orders(["one"])
        assert record is not None
        reply = await home.orders.step("extend", "none", "extend:t=0", version=None, detail=1)
        if reply.now_ms >= Record(record).expires_ms:
            break
    split = await stocked.split("one", "one/b", [HeldLine("x", 1)], transition_id="t")
    amended = await stocked.amend("one", [Line("x", 1)], transition_id="t")
    for change in (split, amended):
        assert isinstance(change, InvalidState)
        assert change.status == "expired"
    changed_nothing = await stocked.confirm("one")
    assert changed_nothing == InvalidState("expired", 2)
    assert await free(stocked) == STOCK


async def test_an_extended_hold_ends_later(stocked: Engine) -> None:
    """From now, not from before; asked again it is not extended again."""
    await hold(stocked, "one", hold_seconds=1)
    first = changed(await stocked.extend("one", 600, transition_id="more"))
    assert (first.status, first.version) == ("reserved", 2)
    assert changed(await stocked.extend("one", 600, transition_id="more"), replayed=True) == first
    assert await stocked.extend("one", 601, transition_id="more") == TransitionConflict()
    later = changed(await stocked.extend("one", 900, transition_id="even more"))
    assert later.expires_at > first.expires_at  # type: ignore[operator]
    changed(await stocked.confirm("one"))
    assert await stocked.extend("one", 900, transition_id="too late") == InvalidState("confirmed", 4)


async def test_shipping_in_parts_sums_up(stocked: Engine) -> None:
    """On hand falls by what leaves; what is free was free before."""
    await hold(stocked, "one", payment="paid")
    before = await free(stocked)
    part = changed(await stocked.ship("one", transition_id="s1", lines=[HeldLine("x", 3, "A"), HeldLine("y", 1)]))
    assert (part.status, part.version) == ("partially_shipped", 2)
    assert shipped(part) == {("x", "A"): 3, ("y", "A"): 1}
    again = await stocked.ship("one", transition_id="s1", lines=[HeldLine("x", 3, "A"), HeldLine("y", 1)])
    assert changed(again, replayed=True) == part
    assert await stocked.ship("one", transition_id="s1", lines=[HeldLine("x", 1)]) == TransitionConflict()
    too_much = await stocked.ship("one", transition_id="s2", lines=[HeldLine("z", 1), HeldLine("x", 2)])
    assert isinstance(too_much, Invalid)
    assert too_much.errors[0].pointer == "/lines/1/quantity"
    assert await stocked.cancel("one") == InvalidState("partially_shipped", 2)
    last = changed(await stocked.ship("one", transition_id="rest"))
    assert (last.status, shipped(last)) == ("shipped", units(last))
    assert await stocked.ship("one", transition_id="more") == InvalidState("shipped", 3)
    assert await free(stocked) == before
    books = await assert_books(stocked)
    left = {name: books.on_hand()[cell(stocked, *name)] for name in STOCK}
    assert left == {**STOCK, ("x", "A"): 6, ("y", "A"): 7, ("z", "A"): 3}


async def test_only_a_confirmed_order_ships(stocked: Engine) -> None:
    """What is not paid does not leave, whatever its lines say."""
    await hold(stocked, "one")
    assert await stocked.ship("one", transition_id="s") == InvalidState("reserved", 1)
    assert await stocked.ship("one", transition_id="s", lines=[HeldLine("x", 99)]) == InvalidState("reserved", 1)


async def test_a_version_that_differs_is_told_and_nothing_is_done(stocked: Engine) -> None:
    """Every change can be bound to what its caller saw."""
    await hold(stocked, "one")
    lines = [HeldLine("x", 1)]
    for call in (
        stocked.confirm("one", version=7),
        stocked.cancel("one", version=7),
        stocked.extend("one", 5, transition_id="t", version=7),
        stocked.ship("one", transition_id="t", version=7),
        stocked.ship("one", transition_id="t", version=7, lines=lines),
        stocked.split("one", "one/2", lines, transition_id="t", version=7),
        stocked.amend("one", [Line("x", 1)], transition_id="t", version=7),
    ):
        assert await call == VersionConflict("reserved", 1)
    for call in (
        stocked.confirm("none"),
        stocked.cancel("none"),
        stocked.extend("none", 5, transition_id="t"),
        stocked.ship("none", transition_id="t"),
        stocked.ship("none", transition_id="t", lines=lines),
        stocked.split("none", "none/2", lines, transition_id="t"),
        stocked.amend("none", [Line("x", 1)], transition_id="t"),
    ):
        assert await call == NotFound()


async def test_a_split_conserves_units_and_both_go_on_by_themselves(stocked: Engine) -> None:
    """The child holds where the parent held; each ships, and is cancelled, for itself."""
    await hold(stocked, "one", payment="paid")
    before = await free(stocked)
    lines = [HeldLine("x", 1), HeldLine("y", 3)]
    change = await stocked.split("one", "one/late", lines, transition_id="t")
    parent = changed(change)
    child = await stocked.order("one/late")
    assert child is not None
    assert units(parent) == {("x", "A"): 3, ("z", "A"): 2}
    assert units(child) == {("x", "A"): 1, ("y", "A"): 3}
    assert (parent.version, child.version, child.status) == (2, 1, "confirmed")
    again = await stocked.split("one", "one/late", lines, transition_id="t")
    assert changed(again, replayed=True) == parent
    assert isinstance(change, Changed)
    assert isinstance(again, Changed)
    assert change.split_off == again.split_off
    assert await free(stocked) == before
    assert changed(await stocked.ship("one/late", transition_id="t")).status == "shipped"
    assert changed(await stocked.cancel("one")).status == "released"
    assert await free(stocked) == {**STOCK, ("x", "A"): 9, ("y", "A"): 7}


async def test_a_split_of_what_is_left_frees_the_rest_for_cancelling(stocked: Engine) -> None:
    """Nothing of the child has left, so it is merely confirmed; the parent stays as far as it was."""
    await hold(stocked, "one", payment="paid")
    changed(await stocked.ship("one", transition_id="s", lines=[HeldLine("x", 2)]))
    parent = changed(await stocked.split("one", "one/b", [HeldLine("y", 3), HeldLine("z", 2)], transition_id="t"))
    assert (parent.status, shipped(parent)) == ("partially_shipped", {("x", "A"): 2})
    everything = await stocked.split("one", "one/c", [HeldLine("x", 2)], transition_id="u")
    assert isinstance(everything, Invalid)
    assert everything.errors[0].pointer == "/lines"
    assert changed(await stocked.cancel("one/b")).status == "released"
    assert changed(await stocked.ship("one", transition_id="s2")).status == "shipped"
    assert await free(stocked) == {**STOCK, ("x", "A"): 6}


async def test_children_of_children_and_their_holds(stocked: Engine) -> None:
    """What is split off an unpaid order ends with it; a child may be split on; an id that is taken is told."""
    await hold(stocked, "one")
    first = changed(await stocked.split("one", "one/b", [HeldLine("x", 3), HeldLine("y", 1)], transition_id="t"))
    changed(await stocked.split("one/b", "one/b/c", [HeldLine("x", 1), HeldLine("y", 1)], transition_id="t"))
    child = await stocked.order("one/b/c")
    assert child is not None
    assert (child.expires_at, child.status, units(child)) == (
        first.expires_at,
        "reserved",
        {("x", "A"): 1, ("y", "A"): 1},
    )
    assert await stocked.split("one", "one/b", [HeldLine("z", 1)], transition_id="other") == IdTaken()
    for into in ("two", "one/", "one", "one/b/d", "onex/y"):
        with pytest.raises(InvalidInput, match="a name without a slash"):
            await stocked.split("one", into, [HeldLine("z", 1)], transition_id="v")
    for order_id in ("one", "one/b", "one/b/c"):
        changed(await stocked.cancel(order_id))
    assert await free(stocked) == STOCK


async def test_a_split_divides_what_counts_towards_a_limit(stocked: Engine) -> None:
    """Then each part gives back its own."""
    one = order("one", ("few", 3), ("x", 1), customer="ann")
    reserved(await stocked.reserve(one))
    changed(await stocked.split("one", "one/b", [HeldLine("few", 2)], transition_id="t"))
    await assert_books(stocked)
    assert isinstance(await stocked.reserve(order("two", ("few", 1), customer="ann")), PurchaseLimit)
    changed(await stocked.cancel("one/b"))
    assert isinstance(await stocked.reserve(order("three", ("few", 3), customer="ann")), PurchaseLimit)
    reserved(await stocked.reserve(order("four", ("few", 2), customer="ann")))
    await assert_books(stocked)


async def test_lines_that_the_order_does_not_hold_are_pointed_at(stocked: Engine) -> None:
    """By their place and field."""
    await hold(stocked, "one", payment="paid")
    lines = [
        HeldLine("nothing", 1),
        HeldLine("x", 1, "nowhere"),
        HeldLine("x", 1, "B"),
        HeldLine("x", 5),
        HeldLine("x", 4),
    ]
    for change in (
        await stocked.ship("one", transition_id="s", lines=lines),
        await stocked.split("one", "one/b", lines, transition_id="t"),
    ):
        assert isinstance(change, Invalid)
        assert [error.pointer for error in change.errors] == [
            "/lines/0/sku", "/lines/1/warehouse", "/lines/2/quantity", "/lines/3/quantity", "/lines/4/quantity",
        ]  # fmt: skip


async def test_an_amendment_raises_lowers_drops_and_adds(stocked: Engine) -> None:
    """Absolute quantities; what the order holds itself counts as free for it, and what it no longer needs is free."""
    original = await hold(stocked, "one")
    lines = [Line("x", 14), Line("z", 1), Line("few", 2)]
    amended = changed(await stocked.amend("one", lines, transition_id="t"))
    assert (amended.status, amended.version) == ("reserved", 2)
    assert units(amended) == {("x", "A"): 10, ("x", "B"): 4, ("z", "A"): 1, ("few", "A"): 2}
    assert await free(stocked) == {**STOCK, ("x", "A"): 0, ("x", "B"): 6, ("z", "A"): 4, ("few", "A"): 18}
    assert changed(await stocked.amend("one", lines, transition_id="t"), replayed=True) == amended
    assert await stocked.amend("one", [Line("x", 1)], transition_id="t") == TransitionConflict()
    replay = reserved(await stocked.reserve(original))
    assert (replay.replayed, replay.allocation) == (True, amended)
    assert isinstance(await stocked.reserve(order("one", ("x", 14), payment="pending")), Conflict)
    changed(await stocked.cancel("one"))
    assert await free(stocked) == STOCK


async def test_an_amendment_that_cannot_be_had_changes_nothing(stocked: Engine) -> None:
    """Refused as an order would be."""
    await hold(stocked, "one", customer="ann")
    before = await free(stocked)
    short = await stocked.amend("one", [Line("x", 21), Line("y", 1)], transition_id="t")
    assert isinstance(short, InsufficientStock)
    assert [(row.sku, row.requested, row.available) for row in short.shortages] == [("x", 21, 20)]
    assert isinstance(await stocked.amend("one", [Line("few", 4)], transition_id="u"), PurchaseLimit)
    unknown = await stocked.amend("one", [Line("nothing", 4)], transition_id="v")
    assert isinstance(unknown, Invalid)
    assert unknown.errors[0].pointer == "/lines/0/sku"
    assert await free(stocked) == before
    assert changed(await stocked.confirm("one")).version == 2


async def test_an_amendment_keeps_to_a_customers_limit(stocked: Engine) -> None:
    """Over all orders of the customer; what it gave up it may take again."""
    reserved(await stocked.reserve(order("one", ("few", 1), ("x", 1), customer="ann")))
    reserved(await stocked.reserve(order("two", ("few", 1), ("y", 1), customer="ann")))
    refused = await stocked.amend("two", [Line("few", 3)], transition_id="t")
    assert isinstance(refused, PurchaseLimit)
    assert [(row.sku, row.requested, row.limit, row.remaining) for row in refused.exceeded] == [("few", 3, 3, 2)]
    changed(await stocked.amend("two", [Line("few", 2)], transition_id="t2"))
    changed(await stocked.amend("one", [Line("x", 1)], transition_id="t"))
    changed(await stocked.amend("two", [Line("few", 3)], transition_id="t3"))
    await assert_books(stocked)


async def test_what_has_left_or_is_over_is_not_amended(stocked: Engine) -> None:
    """Its lines are history."""
    for order_id in ("left", "over"):
        await hold(stocked, order_id, payment="paid")
    changed(await stocked.ship("left", transition_id="s", lines=[HeldLine("x", 1)]))
    changed(await stocked.cancel("over"))
    assert await stocked.amend("left", [Line("x", 1)], transition_id="t") == InvalidState("partially_shipped", 2)
    assert await stocked.amend("over", [Line("x", 1)], transition_id="t") == InvalidState("released", 2)
    assert await stocked.split("over", "over/2", [HeldLine("x", 1)], transition_id="t") == InvalidState("released", 2)


async def test_amendments_race_for_the_last_units(stocked: Engine) -> None:
    """Of many that want more than there is, each has it whole or not at all; and sales go on meanwhile."""
    async with another(stocked) as other:
        for number in range(6):
            reserved(await stocked.reserve(order(f"o{number}", ("x", 1), ("y", 1), ("z", 1))))
        calls = [
            (stocked, other)[number % 2].amend(
                f"o{number}", [Line("x", 4), Line("y", 4), Line("z", 1)], transition_id="t"
            )
            for number in range(6)
        ]
        sales = [other.reserve(order(f"s{number}", ("x", 1), ("y", 1))) for number in range(6)]
        changes = await asyncio.gather(*calls)
        await asyncio.gather(*sales)
    assert all(isinstance(change, Changed | InsufficientStock) for change in changes)
    assert any(isinstance(change, Changed) for change in changes)
    await assert_books(stocked)


async def test_one_order_changed_by_many_at_once_has_one_history(stocked: Engine) -> None:
    """Each id has one effect, whoever of two processes brings it first."""
    await hold(stocked, "one", payment="paid")
    async with another(stocked) as other:
        both = (stocked, other)
        changes = await asyncio.gather(
            *(both[n % 2].ship("one", transition_id=f"s{n // 2}", lines=[HeldLine("x", 1)]) for n in range(8)),
            *(
                both[n % 2].split("one", f"one/{n // 2}", [HeldLine("y", 1)], transition_id=f"p{n // 2}")
                for n in range(4)
            ),
        )
    done = [change for change in changes if isinstance(change, Changed) and not change.replayed]
    assert len(done) == 6, changes
    assert len([change for change in changes if isinstance(change, Changed)]) == 12, changes
    books = await assert_books(stocked)
    assert dict(books.records["one"].shipped) == {cell(stocked, "x", "A"): 4}


async def test_the_view_agrees_with_the_store_after_every_change(stocked: Engine) -> None:
    """What was given back can be sold at once, and what was taken is not planned with."""
    await hold(stocked, "one", payment="paid")
    changed(await stocked.amend("one", [Line("x", 20), Line("y", 20)], transition_id="t"))
    assert isinstance(await stocked.reserve(order("two", ("x", 1))), InsufficientStock)
    changed(await stocked.amend("one", [Line("y", 1)], transition_id="u"))
    reserved(await stocked.reserve(order("three", ("x", 20), ("y", 19))))
    changed(await stocked.cancel("three"))
    reserved(await stocked.reserve(order("four", ("x", 20), ("y", 19))))
    await assert_books(stocked)
