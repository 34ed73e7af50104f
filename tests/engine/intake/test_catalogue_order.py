"""Changes of the catalogue take effect in the store's order, whoever reads of them first."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from engine import Engine, Settings, open_engine
from engine.model import CostMatrix, Sku, Tariff, TariffZone
from tests.engine.small_network import WAREHOUSES

COSTS = CostMatrix(by="country", warehouses=(WAREHOUSES[0].id,), rows={"CN": (7,)})
OLD, NEW = (Tariff(zones=(TariffZone(zone="all", max_km=9_000, base=base, per_kg=0),)) for base in (100, 200))


class HeldUp:
    """A call of the store whose reply is a while on its way: what it read is of then."""

    def __init__(self, call: Callable[..., Awaitable[Any]]) -> None:
        self._call = call
        self.read = asyncio.Event()
        self.let_go = asyncio.Event()

    async def __call__(self, *args: Any, **options: Any) -> Any:
        reply = await self._call(*args, **options)
        if not self.read.is_set():
            self.read.set()
            await self.let_go.wait()
        return reply


@pytest.fixture
async def pair(empty_store_url: str) -> AsyncIterator[tuple[Engine, Engine]]:
    """Two engines on one store, which read its news when they are told to."""
    settings = Settings(redis_url=empty_store_url)
    async with open_engine(settings, background=False) as one, open_engine(settings, background=False) as other:
        await one.put_warehouses(WAREHOUSES)
        yield one, other


async def test_own_costs_that_were_removed_stay_removed(
    pair: tuple[Engine, Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The follower has just read the costs that another put there when they are taken away by this process."""
    mine, other = pair
    await mine.replica.read_catalogue(block_ms=1)
    await other.replica.read_catalogue(block_ms=1)
    await other.set_costs(COSTS)
    late = HeldUp(mine.store.catalogue.read_matrix)
    monkeypatch.setattr(mine.store.catalogue, "read_matrix", late)
    following = asyncio.create_task(mine.replica.read_catalogue(block_ms=1))
    await late.read.wait()
    await mine.set_costs(None)
    assert mine.planner.matrices == {}
    late.let_go.set()
    await following
    assert mine.planner.matrices == {}


async def test_a_tariff_is_not_undone_by_an_older_one_that_is_being_followed(
    pair: tuple[Engine, Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The news of the older one is on its way when the newer one is put there."""
    mine, other = pair
    await mine.replica.read_catalogue(block_ms=1)
    await other.put_tariff(OLD)
    late = HeldUp(mine.store.catalogue.read_events)
    monkeypatch.setattr(mine.store.catalogue, "read_events", late)
    following = asyncio.create_task(mine.replica.read_catalogue(block_ms=1))
    await late.read.wait()
    await mine.put_tariff(NEW)
    assert mine.planner.tariff == NEW
    late.let_go.set()
    await following
    assert mine.planner.tariff == NEW


async def test_what_others_changed_before_is_known_with_ones_own_change(pair: tuple[Engine, Engine]) -> None:
    """Own changes come from the stream, in their place, and all before them come, too."""
    mine, other = pair
    await other.put_skus([Sku(sku="theirs")])
    await mine.put_skus([Sku(sku="mine")])
    assert {"theirs", "mine"} <= mine.planner.skus.keys()
