"""Orders that a warehouse serves on a day, on the real store: never more than its capacity, and no false refusal."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from engine import Engine, NotQuoted, Settings, open_engine
from engine.intake import InsufficientStock, Reserved, Shortage, follow_order
from engine.intake.clock import DAY_MS
from engine.intake.outcome import Outcome
from engine.life import amendment
from engine.life.change import Changed
from engine.model import Line, Warehouse
from engine.planner import capacity_counter, cell_number
from tests.engine.small_network import SKUS, WAREHOUSES, another, order, reserved

ANSWER_S = 10.0
PLENTY = 1_000
AT_CAPACITY = InsufficientStock((Shortage("x", 1, 0),), spread=False, at_capacity=True)


@pytest.fixture(params=[1, 3])
async def engine(empty_store_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Engine]:
    """An engine on a store of one partition or of three, with plenty of everything in A and B."""
    async with open_engine(Settings(redis_url=empty_store_url, partitions=request.param)) as opened:
        await opened.put_warehouses(WAREHOUSES)
        await opened.put_skus(SKUS)
        owned = opened.store.by_owner([cell_number(sku=sku, warehouse=at) for sku in range(len(SKUS)) for at in (0, 1)])
        for partition, cells in owned.items():
            units = [PLENTY] * len(cells)
            event, levels, _ = await partition.movements.set_stock(cells, units, [0] * len(cells))
            opened.planner.set_levels(list(zip(cells, levels, strict=True)), event)
        yield opened


async def put_capacity(engine: Engine, **capacities: int | None) -> None:
    """Set how many orders a day warehouses serve."""
    by_id = {row.id: row for row in WAREHOUSES}
    rows: list[Warehouse] = [
        msgspec.structs.replace(by_id[name], capacity_orders_per_day=most) for name, most in capacities.items()
    ]
    await engine.put_warehouses(rows)
    # An engine hears of its own changes, too: an older one must not come after this one.
    async with asyncio.timeout(ANSWER_S):
        while engine.replica.catalogue_position != await engine.store.catalogue.position():
            await asyncio.sleep(0.001)


def served(outcomes: list[Outcome]) -> Counter[str]:
    """Orders by the warehouses that serve them."""
    allocations = [outcome.allocation for outcome in outcomes if isinstance(outcome, Reserved)]
    return Counter(shipment.warehouse for allocation in allocations for shipment in allocation.shipments)


async def used(engine: Engine, warehouse: int, *, days_ahead: int = 0) -> int:
    """Orders of a warehouse today or later, as the store counts them."""
    day = engine.intake.clock.day() + days_ahead
    partition = engine.store.partitions[warehouse % len(engine.store.partitions)]
    (orders,) = await partition.orders.read_counters([capacity_counter(warehouse, day)])
    return orders


async def end(engine: Engine, order_id: str, *, expire: bool = False) -> None:
    """Cancel an order, or let its hold end; and have all partitions follow."""
    home = engine.store.home(order_id)
    if expire:
        await engine.store.wire.command("ZADD", home.keys.holds, 1, order_id)
        await home.orders.expire(10)
    else:
        await home.orders.step("cancel", order_id, "t", version=None, detail=None)
    (stored,) = await engine.store.read_orders([order_id])
    assert stored is not None
    await follow_order(engine.store, order_id)


async def test_two_engines_never_go_beyond_a_capacity(engine: Engine) -> None:
    """Neither knows of the other's orders: only the store can tell. All that may be served is."""
    await put_capacity(engine, A=7, B=5)
    async with another(engine) as second:
        racing = ((engine, second)[number % 2].reserve(order(f"o{number}", ("x", 1))) for number in range(60))
        outcomes = list(await asyncio.wait_for(asyncio.gather(*racing), ANSWER_S))
    assert served(outcomes) == {"A": 7, "B": 5}
    assert [outcome for outcome in outcomes if not isinstance(outcome, Reserved)] == [AT_CAPACITY] * 48
    assert (await used(engine, 0), await used(engine, 1)) == (7, 5)


async def test_the_next_warehouse_takes_over(engine: Engine) -> None:
    """In one engine by its own count, in the other by the store's word; nobody is refused."""
    await put_capacity(engine, A=3)
    async with another(engine) as second:
        first = await asyncio.gather(*(engine.reserve(order(f"a{number}", ("x", 1))) for number in range(5)))
        assert served(first) == {"A": 3, "B": 2}
        assert served([reserved(await second.reserve(order("b", ("x", 1))))]) == {"B": 1}
    assert await used(engine, 0) == 3


async def test_every_policy_and_pickup_heeds_it(engine: Engine) -> None:
    """A full warehouse is passed over, and where the customer collects there is no other."""
    await put_capacity(engine, A=1)
    reserved(await engine.reserve(order("first", ("x", 1), pickup_at="A")))
    for policy in ("cheapest", "nearest", "priority"):
        assert served([await engine.reserve(order(policy, ("x", 1), policy=policy))]) == {"B": 1}
    assert await engine.reserve(order("collected", ("x", 1), pickup_at="A")) == AT_CAPACITY
    assert await engine.reserve(order("only", ("x", 1), warehouses=("A",))) == AT_CAPACITY


async def test_a_refusal_and_a_quote_say_at_capacity(engine: Engine) -> None:
    """Apart from a shortage, which is none of capacity."""
    await put_capacity(engine, A=0, B=1)
    reserved(await engine.reserve(order("one", ("x", 1))))
    assert await engine.reserve(order("two", ("x", 1))) == AT_CAPACITY
    quoted = await engine.quote(order("two", ("x", 1)))
    assert isinstance(quoted, NotQuoted)
    assert quoted.refusal == AT_CAPACITY
    rows = msgspec.json.decode(quoted.json)["explanation"]["warehouses"]
    assert [row.get("excluded") for row in rows[:2]] == ["the warehouse is at capacity for today"] * 2
    short = await engine.reserve(order("much", ("x", 2 * PLENTY)))
    assert short == InsufficientStock((Shortage("x", 2 * PLENTY, 2 * PLENTY - 1),), spread=False)


async def test_a_quote_looks_at_the_store_before_it_says_no(engine: Engine) -> None:
    """Another process's order has ended since this one knew of it."""
    await put_capacity(engine, A=1, B=0)
    reserved(await engine.reserve(order("one", ("x", 1))))
    await engine.store.wire.command(
        "HSET", engine.store.partitions[0].keys.counters, f"@0:{engine.intake.clock.day()}", 0
    )
    assert not isinstance(await engine.quote(order("two", ("x", 1))), NotQuoted)


@pytest.mark.parametrize("expire", [False, True])
async def test_an_order_that_ends_frees_what_it_used(engine: Engine, expire: bool) -> None:
    """At the engine that ended it, and at another that had found the warehouse full."""
    await put_capacity(engine, A=1, B=0)
    reserved(await engine.reserve(order("one", ("x", 1), payment="pending")))
    async with another(engine) as second:
        assert await second.reserve(order("two", ("x", 1))) == AT_CAPACITY
        await end(engine, "one", expire=expire)
        assert await used(engine, 0) == 0
        assert served([await second.reserve(order("two", ("x", 1)))]) == {"A": 1}
        assert await engine.reserve(order("three", ("x", 1))) == AT_CAPACITY


async def test_a_freed_warehouse_is_found_again_while_others_serve(engine: Engine) -> None:
    """Nobody need be refused for it: once events tell that orders ended, what looked full is asked about."""
    await put_capacity(engine, A=1)
    reserved(await engine.reserve(order("one", ("x", 1))))
    assert served([await engine.reserve(order("two", ("x", 1)))]) == {"B": 1}
    await end(engine, "one")
    numbers = iter(range(1_000))
    async with asyncio.timeout(ANSWER_S):
        while not served([await engine.reserve(order(f"next{next(numbers)}", ("x", 1)))])["A"]:
            pass
    assert await used(engine, 0) == 1


async def test_the_next_day_begins_with_nothing_used(engine: Engine) -> None:
    """And what ends on it was the day before's. The next reply sets the clock right again."""
    await put_capacity(engine, A=1, B=0)
    reserved(await engine.reserve(order("today", ("x", 1))))
    assert await engine.reserve(order("late", ("x", 1))) == AT_CAPACITY
    engine.intake.clock.ahead_ms += DAY_MS
    reserved(await engine.reserve(order("tomorrow", ("x", 1))))
    assert (await used(engine, 0), await used(engine, 0, days_ahead=1)) == (1, 1)
    await end(engine, "today")
    assert (await used(engine, 0), await used(engine, 0, days_ahead=1)) == (0, 1)


async def test_a_changed_capacity_counts_at_once(engine: Engine) -> None:
    """Raised, lowered below what is used, and taken away; the count goes on over all of it."""
    await put_capacity(engine, A=1, B=0)
    reserved(await engine.reserve(order("one", ("x", 1))))
    assert await engine.reserve(order("two", ("x", 1))) == AT_CAPACITY
    await put_capacity(engine, A=2)
    reserved(await engine.reserve(order("two", ("x", 1))))
    await put_capacity(engine, A=1)
    assert await engine.reserve(order("three", ("x", 1))) == AT_CAPACITY
    await put_capacity(engine, A=None)
    reserved(await engine.reserve(order("three", ("x", 1))))
    assert await used(engine, 0) == 2


async def test_an_order_of_two_shipments_uses_both(engine: Engine) -> None:
    """Each warehouse counts an order once, however many lines it serves of it."""
    await put_capacity(engine, A=9, B=9)
    reserved(await engine.reserve(order("wide", ("x", PLENTY + 1), ("y", PLENTY + 1))))
    assert (await used(engine, 0), await used(engine, 1)) == (1, 1)
    await end(engine, "wide")
    assert (await used(engine, 0), await used(engine, 1)) == (0, 0)


async def test_an_amendment_is_held_to_it_like_an_order(engine: Engine) -> None:
    """Where it goes anew; where the order is served already it stays. Nor does it matter who filled the warehouse."""
    await put_capacity(engine, A=1, B=1)
    reserved(await engine.reserve(order("one", ("x", 1))))
    async with another(engine) as second:
        # This engine has planned nothing yet.
        assert isinstance(await second.amend("one", [Line("x", 2)], transition_id="t1"), Changed)
        wide = await second.amend("one", [Line("x", PLENTY + 1)], transition_id="t2")
        assert isinstance(wide, Changed)
        assert (await used(engine, 0), await used(engine, 1)) == (1, 1)
        assert isinstance(await second.amend("one", [Line("x", 1)], transition_id="t3"), Changed)
        reserved(await engine.reserve(order("two", ("x", 1))))
        refused = await second.amend("one", [Line("x", PLENTY + 1)], transition_id="t4")
    short = Shortage("x", PLENTY + 1, PLENTY)
    assert refused == InsufficientStock((short,), spread=False, at_capacity=True)
    assert (await used(engine, 0), await used(engine, 1)) == (1, 1)


async def test_an_amendment_that_others_get_ahead_of_is_planned_anew(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They filled the warehouse between its look and its call: on one partition or on three, that is no error."""
    await put_capacity(engine, A=1, B=1)
    reserved(await engine.reserve(order("one", ("x", 1))))
    async with another(engine) as second:
        looked = amendment.read_capacities

        async def look_too_early(*args: Any) -> None:
            await looked(*args)
            monkeypatch.undo()
            reserved(await engine.reserve(order("two", ("x", 1))))

        monkeypatch.setattr(amendment, "read_capacities", look_too_early)
        refused = await second.amend("one", [Line("x", PLENTY + 1)], transition_id="t")
    short = Shortage("x", PLENTY + 1, PLENTY)
    assert refused == InsufficientStock((short,), spread=False, at_capacity=True)
    assert (await used(engine, 0), await used(engine, 1)) == (1, 1)
