"""A small sale whose books can be spoilt by hand, with one partition or several."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec
from redis.asyncio import Redis

from engine import AuditReport, Engine, Settings, open_engine
from engine.store import home_of
from tests.engine.small_network import SKUS, WAREHOUSES, cell, order, reserved

pack = msgspec.msgpack.encode


async def put_everywhere(engine: Engine, counts: Mapping[tuple[str, str], int]) -> None:
    """Put the small network and its stock, each cell in the partition that owns it."""
    await engine.put_warehouses(WAREHOUSES)
    await engine.put_skus(SKUS)
    await count_everywhere(engine, counts)


async def count_everywhere(engine: Engine, counts: Mapping[tuple[str, str], int]) -> None:
    """Set counts in the partitions that own them, and tell the engine."""
    units = {cell(engine, *name): on_hand for name, on_hand in counts.items()}
    async with engine.intake.exclusive:
        for partition, cells in engine.store.by_owner(list(units)).items():
            event, levels, refused = await partition.movements.set_stock(
                cells, [units[one] for one in cells], [-1] * len(cells)
            )
            assert not refused
            engine.planner.set_levels(list(zip(cells, levels, strict=True)), event)


class Spoilt:
    """An engine and a plain client on its store."""

    def __init__(self, engine: Engine, client: "Redis[bytes]") -> None:
        self.engine = engine
        self.client = client

    def key(self, name: str, partition: int = 0) -> str:
        """The spelling of a key."""
        return str(getattr(self.engine.store.partitions[partition].keys, name))

    def cell(self, sku: str, warehouse: str) -> str:
        """A cell as a field."""
        return str(cell(self.engine, sku, warehouse))

    async def audit(self) -> list[tuple[str, str, int, int]]:
        """What an audit finds: kind, where, expected, found."""
        return rows(await self.engine.audit())


def rows(report: AuditReport) -> list[tuple[str, str, int, int]]:
    """Kind, where, expected and found of each difference, of which none may be left out."""
    assert report.difference_count == len(report.differences)
    assert report.balanced == (not report.differences)
    return [(one.kind, one.where, one.expected, one.found) for one in report.differences]


@contextlib.asynccontextmanager
async def small_sale(url: str, **settings: Any) -> AsyncIterator[Spoilt]:
    """3 of `few` held for ann at A, paid; 2 of `x` at B for nobody, not paid yet. Nothing runs in the background."""
    async with open_engine(Settings(redis_url=url, **settings), background=False) as engine:
        await put_everywhere(engine, {("few", "A"): 3, ("x", "B"): 5})
        reserved(await engine.reserve(order("one", ("few", 3), customer="ann")))
        reserved(await engine.reserve(order("two", ("x", 2), payment="pending", hold_seconds=600)))
        assert (await engine.audit()).differences == ()
        async with Redis.from_url(url) as client:
            yield Spoilt(engine, client)


async def crossing_sale(spoilt: Spoilt) -> tuple[str, int, int]:
    """An order of partition 0 that holds 2 of `y` at C in partition 1; returns its id and both partitions."""
    await count_everywhere(spoilt.engine, {("y", "C"): 9, ("z", "C"): 9})
    name = next(f"far{number}" for number in range(100) if home_of(f"far{number}", 3) == 0)
    reserved(await spoilt.engine.reserve(order(name, ("y", 2), ("x", 1))))
    return name, 0, 1
