"""Tariffs, own numbers and calendars on the real store: all processes mean the same, old definitions still load."""

from collections.abc import AsyncIterator

import msgspec
import pytest
from redis.asyncio import Redis

from engine import Engine, Quoted, Settings, open_engine
from engine.errors import InvalidInput
from engine.model import Allocation, Carrier, CostMatrix, DistanceMatrix, StockCount, Tariff, TariffZone, Zone
from engine.planner import Record
from tests.engine.small_network import SKUS, WAREHOUSES, another, order, reserved

TARIFF = Tariff(carriers=(Carrier(carrier="post", zones=(Zone(zone="all", base=300, transit_days=2),)),))


@pytest.fixture
async def first(empty_store_url: str) -> AsyncIterator[Engine]:
    """An engine on an empty store, with stock everywhere."""
    async with open_engine(Settings(redis_url=empty_store_url)) as opened:
        await opened.put_warehouses(WAREHOUSES)
        await opened.put_skus(SKUS)
        rows = [StockCount(sku=sku.sku, warehouse=at.id, on_hand=9) for sku in SKUS for at in WAREHOUSES]
        await opened.set_stock(rows)
        yield opened


async def cost_of(engine: Engine, name: str) -> int:
    """What an order of one unit would cost."""
    quote = await engine.quote(order(name, (SKUS[0].sku, 1)))
    assert isinstance(quote, Quoted)
    return int(msgspec.json.decode(quote.json)["cost"])


async def test_own_numbers_reach_other_processes_and_outlive_them(first: Engine) -> None:
    """Set by one, seen by one that runs and by one that starts later; taken away likewise."""
    async with open_engine(Settings(redis_url=first.store.url), background=False) as second:
        await first.put_tariff(TARIFF)
        matrix = DistanceMatrix(by="country", warehouses=(WAREHOUSES[0].id,), rows={"CN": (12.5,)})
        costs = CostMatrix(by="country", warehouses=(WAREHOUSES[0].id,), rows={"CN": (7,)})
        await first.set_distances(matrix)
        await first.set_costs(costs)
        await second.replica.read_catalogue(block_ms=1)
        assert second.planner.matrices == {"distance": matrix, "cost": costs}
        assert second.planner.tariff == TARIFF
        async with another(first) as third:
            assert third.planner.matrices == {"distance": matrix, "cost": costs}
        await first.set_costs(None)
        await second.replica.read_catalogue(block_ms=1)
        assert second.planner.matrices == {"distance": matrix}
        async with another(first) as third:
            assert third.planner.matrices == {"distance": matrix}
            assert await cost_of(third, "q") == await cost_of(first, "q")


async def test_what_breaks_a_rule_changes_nothing(first: Engine) -> None:
    """Neither here nor in the store."""
    await first.put_tariff(TARIFF)
    for wrong in (Tariff(), Tariff(zones=(TariffZone("a", 9, 1, 1), TariffZone("b", 8, 1, 1)))):
        with pytest.raises(InvalidInput):
            await first.put_tariff(wrong)
    with pytest.raises(InvalidInput):
        await first.set_costs(CostMatrix(by="country", warehouses=("ghost",), rows={"CN": (7,)}))
    with pytest.raises(InvalidInput, match="no IANA time zone"):
        await first.put_warehouses([msgspec.structs.replace(WAREHOUSES[0], timezone="Mars/Olympus")])
    async with another(first) as second:
        assert (second.planner.tariff, second.planner.matrices) == (TARIFF, {})
        assert second.planner.warehouses == first.planner.warehouses


async def test_a_promise_is_kept_with_the_order(first: Engine) -> None:
    """As it was made, whatever the tariff says later."""
    await first.put_tariff(TARIFF)
    made = reserved(await first.reserve(order("one", (SKUS[0].sku, 1)))).allocation
    await first.put_tariff(Tariff(zones=(TariffZone("all", 20_000, 1, 1),)))
    kept = await first.order("one")
    assert kept is not None
    assert kept == made
    assert kept.promised_on is not None
    assert (kept.shipments[0].carrier, kept.shipments[0].promised_on) == ("post", kept.promised_on)


async def test_definitions_and_records_of_the_release_before_are_read(first: Engine) -> None:
    """A tariff of zones alone, and a record that knows neither carrier nor day, which is as it always was."""
    made = reserved(await first.reserve(order("one", (SKUS[0].sku, 1)))).allocation
    (stored,) = await first.store.read_orders(["one"])
    assert stored is not None
    assert Record(stored).status == "confirmed"
    json = first.planner.core.allocation_json("one", stored)
    assert msgspec.json.decode(json, type=Allocation) == made
    old = (
        b'{"zones":[{"zone":"near","max_km":50,"base":1,"per_kg":2},{"zone":"far","max_km":500,"base":70,"per_kg":3}]}'
    )
    async with Redis.from_url(first.store.url) as client:
        await client.hset(first.store.catalogue._keys.meta, "tariff", old)
    async with another(first) as second:
        assert second.planner.tariff == msgspec.json.decode(old, type=Tariff)
        assert msgspec.json.encode(second.planner.tariff) == old
