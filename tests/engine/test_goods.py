"""Bundles, substitutes and orders that wait for stock, through the engine, on one partition and on three."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from engine import Engine, NotQuoted, Quoted, Settings, open_engine
from engine.errors import InvalidInput
from engine.intake import Conflict, InsufficientStock, Invalid, PurchaseLimit, Reserved, Shortage
from engine.life.change import Changed, InvalidState, VersionConflict
from engine.model import (
    AllocatedBundle,
    Allocation,
    AllocationLine,
    Component,
    HeldLine,
    Line,
    Movement,
    MovementRow,
    Sku,
    StockCount,
    Substitution,
    Warehouse,
)
from engine.planner import Record
from tests.engine.small_network import SKUS, WAREHOUSES, another, assert_balanced, change_unseen, order, reserved

ANSWER_S = 15.0
KIT = Sku(sku="kit", components=(Component("x", 1), Component("y", 2)), purchase_limit=3)
INSTEAD = Sku(sku="z", substitutes=("x", "few"))
COUNTS = {("x", "A"): 3, ("x", "B"): 2, ("y", "A"): 6, ("y", "C"): 6, ("z", "B"): 1, ("few", "C"): 4}


@pytest.fixture(params=[1, 3], ids=["one partition", "three partitions"])
async def stocked(request: pytest.FixtureRequest, empty_store_url: str) -> AsyncIterator[Engine]:
    """A kit of x and two y, whose partitions differ where there are several; x or few may come for z."""
    async with open_engine(Settings(redis_url=empty_store_url, partitions=request.param)) as engine:
        await engine.put_warehouses(WAREHOUSES)
        await engine.put_skus(SKUS)
        await engine.put_skus([KIT, INSTEAD])
        await engine.set_stock([StockCount(sku=sku, warehouse=at, on_hand=n) for (sku, at), n in COUNTS.items()])
        yield engine
        await settled(engine)
        await assert_balanced(engine)


async def settled(engine: Engine) -> None:
    """Once all partitions have heard what was decided."""
    async with asyncio.timeout(ANSWER_S):
        while (await engine.audit()).following or await _leases(engine):
            await asyncio.sleep(0.005)


async def _leases(engine: Engine) -> int:
    wire = engine.store.wire
    return sum([await wire.command("ZCARD", one.keys.leases) - 1 for one in engine.store.partitions])


def lines(*rows: tuple[str, int]) -> tuple[AllocationLine, ...]:
    """Lines of an Allocation."""
    return tuple(AllocationLine(sku=sku, quantity=quantity) for sku, quantity in rows)


def units(allocation: Allocation) -> dict[str, int]:
    """Units by SKU, wherever they come from."""
    sums: dict[str, int] = {}
    for shipment in allocation.shipments:
        for line in shipment.lines:
            sums[line.sku] = sums.get(line.sku, 0) + line.quantity
    return sums


def kit_of(quantity: int) -> AllocatedBundle:
    """Kits as an Allocation shows them."""
    return AllocatedBundle(sku="kit", quantity=quantity, components=lines(("x", quantity), ("y", 2 * quantity)))


def changed(change: Any) -> Allocation:
    """The Allocation of a change, which must be done."""
    assert isinstance(change, Changed), change
    return change.allocation


async def retried(engine: Engine, one: Any, first: Reserved) -> None:
    """The same again, here and on another process, is the same; another under its id is none."""
    assert await engine.reserve(one) == Reserved(first.json, replayed=True)
    async with another(engine) as other:
        assert await other.reserve(one) == Reserved(first.json, replayed=True)
    assert await engine.order_json(one.order_id) == first.json
    flipped = msgspec.structs.replace(one, allow_substitutes=not one.allow_substitutes)
    assert await engine.reserve(flipped) == Conflict()


# Bundles


async def test_a_bundle_takes_its_components_and_its_retry_gets_the_same(stocked: Engine) -> None:
    """Both are told: what was ordered, and what ships for it."""
    one = order("o", ("kit", 2), ("x", 1))
    first = reserved(await stocked.reserve(one))
    assert units(first.allocation) == {"x": 3, "y": 4}
    assert first.allocation.bundles == (kit_of(2),)
    assert first.allocation.substitutions == ()
    # A later definition changes no order.
    await stocked.put_skus([msgspec.structs.replace(KIT, components=(Component("few", 1),))])
    await retried(stocked, one, first)


async def test_a_bundle_that_lacks_a_component_is_refused_whole_by_what_is_in_the_store(stocked: Engine) -> None:
    """The view only advises, of components as of anything else."""
    assert await stocked.reserve(order("o", ("kit", 3), ("x", 3))) == InsufficientStock(
        (Shortage("x", 6, 5),), spread=False
    )
    await change_unseen_at(stocked, "x", "A", 2)
    reserved(await stocked.reserve(order("p", ("kit", 3), ("x", 3))))
    await change_unseen_at(stocked, "x", "A", 0)


async def change_unseen_at(engine: Engine, sku: str, warehouse: str, more: int) -> None:
    """Count more in without this engine's view hearing of it before it has to look."""
    if len(engine.store.partitions) == 1:
        await change_unseen(engine, sku, warehouse, more)
        return
    cells = {cell.warehouse: cell for cell in (await engine.stock(sku=sku)).cells}
    async with another(engine) as other:
        on_hand = cells[warehouse].on_hand + more
        await other.set_stock([StockCount(sku=sku, warehouse=warehouse, on_hand=on_hand)])


async def test_a_purchase_limit_of_a_bundle_counts_bundles(stocked: Engine) -> None:
    """And those of its components count only what is ordered of them."""
    await stocked.put_skus([Sku(sku="x", purchase_limit=1)])
    reserved(await stocked.reserve(order("o", ("kit", 2), ("x", 1), customer="ann")))
    refused = await stocked.reserve(order("p", ("kit", 2), customer="ann"))
    assert isinstance(refused, PurchaseLimit)
    assert [(row.sku, row.requested, row.remaining) for row in refused.exceeded] == [("kit", 2, 1)]
    reserved(await stocked.reserve(order("q", ("kit", 1), customer="ann")))
    changed(await stocked.cancel("o"))
    reserved(await stocked.reserve(order("r", ("kit", 2), customer="ann")))


async def test_a_warehouses_capacity_counts_orders_not_components(stocked: Engine) -> None:
    """A kit from one warehouse is one order there; the next has to come from others, or is refused for that."""
    await stocked.put_warehouses([msgspec.structs.replace(WAREHOUSES[0], capacity_orders_per_day=1)])
    first = reserved(await stocked.reserve(order("o", ("kit", 2)))).allocation
    assert {shipment.warehouse for shipment in first.shipments} == {"A"}
    second = reserved(await stocked.reserve(order("p", ("kit", 2)))).allocation
    assert {shipment.warehouse for shipment in second.shipments} == {"B", "C"}
    assert await stocked.reserve(order("q", ("kit", 1))) == InsufficientStock(
        (Shortage("x", 1, 0),), spread=False, at_capacity=True
    )


async def test_a_part_of_an_order_has_whole_bundles_only(stocked: Engine) -> None:
    """What is unfilled is told as it was ordered."""
    await stocked.put_skus([msgspec.structs.replace(KIT, purchase_limit=None)])
    part = reserved(await stocked.reserve(order("o", ("kit", 9), ("z", 2), allow_partial=True))).allocation
    assert (units(part), part.unfilled) == ({"x": 5, "y": 10, "z": 1}, lines(("kit", 4), ("z", 1)))
    assert part.bundles == (kit_of(5),)


async def test_components_ship_apart_and_are_split_off(stocked: Engine) -> None:
    """A kit goes whole where all of it goes; else it is opened, and both orders say what they hold."""
    await stocked.reserve(order("o", ("kit", 2)))
    part = changed(await stocked.split("o", "o/1", [HeldLine("x", 1), HeldLine("y", 2)], transition_id="s1"))
    assert part.bundles == (kit_of(1),)
    child = await stocked.order("o/1")
    assert child is not None
    assert (child.bundles, units(child)) == ((kit_of(1),), {"x": 1, "y": 2})
    opened = changed(await stocked.split("o", "o/2", [HeldLine("y", 1)], transition_id="s2"))
    assert (opened.bundles, units(opened)) == ((), {"x": 1, "y": 1})
    (stored,) = await stocked.store.read_orders(["o"])
    canonical = msgspec.msgpack.decode(Record(stored or b"").canonical)
    assert canonical["lines"] == [{"quantity": 1, "sku": "x"}, {"quantity": 1, "sku": "y"}]
    shipped = changed(await stocked.ship("o", transition_id="s3", lines=[HeldLine("x", 1)]))
    assert shipped.status == "partially_shipped"
    assert changed(await stocked.ship("o/1", transition_id="s4")).status == "shipped"
    assert changed(await stocked.cancel("o/2")).status == "released"


async def test_an_amended_order_has_its_new_bundles(stocked: Engine) -> None:
    """Planned anew over what it holds: as many kits as all stock makes."""
    await stocked.reserve(order("o", ("kit", 1), customer="ann"))
    more = changed(await stocked.amend("o", [Line("kit", 3), Line("x", 2)], transition_id="a"))
    assert (more.bundles, units(more)) == ((kit_of(3),), {"x": 5, "y": 6})
    assert isinstance(await stocked.amend("o", [Line("kit", 4)], transition_id="b"), PurchaseLimit)
    none = changed(await stocked.amend("o", [Line("y", 1)], transition_id="c"))
    assert (none.bundles, units(none)) == ((), {"y": 1})


@pytest.mark.parametrize(
    ("sku", "pointers"),
    [
        (Sku(sku="b", components=(Component("b", 1),)), ["/components/0/sku"]),
        (Sku(sku="b", components=(Component("kit", 1), Component("x", 1))), ["/components/0/sku"]),
        (Sku(sku="b", components=(Component("ghost", 1),)), ["/components/0/sku"]),
        (Sku(sku="b", components=(Component("x", 1), Component("x", 2))), ["/components/1/sku"]),
        (Sku(sku="b", components=(Component("x", 1),), substitutes=("y",)), ["/substitutes"]),
        (Sku(sku="b", components=(Component("x", 1),), weight_g=5, volume_cm3=0), ["/weight_g", "/volume_cm3"]),
        (
            Sku(sku="b", substitutes=("b", "kit", "ghost", "x", "x")),
            [f"/substitutes/{place}" for place in (0, 1, 2, 4)],
        ),
        # Named as a substitute already, and with stock of its own.
        (Sku(sku="few", components=(Component("y", 1),)), ["/components"]),
        (Sku(sku="y", components=(Component("few", 1),)), ["/components"]),
    ],
)
async def test_what_stands_for_nothing_sensible_is_no_definition(
    stocked: Engine, sku: Sku, pointers: list[str]
) -> None:
    """No bundle is named by another SKU, itself or another bundle; nothing else changes either."""
    with pytest.raises(InvalidInput) as refused:
        await stocked.put_skus([sku])
    assert [error.pointer for error in refused.value.errors] == pointers


async def test_stock_does_not_become_a_bundle(stocked: Engine) -> None:
    """What has units, or is to get some, keeps them; a bundle gets none, by counts as by movements."""
    await stocked.put_skus([Sku(sku="new"), Sku(sku="soon")])
    await stocked.set_stock([StockCount(sku="new", warehouse="A", on_hand=1)])
    await stocked.move(
        Movement(
            movement_id="i",
            type="inbound",
            rows=(MovementRow(sku="soon", warehouse="A", quantity=1, arrives_at=at(2)),),
        )
    )
    for name in ("new", "soon"):
        with pytest.raises(InvalidInput, match="stock of its own"):
            await stocked.put_skus([Sku(sku=name, components=(Component("x", 1),))])
    await stocked.set_stock([StockCount(sku="new", warehouse="A", on_hand=0)])
    await stocked.put_skus([Sku(sku="new", components=(Component("x", 1),))])
    with pytest.raises(InvalidInput, match="/1/sku: is a bundle"):
        await stocked.set_stock([StockCount(sku=name, warehouse="A", on_hand=1) for name in ("x", "new")])
    receive = Movement(movement_id="m", type="receive", rows=(MovementRow(sku="kit", warehouse="A", quantity=1),))
    with pytest.raises(InvalidInput, match="/rows/0/sku: is a bundle"):
        await stocked.move(receive)


async def test_definitions_of_another_process_are_known_before_a_name_is_not(stocked: Engine) -> None:
    """Put a component here and the bundle there, one right after the other."""
    async with another(stocked) as other:
        for number in range(20):
            await stocked.put_skus([Sku(sku=f"part{number}")])
            await other.put_skus([Sku(sku=f"set{number}", components=(Component(f"part{number}", 1),))])


async def test_bundles_and_substitutes_outlive_a_restart(stocked: Engine) -> None:
    """And definitions as they were kept before there were any load as ever."""
    await stocked.store.catalogue.put_skus([("old", b'{"sku":"old","weight_g":5}')])
    async with another(stocked) as fresh:
        assert fresh.planner.skus["old"] == Sku(sku="old", weight_g=5)
        assert (fresh.planner.skus["kit"], fresh.planner.skus["z"]) == (KIT, INSTEAD)
        assert units(reserved(await fresh.reserve(order("o", ("kit", 1)))).allocation) == {"x": 1, "y": 2}


# Substitutes


async def test_a_substitute_comes_for_what_the_network_lacks_and_its_retry_gets_the_same(stocked: Engine) -> None:
    """The best first; and not without leave."""
    assert await stocked.reserve(order("no", ("z", 8))) == InsufficientStock((Shortage("z", 8, 1),), spread=False)
    one = order("o", ("z", 8), allow_substitutes=True, customer="ann")
    first = reserved(await stocked.reserve(one))
    assert units(first.allocation) == {"z": 1, "x": 5, "few": 2}
    assert first.allocation.substitutions == (
        Substitution(sku="z", by="x", quantity=5),
        Substitution(sku="z", by="few", quantity=2),
    )
    assert first.allocation.unfilled == ()
    await stocked.put_skus([Sku(sku="z")])
    await retried(stocked, one, first)


async def test_no_substitute_comes_for_what_the_view_does_not_know_of(stocked: Engine) -> None:
    """To send something else is to refuse what was ordered: before that the store is looked at."""
    await change_unseen_at(stocked, "z", "B", 3)
    whole = reserved(await stocked.reserve(order("o", ("z", 4), allow_substitutes=True))).allocation
    assert (units(whole), whole.substitutions) == ({"z": 4}, ())
    short = order("p", ("z", 10), allow_substitutes=True)
    assert await stocked.reserve(short) == InsufficientStock((Shortage("z", 10, 9),), spread=False)
    await change_unseen_at(stocked, "few", "C", 1)
    assert units(reserved(await stocked.reserve(short)).allocation) == {"x": 5, "few": 5}


async def test_many_orders_of_one_batch_get_substitutes(stocked: Engine) -> None:
    """What they share is the substitute; of what is lacking none of them takes any."""
    await stocked.reserve(order("last", ("z", 1)))
    orders = [order(f"o{number}", ("z", 1), allow_substitutes=True) for number in range(12)]
    outcomes = await asyncio.gather(*(stocked.reserve(one) for one in orders))
    taken = [outcome for outcome in outcomes if isinstance(outcome, Reserved)]
    refused = [outcome for outcome in outcomes if not isinstance(outcome, Reserved)]
    assert len(taken) == COUNTS["x", "A"] + COUNTS["x", "B"] + COUNTS["few", "C"]
    assert refused == [InsufficientStock((Shortage("z", 1, 0),), spread=False)] * len(refused)


async def test_a_limit_binds_what_was_ordered_not_what_comes(stocked: Engine) -> None:
    """Two z, of which few comes for one: neither counts towards the limit of few."""
    await stocked.set_stock([StockCount(sku="x", warehouse=at, on_hand=0) for at in "AB"])
    one = reserved(await stocked.reserve(order("o", ("z", 2), ("few", 3), customer="ann", allow_substitutes=True)))
    assert units(one.allocation) == {"z": 1, "few": 4}
    (stored,) = await stocked.store.read_orders(["o"])
    few = stocked.planner.core.sku_number("few")
    assert Record(stored or b"").counters == [(f"{few}:ann", 3)]


async def test_a_component_may_be_substituted_and_split_off(stocked: Engine) -> None:
    """The substitute stands for what it stood for in the order that it goes to."""
    await stocked.put_skus([Sku(sku="x", substitutes=("few",)), Sku(sku="z")])
    await stocked.put_skus([msgspec.structs.replace(KIT, purchase_limit=None)])
    one = reserved(await stocked.reserve(order("o", ("kit", 6), allow_substitutes=True))).allocation
    instead = Substitution(sku="x", by="few", quantity=1)
    assert (units(one), one.substitutions) == ({"x": 5, "few": 1, "y": 12}, (instead,))
    moved = [HeldLine("few", 1), HeldLine("y", 2)]
    left = changed(await stocked.split("o", "o/1", moved, transition_id="s"))
    assert (left.substitutions, left.bundles) == ((), (kit_of(5),))
    child = await stocked.order("o/1")
    assert child is not None
    assert (child.substitutions, child.bundles) == ((instead,), (kit_of(1),))
    amended = changed(await stocked.amend("o/1", [Line("x", 2)], transition_id="a"))
    assert amended.substitutions == (msgspec.structs.replace(instead, quantity=2),)


async def test_a_quote_tells_what_would_come(stocked: Engine) -> None:
    """And looks at the store before it says that something else would."""
    await change_unseen_at(stocked, "z", "B", 1)
    quote = await stocked.quote(order("o", ("z", 3), ("kit", 1), allow_substitutes=True))
    assert isinstance(quote, Quoted)
    told = msgspec.json.decode(quote.json, type=Allocation)
    assert (told.status, told.substitutions, told.bundles) == (
        "quoted",
        (Substitution(sku="z", by="x", quantity=1),),
        (kit_of(1),),
    )
    assert isinstance(await stocked.quote(order("o", ("z", 3))), NotQuoted)


# Orders that wait


def at(days: int) -> datetime:
    """Noon of a day from today on."""
    return datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=days)


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
    assert told["explanation"]["reason"] == "no plan: see the shortages"
    assert await stocked.order("o") is None
