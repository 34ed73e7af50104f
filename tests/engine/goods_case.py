"""A small network with a bundle and substitutes, and looks at what orders on it get."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from engine import Engine, Settings, open_engine
from engine.intake import Conflict, Reserved
from engine.life.change import Changed
from engine.model import (
    AllocatedBundle,
    Allocation,
    AllocationLine,
    Component,
    Sku,
    StockCount,
)
from tests.engine.small_network import SKUS, WAREHOUSES, another, assert_balanced, change_unseen

ANSWER_S = 15.0
KIT = Sku(sku="kit", components=(Component("x", 1), Component("y", 2)), purchase_limit=3)
INSTEAD = Sku(sku="z", substitutes=("x", "few"))
COUNTS = {("x", "A"): 3, ("x", "B"): 2, ("y", "A"): 6, ("y", "C"): 6, ("z", "B"): 1, ("few", "C"): 4}


@contextlib.asynccontextmanager
async def stocked_engine(url: str, partitions: int) -> AsyncIterator[Engine]:
    """A kit of x and two y, whose partitions differ where there are several; x or few may come for z.

    What is left when it is closed must balance.
    """
    async with open_engine(Settings(redis_url=url, partitions=partitions)) as engine:
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


async def change_unseen_at(engine: Engine, sku: str, warehouse: str, more: int) -> None:
    """Count more in without this engine's view hearing of it before it has to look."""
    if len(engine.store.partitions) == 1:
        await change_unseen(engine, sku, warehouse, more)
        return
    cells = {cell.warehouse: cell for cell in (await engine.stock(sku=sku)).cells}
    async with another(engine) as other:
        on_hand = cells[warehouse].on_hand + more
        await other.set_stock([StockCount(sku=sku, warehouse=warehouse, on_hand=on_hand)])


def at(days: int) -> datetime:
    """Noon of a day from today on."""
    return datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=days)
