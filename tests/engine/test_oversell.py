"""The watch for oversold units: finds what is promised beyond what is on hand, and nothing else."""

import pytest
from redis.asyncio import Redis

from engine import Engine
from engine.audit.oversell import oversold
from engine.model import StockCount
from engine.store import CellRow
from engine.store.keys import CHANNEL_CELLS
from tests.engine.small_network import FREE, cell, put_network

WATCH_CELLS_PER_S = 1_000_000


@pytest.mark.parametrize(
    ("free", "safety", "units"), [(5, 0, 0), (0, 0, 0), (-3, 5, 0), (-5, 5, 0), (-6, 5, 1), (-2, 0, 2)]
)
def test_units_kept_back_for_safety_are_no_promise(free: int, safety: int, units: int) -> None:
    """A count may leave less than the safety asks for: then nothing is free, and nothing is oversold."""
    row = CellRow(cell=1, free=free, on_hand=10, safety=safety)
    assert oversold(row) == units


def test_a_pool_offers_no_more_than_it_was_given() -> None:
    """It has no safety of its own; its row shows its cell's."""
    assert oversold(CellRow(cell=CHANNEL_CELLS + 1, free=-2, on_hand=10, safety=5)) == 2


async def test_a_sweep_looks_at_every_cell_and_forgets_what_was_mended(engine: Engine) -> None:
    """An alert that stays when the fault is gone is not believed the next time."""
    await put_network(engine, {("x", "A"): 5, ("y", "B"): 3, ("z", "C"): 1})
    await engine.set_stock([StockCount(sku="few", warehouse="A", on_hand=1, safety=4)])
    watch = engine.oversell_watch(WATCH_CELLS_PER_S)
    assert (await watch.sweep(), watch.cells, watch.sweeps, watch.oversold_units) == (0, 4, 1, 0)
    async with Redis.from_url(engine.store.url) as client:
        await client.hset(FREE, str(cell(engine, "y", "B")), -4)
        assert (await watch.sweep(), watch.oversold_units) == (4, 4)
        await client.hset(FREE, str(cell(engine, "y", "B")), 3)
    assert (await watch.sweep(), watch.oversold_units) == (0, 0)
    assert watch.swept_at > 0
