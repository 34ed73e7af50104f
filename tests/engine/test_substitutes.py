"""Substitutes through the engine, on one partition and on three."""

import asyncio

import msgspec

from engine import Engine, NotQuoted, Quoted
from engine.intake import InsufficientStock, Reserved, Shortage
from engine.model import (
    Allocation,
    HeldLine,
    Line,
    Sku,
    StockCount,
    Substitution,
)
from engine.planner import Record
from tests.engine.goods_case import (
    COUNTS,
    KIT,
    change_unseen_at,
    changed,
    kit_of,
    retried,
    units,
)
from tests.engine.small_network import order, reserved


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
