"""Pools of channels on the real store: who may sell what is set apart, and where it goes when it comes back."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest
from redis.asyncio import Redis

from engine import Engine, Settings, open_engine
from engine.intake import InsufficientStock, Reserved, Shortage, follow_order
from engine.model import Movement, MovementRow, Order, StockCount
from engine.planner import Record, cell_number
from tests.engine.small_network import SKUS, WAREHOUSES, another, order, reserved

ANSWER_S = 10.0
APP, SHOP = 1, 2
CHANNELS = ("app", "shop")


@pytest.fixture(params=[1, 3])
async def first(empty_store_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Engine]:
    """An engine on an empty store, of one partition and of three."""
    async with open_engine(Settings(redis_url=empty_store_url, partitions=request.param)) as opened:
        await opened.put_warehouses(WAREHOUSES)
        await opened.put_skus(SKUS)
        await opened.store.catalogue.put_channels([(name, b"{}") for name in CHANNELS])
        yield opened


def cell(engine: Engine, sku: str, warehouse: str, channel: int = 0) -> int:
    """The number of a cell or pool."""
    numbers = engine.planner.core.sku_number(sku), engine.planner.core.warehouse_number(warehouse)
    assert numbers[0] is not None
    assert numbers[1] is not None
    return cell_number(sku=numbers[0], warehouse=numbers[1], channel=channel)


async def fill(
    engine: Engine, shared: Mapping[tuple[str, str], int], pools: Mapping[tuple[str, str, int], int]
) -> None:
    """Write levels as counts and allotments leave them: of each cell what is shared, of each pool what is in it."""
    on_hand = dict(shared)
    for (sku, warehouse, _), units in pools.items():
        on_hand[sku, warehouse] = on_hand.get((sku, warehouse), 0) + units
    async with Redis.from_url(engine.store.url) as client:
        for place, units in on_hand.items():
            number = cell(engine, *place)
            keys = engine.store.owner(number).keys
            await client.hset(keys.on_hand, str(number), units)
            await client.hset(keys.free, str(number), shared.get(place, 0))
        for pool, units in pools.items():
            await client.hset(engine.store.owner(cell(engine, *pool)).keys.free, str(cell(engine, *pool)), units)


async def free(engine: Engine, sku: str, warehouse: str) -> tuple[int, int, int]:
    """What is free in the shared rest, in the app's pool and in the shop's."""
    rows = await engine.store.read_cells([cell(engine, sku, warehouse, channel) for channel in (0, APP, SHOP)])
    shared, app, shop = (row.free for row in rows)
    return shared, app, shop


async def test_a_pool_is_not_sold_to_others_even_when_the_rest_is_empty(first: Engine) -> None:
    """Neither to an order of another channel nor to one of none; its own channel has it."""
    await fill(first, {("x", "A"): 0}, {("x", "A", APP): 5})
    async with another(first) as engine:
        short = InsufficientStock((Shortage("x", 1, 0),), spread=False)
        for name, channel in (("none", None), ("shop", "shop"), ("unknown", "fair")):
            assert await engine.reserve(order(name, ("x", 1), channel=channel)) == short
        reserved(await engine.reserve(order("app", ("x", 5), channel="app")))
        assert await free(engine, "x", "A") == (0, 0, 0)
        # Its own channel, too, hears what it may take.
        assert await engine.reserve(order("more", ("x", 1), channel="app")) == short


async def test_a_channel_sells_its_own_pool_first_and_then_the_rest(first: Engine) -> None:
    """People read one line; the record knows both cells."""
    await fill(first, {("x", "A"): 3}, {("x", "A", APP): 2, ("x", "A", SHOP): 9})
    async with another(first) as engine:
        reserved(await engine.reserve(order("one", ("x", 1), channel="app")))
        assert await free(engine, "x", "A") == (3, 1, 9)
        allocation = reserved(await engine.reserve(order("both", ("x", 3), channel="app"))).allocation
        assert [(line.sku, line.quantity) for line in allocation.shipments[0].lines] == [("x", 3)]
        assert await free(engine, "x", "A") == (1, 0, 9)
        assert await engine.order("both") == allocation
        (stored,) = await engine.store.read_orders(["both"])
        assert stored is not None
        assert Record(stored).held == [(cell(engine, "x", "A", APP), 1), (cell(engine, "x", "A"), 2)]


async def test_a_stale_view_refuses_nothing_that_pool_and_rest_have(first: Engine) -> None:
    """What was set apart without an event is found before the channel hears no."""
    await fill(first, {("x", "A"): 1}, {})
    async with another(first) as engine:
        await fill(first, {("x", "A"): 1}, {("x", "A", APP): 4})
        assert isinstance(await engine.reserve(order("web", ("x", 5))), InsufficientStock)
        reserved(await engine.reserve(order("app", ("x", 5), channel="app")))
        assert await free(engine, "x", "A") == (0, 0, 0)


async def test_a_quote_looks_into_the_pool_of_its_channel(first: Engine) -> None:
    """And into no other."""
    await fill(first, {("x", "A"): 0}, {})
    async with another(first) as engine:
        await fill(first, {("x", "A"): 0}, {("x", "A", APP): 2})
        assert b'"shortages"' in (await engine.quote(order("web", ("x", 2)))).json  # type: ignore[union-attr]
        assert b'"quoted"' in (await engine.quote(order("app", ("x", 2), channel="app"))).json  # type: ignore[union-attr]


async def test_two_engines_race_for_pools_and_rest(first: Engine) -> None:
    """Every unit is sold once, and none of a pool to another channel."""
    await fill(first, {("x", "A"): 6, ("x", "B"): 2}, {("x", "A", APP): 5, ("x", "B", SHOP): 4})
    async with another(first) as one, another(first) as two:
        orders = [
            order(f"{channel}{number}", ("x", 1), channel=channel)
            for number in range(15)
            for channel in (None, *CHANNELS)
        ]
        racing = ((one, two)[place % 2].reserve(wanted) for place, wanted in enumerate(orders))
        outcomes = await asyncio.wait_for(asyncio.gather(*racing), ANSWER_S)
        sold = [wanted for wanted, outcome in zip(orders, outcomes, strict=True) if isinstance(outcome, Reserved)]
        assert len(sold) == 6 + 2 + 5 + 4
        assert all(isinstance(outcome, Reserved | InsufficientStock) for outcome in outcomes)
        for channel, most in ((None, 8), ("app", 13), ("shop", 12)):
            assert sum(wanted.channel == channel for wanted in sold) <= most
        assert await free(one, "x", "A") == await free(one, "x", "B") == (0, 0, 0)


def _pending(order_id: str) -> Order:
    return order(order_id, ("x", 3), ("y", 2), channel="app", payment="pending")


@pytest.mark.parametrize("ends", ["cancelled", "expired"])
async def test_units_go_back_to_where_they_were_taken(first: Engine, ends: str) -> None:
    """To the pool what was the pool's; and the engine sells it again, to that channel only."""
    await fill(first, {("x", "A"): 2, ("y", "A"): 2}, {("x", "A", APP): 2, ("y", "A", APP): 1})
    async with another(first) as engine:
        reserved(await engine.reserve(_pending("held")))
        assert (await free(engine, "x", "A"), await free(engine, "y", "A")) == ((1, 0, 0), (1, 0, 0))
        home = engine.store.home("held")
        if ends == "cancelled":
            await home.orders.step("cancel", "held", "t", version=None, detail=None)
        else:
            await engine.store.wire.command("ZADD", home.keys.holds, 1, "held")
            await home.orders.expire(10)
        (stored,) = await engine.store.read_orders(["held"])
        assert stored is not None
        await follow_order(engine.store, "held")
        assert (await free(engine, "x", "A"), await free(engine, "y", "A")) == ((2, 2, 0), (2, 1, 0))
        short = InsufficientStock((Shortage("x", 3, 2),), spread=False)
        assert await engine.reserve(order("web", ("x", 3))) == short
        reserved(await engine.reserve(order("app", ("x", 4), channel="app")))


async def test_a_channel_that_gets_pools_later_is_followed(first: Engine) -> None:
    """Its number is the catalogue's and one; 0 is the rest."""
    async with another(first) as engine:
        assert (engine.planner.core.channel_number("app"), engine.planner.core.channel_number("late")) == (APP, None)
        await first.store.catalogue.put_channels([("late", b"{}")])
        async with asyncio.timeout(ANSWER_S):
            while engine.planner.core.channel_number("late") is None:
                await asyncio.sleep(0.01)
        assert engine.planner.core.channel_number("late") == 3


async def test_what_was_allotted_is_sold_at_once(first: Engine) -> None:
    """Who did it need not hear from the catalogue that the channel has pools now: here it never would."""
    await first.set_stock([StockCount(sku="x", warehouse="A", on_hand=2)])
    async with open_engine(first.settings, background=False) as engine:
        row = MovementRow(sku="x", warehouse="A", quantity=2, channel="fresh")
        await engine.move(Movement(movement_id="m", type="allot", rows=(row,)))
        reserved(await engine.reserve(order("one", ("x", 2), channel="fresh")))
