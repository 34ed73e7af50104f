"""Prices of a live system: scarce stock is kept for where it is worth most; what fails leaves them as they were."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from engine import Engine, Prices, Settings, open_engine
from engine.errors import StoreUnavailable
from engine.model import Line, Movement, MovementRow, Order, ShipTo, Sku, StockCount, Warehouse
from engine.refresher import PriceRefresher
from engine.refresher.refresher import CATCH_UPS_MAX
from tests.engine.small_network import reserved

WAREHOUSES = (Warehouse(id="SOUTH", lat=30.0, lon=110.0), Warehouse(id="NORTH", lat=34.0, lon=110.0))
SOUTH, BETWEEN = ShipTo(lat=30.0, lon=110.0), ShipTo(lat=31.9, lon=110.0)
"""`BETWEEN` is somewhat nearer to the south."""

NEVER_S = 3_600.0
"""Refreshes are called for, not waited for."""


@contextlib.asynccontextmanager
async def pricing_engine(url: str, partitions: int = 1, **settings: object) -> AsyncIterator[Engine]:
    """An engine that prices stock when it is told to."""
    given = {"prices": "forecast", "prices_every_s": NEVER_S, "prices_time_ms_max": 5_000, **settings}
    async with open_engine(Settings(redis_url=url, partitions=partitions, **given)) as engine:  # type: ignore[arg-type]
        yield engine


async def fill(engine: Engine, south: int, north: int) -> None:
    """Two warehouses with units of x."""
    await engine.put_warehouses(WAREHOUSES)
    await engine.put_skus([Sku(sku="x")])
    counts = (("SOUTH", south), ("NORTH", north))
    await engine.set_stock([StockCount(sku="x", warehouse=name, on_hand=units) for name, units in counts])


async def sell(engine: Engine, name: str, count: int, to: ShipTo, units: int = 1) -> None:
    """Orders, one after the other."""
    for number in range(count):
        reserved(await engine.reserve(Order(order_id=f"{name}-{number}", ship_to=to, lines=(Line("x", units),))))


async def served_from(engine: Engine, name: str, to: ShipTo) -> str:
    """The warehouse of one order more."""
    outcome = reserved(await engine.reserve(Order(order_id=name, ship_to=to, lines=(Line("x", 1),))))
    return outcome.allocation.shipments[0].warehouse


def refresher(engine: Engine) -> PriceRefresher:
    """That of the engine."""
    assert engine.prices is not None
    return engine.prices


async def refreshed(engine: Engine) -> None:
    """Once all events have been read and priced."""
    while await refresher(engine).refresh():
        pass


@pytest.mark.parametrize("partitions", [1, 3])
async def test_scarce_stock_is_kept_for_tomorrows_customers(empty_store_url: str, partitions: int) -> None:
    """Who could as well be served from elsewhere is."""
    async with pricing_engine(empty_store_url, partitions) as engine:
        await fill(engine, south=60, north=500)
        assert await served_from(engine, "before", BETWEEN) == "SOUTH"
        await sell(engine, "south", 30, SOUTH)
        await refreshed(engine)
        assert await served_from(engine, "between", BETWEEN) == "NORTH"
        assert await served_from(engine, "at-home", SOUTH) == "SOUTH"
        status = refresher(engine).status
        assert (status.refreshes, status.failures, status.skus, status.cells) == (1, 0, 1, 1)
        assert (await engine.audit()).balanced


async def test_stock_that_does_for_all_has_no_price(empty_store_url: str) -> None:
    """Then each is served from where it costs least."""
    async with pricing_engine(empty_store_url, prices_horizon_s=60) as engine:
        await fill(engine, south=5_000, north=5_000)
        await sell(engine, "south", 30, SOUTH)
        await refreshed(engine)
        assert refresher(engine).status.cells == 0
        assert await served_from(engine, "between", BETWEEN) == "SOUTH"


async def test_it_is_off_by_default(empty_store_url: str) -> None:
    """No prices, no age."""
    async with open_engine(Settings(redis_url=empty_store_url)) as engine:
        assert engine.prices is None
        assert (engine.status.prices_age_s, engine.status.prices_error) == (None, None)


async def test_it_refreshes_by_itself_and_its_age_is_told(empty_store_url: str) -> None:
    """In the background of a service."""
    async with pricing_engine(empty_store_url, prices_every_s=0.1) as engine:
        await fill(engine, south=60, north=500)
        await sell(engine, "south", 30, SOUTH)
        async with asyncio.timeout(20):
            while refresher(engine).status.cells == 0:
                await asyncio.sleep(0.02)
        assert await served_from(engine, "between", BETWEEN) == "NORTH"
        assert 0 <= (engine.status.prices_age_s or 0.0) < 20


async def test_a_refresh_that_fails_leaves_the_former_prices_and_is_told(
    empty_store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the next one that works says no more of it."""
    async with pricing_engine(empty_store_url, prices_every_s=0.1) as engine:
        await fill(engine, south=60, north=500)
        await sell(engine, "south", 30, SOUTH)
        async with asyncio.timeout(20):
            while refresher(engine).status.cells == 0:
                await asyncio.sleep(0.02)

            async def no_cells(_cells: object) -> list[object]:
                raise StoreUnavailable("the cells cannot be read")

            with monkeypatch.context() as patched:
                patched.setattr(engine.store, "read_cells", no_cells)
                while engine.status.prices_error is None:
                    await asyncio.sleep(0.02)
                assert "the cells cannot be read" in engine.status.prices_error
                assert refresher(engine).status.failures >= 1
                assert await served_from(engine, "between", BETWEEN) == "NORTH"
            while engine.status.prices_error is not None:
                await asyncio.sleep(0.02)


async def test_prices_that_cannot_be_renewed_hold_no_more_after_a_while(
    empty_store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are of a stock that is gone; when they can be refreshed again they are."""
    monkeypatch.setattr("engine.refresher.refresher.STALE_S_MIN", 0.5)
    async with pricing_engine(empty_store_url, prices_every_s=0.05) as engine:
        await fill(engine, south=60, north=500)
        await sell(engine, "south", 30, SOUTH)
        async with asyncio.timeout(20):
            while refresher(engine).status.cells == 0:
                await asyncio.sleep(0.02)

            async def no_cells(_cells: object) -> list[object]:
                raise StoreUnavailable("the cells cannot be read")

            with monkeypatch.context() as patched:
                patched.setattr(engine.store, "read_cells", no_cells)
                while refresher(engine).status.cells:
                    await asyncio.sleep(0.02)
                assert await served_from(engine, "without", BETWEEN) == "SOUTH"
            while refresher(engine).status.cells == 0:
                await asyncio.sleep(0.02)
            assert await served_from(engine, "with", BETWEEN) == "NORTH"


async def test_prices_fall_as_a_replenishment_comes_near(empty_store_url: str) -> None:
    """And are gone when there is nothing to bridge any more."""
    async with pricing_engine(empty_store_url) as engine:
        await fill(engine, south=60, north=500)
        await sell(engine, "south", 30, SOUTH)
        await refreshed(engine)
        assert await served_from(engine, "scarce", BETWEEN) == "NORTH"
        # Enough for all that is expected within the horizon, and due before a unit more is.
        arrives = datetime.now(UTC) + timedelta(seconds=1)
        rows = (MovementRow(sku="x", warehouse="SOUTH", quantity=100_000, arrives_at=arrives),)
        await engine.move(Movement(movement_id="come", type="inbound", rows=rows))
        await refreshed(engine)
        assert refresher(engine).status.cells == 0
        assert await served_from(engine, "plenty", BETWEEN) == "SOUTH"


async def test_a_restart_learns_from_the_events_that_are_kept(empty_store_url: str) -> None:
    """So it prices as before."""
    async with pricing_engine(empty_store_url) as engine:
        await fill(engine, south=60, north=500)
        await sell(engine, "south", 30, SOUTH)
    async with pricing_engine(empty_store_url) as engine:
        assert await served_from(engine, "unpriced", BETWEEN) == "SOUTH"
        await refreshed(engine)
        assert await served_from(engine, "priced", BETWEEN) == "NORTH"


async def test_orders_that_wait_are_priced_for_until_they_do_not(empty_store_url: str) -> None:
    """By the events that name them."""
    async with pricing_engine(empty_store_url) as engine:
        await fill(engine, south=1, north=0)
        order = Order(order_id="w", ship_to=SOUTH, lines=(Line("x", 5),), allow_backorder=True)
        assert reserved(await engine.reserve(order)).allocation.status == "backordered"
        await refreshed(engine)
        assert list(refresher(engine).reader.waiting) == ["w"]
        await engine.cancel("w")
        await refreshed(engine)
        assert not refresher(engine).reader.waiting


async def test_many_that_wait_at_once_are_all_priced_for(empty_store_url: str) -> None:
    """One look reads them all."""
    async with pricing_engine(empty_store_url) as engine:
        await fill(engine, south=1, north=0)
        orders = [
            Order(order_id=f"w-{number}", ship_to=SOUTH, lines=(Line("x", 5),), allow_backorder=True)
            for number in range(300)
        ]
        await asyncio.gather(*map(engine.reserve, orders))
        assert not await refresher(engine).refresh()
        assert (len(refresher(engine).reader.waiting), refresher(engine).reader.unread) == (300, 0)


async def test_prices_are_made_though_there_always_is_more_to_read(
    empty_store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what was read."""
    async with pricing_engine(empty_store_url) as engine:
        await fill(engine, south=60, north=500)
        await sell(engine, "south", 30, SOUTH)
        look = refresher(engine).reader.look

        async def never_ends(now_ms: int) -> bool:
            await look(now_ms)
            return True

        monkeypatch.setattr(refresher(engine).reader, "look", never_ends)
        assert all([await refresher(engine).refresh() for _ in range(CATCH_UPS_MAX)])
        assert (refresher(engine).status.refreshes, refresher(engine).status.cells) == (1, 1)


async def test_prices_outlive_a_store_that_is_loaded_anew(empty_store_url: str) -> None:
    """They are advice of this process, kept by names."""
    async with pricing_engine(empty_store_url) as engine:
        await fill(engine, south=60, north=500)
        await sell(engine, "south", 30, SOUTH)
        await refreshed(engine)
        await engine.replica.load()
        assert await served_from(engine, "between", BETWEEN) == "NORTH"
        await refreshed(engine)
        assert await served_from(engine, "again", BETWEEN) == "NORTH"
        await engine.set_prices(Prices())
        assert await served_from(engine, "by-hand", BETWEEN) == "SOUTH"
