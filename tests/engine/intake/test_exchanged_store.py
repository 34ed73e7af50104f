"""When the store behind the address is no longer the one that was loaded, nothing may be sold by its old numbers."""

import asyncio

import pytest
from redis.asyncio import Redis

from engine import Engine, Settings, State, open_engine
from engine.errors import InvalidInput
from engine.intake import Invalid, Reserved
from engine.model import Sku, StockCount, Warehouse
from tests.engine.small_network import order, put_network, reserved

RELOAD_S = 10.0


async def until_ready(engine: Engine, loads: int) -> None:
    """Wait until the engine has loaded again."""
    async with asyncio.timeout(RELOAD_S):
        while engine.replica.loads == loads or engine.state is not State.READY:
            await asyncio.sleep(0.02)


async def test_old_names_are_unknown_after_the_store_was_exchanged(engine: Engine, empty_store_url: str) -> None:
    """Number 0 was "x" and is "new" now: an order for "x" must not be served from the stock of "new"."""
    await put_network(engine, {("x", "A"): 5})
    loads = engine.replica.loads
    async with Redis.from_url(empty_store_url) as client:
        await client.flushall()
    async with open_engine(Settings(redis_url=empty_store_url)) as other:
        await other.put_warehouses([Warehouse(id="N", lat=30, lon=110)])
        await other.put_skus([Sku(sku="new")])
        await other.set_stock([StockCount(sku="new", warehouse="N", on_hand=9)])
        # Nobody ordered: whoever looks after holds notices it.
        await until_ready(engine, loads)
        outcome = await engine.reserve(order("old", ("x", 1)))
        assert isinstance(outcome, Invalid)
        assert "unknown SKU" in outcome.errors[0].message
        with pytest.raises(InvalidInput, match="unknown SKU"):
            await engine.set_stock([StockCount(sku="x", warehouse="A", on_hand=1)])
        assert reserved(await engine.reserve(order("new", ("new", 1)))).allocation.shipments[0].warehouse == "N"
        assert (await other.audit()).balanced


async def test_an_order_in_the_very_moment_is_planned_anew(engine: Engine, empty_store_url: str) -> None:
    """Its batch carries the old epoch: refused whole, loaded anew, and then the order is what it is there: unknown."""
    await put_network(engine, {("x", "A"): 5})
    async with Redis.from_url(empty_store_url) as client:
        await client.flushall()
        outcome = await engine.reserve(order("now", ("x", 1)))
        assert isinstance(outcome, Invalid)
        assert await client.hlen("stockade:{p0}:orders") == await client.hlen("stockade:{p0}:free") == 1


async def test_readers_by_the_hundred_keep_no_order_waiting(engine: Engine) -> None:
    """Reads have connections of their own, and wait for one where there is none."""
    await put_network(engine, {("x", "A"): 1000})
    reserved(await engine.reserve(order("first", ("x", 1))))
    reads = [engine.order("first") for _ in range(400)] + [engine.stock() for _ in range(100)]
    sales = [engine.reserve(order(f"o{number}", ("x", 1))) for number in range(200)]
    answers = await asyncio.wait_for(asyncio.gather(*reads, *sales), 30)
    assert all(isinstance(outcome, Reserved) for outcome in answers[500:])
    assert engine.replica.loads == 1


async def test_what_a_later_release_added_to_a_definition_stops_nothing(engine: Engine, empty_store_url: str) -> None:
    """Rolling out a release that knows one field more must not break the services that are still on this one."""
    await put_network(engine, {("x", "A"): 5})
    await engine.store.catalogue.put_skus([("x", b'{"sku": "x", "weight_g": 7, "colour": "red"}')])
    async with open_engine(Settings(redis_url=empty_store_url)) as fresh:
        assert fresh.planner.skus["x"].weight_g == 7
    async with asyncio.timeout(RELOAD_S):
        while engine.planner.skus["x"].weight_g != 7:
            await asyncio.sleep(0.02)
    reserved(await engine.reserve(order("one", ("x", 1))))
