"""Bundles through the engine, on one partition and on three."""

import msgspec
import pytest

from engine import Engine
from engine.errors import InvalidInput
from engine.intake import InsufficientStock, PurchaseLimit, Shortage
from engine.model import (
    Component,
    HeldLine,
    Line,
    Movement,
    MovementRow,
    Sku,
    StockCount,
)
from engine.planner import Record
from tests.engine.goods_case import (
    INSTEAD,
    KIT,
    at,
    change_unseen_at,
    changed,
    kit_of,
    lines,
    retried,
    units,
)
from tests.engine.small_network import WAREHOUSES, another, order, reserved


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
    with pytest.raises(InvalidInput, match=r'^/1/sku: "new" is a bundle.*: name what one is made of, 1 of "x"$'):
        await stocked.set_stock([StockCount(sku=name, warehouse="A", on_hand=1) for name in ("x", "new")])
    receive = Movement(movement_id="m", type="receive", rows=(MovementRow(sku="kit", warehouse="A", quantity=1),))
    with pytest.raises(InvalidInput, match=r'^/rows/0/sku: "kit" is a bundle.*: .*, 1 of "x", 2 of "y"$'):
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
