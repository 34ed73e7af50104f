"""A network small enough to reckon with by hand, and orders on it."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

from redis.asyncio import Redis

from engine import Engine, Settings, open_engine
from engine.intake import Reserved
from engine.intake.outcome import Outcome
from engine.model import Line, Order, ShipTo, Sku, StockCount, Warehouse
from engine.planner import cell_number

WAREHOUSES = tuple(Warehouse(id=name, lat=30.0 + place, lon=110.0) for place, name in enumerate("ABC"))
SKUS = (Sku(sku="x"), Sku(sku="y"), Sku(sku="z"), Sku(sku="few", purchase_limit=3))
FREE = "stockade:{p0}:free"


async def put_network(engine: Engine, counts: Mapping[tuple[str, str], int]) -> None:
    """Fill an empty store: `counts` holds on_hand by (SKU, warehouse)."""
    await engine.put_warehouses(WAREHOUSES)
    await engine.put_skus(SKUS)
    await put_stock(engine, counts)


async def put_stock(engine: Engine, counts: Mapping[tuple[str, str], int]) -> None:
    """Set counts by (SKU, warehouse)."""
    rows = [StockCount(sku=sku, warehouse=warehouse, on_hand=units) for (sku, warehouse), units in counts.items()]
    await engine.set_stock(rows)


def order(order_id: str, *lines: tuple[str, int], **more: Any) -> Order:
    """An order to a place near warehouse A."""
    return Order(
        order_id=order_id, ship_to=ShipTo(lat=30.0, lon=110.0), lines=tuple(Line(*line) for line in lines), **more
    )


def cell(engine: Engine, sku: str, warehouse: str) -> int:
    """The number of a cell."""
    numbers = engine.planner.core.sku_number(sku), engine.planner.core.warehouse_number(warehouse)
    assert numbers[0] is not None
    assert numbers[1] is not None
    return cell_number(sku=numbers[0], warehouse=numbers[1])


async def change_unseen(engine: Engine, sku: str, warehouse: str, units: int) -> None:
    """Add units to a cell (or take them) without an event, so that the engine's view is certainly stale."""
    async with Redis.from_url(engine.store.url) as client:
        await client.hincrby(FREE, str(cell(engine, sku, warehouse)), units)
        await client.hincrby(FREE.replace("free", "on_hand"), str(cell(engine, sku, warehouse)), units)
        # To the audit it is as if the event had been trimmed.
        for total in ("free_total", "on_hand_total"):
            await client.hincrby(FREE.replace("free", "meta"), total, units)


@contextlib.asynccontextmanager
async def another(engine: Engine, **settings: Any) -> AsyncIterator[Engine]:
    """A second engine on the same store."""
    async with open_engine(Settings(redis_url=engine.store.url, **settings)) as other:
        yield other


def reserved(outcome: Outcome) -> Reserved:
    """The outcome, which must be a reservation."""
    assert isinstance(outcome, Reserved), outcome
    return outcome


async def assert_balanced(engine: Engine, *, units_reserved: int | None = None) -> None:
    """The audit finds nothing; and what it counts is what was sold, where that is known."""
    report = await engine.audit()
    assert report.differences == ()
    if units_reserved is not None:
        assert report.units_reserved == units_reserved
