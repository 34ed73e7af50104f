"""When announced stock covers what orders lack, by the arrivals of cells. Other orders that wait are not counted."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence

from engine.intake.clock import DAY_MS
from engine.model import limits
from engine.store import CHANNEL_CELLS, Store

CELLS_MAX = 20_000
"""Cells looked at in one go: about 10 ms of the store's time. Of an order that has more, nothing is expected."""

Arrivals = Mapping[int, Sequence[tuple[int, int]]]
"""Of SKUs by number: (arrival in ms since 1970, units), those that say when."""


async def read_arrivals(store: Store, cells: Sequence[int]) -> Arrivals:
    """What is announced for cells, by SKU. Raises StoreError."""
    owned = store.by_owner(cells)
    pages = await asyncio.gather(*(partition.cells.arrivals(own) for partition, own in owned.items()))
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for own, page in zip(owned.values(), pages, strict=True):
        for cell, rows in zip(own, page, strict=True):
            sku = cell % CHANNEL_CELLS // limits.WAREHOUSES_MAX
            found[sku] += [(ms, units) for _, units, ms in rows if ms]
    return found


def day_of(missing: Sequence[tuple[int, int]], arrivals: Arrivals, today: int) -> int:
    """The day since 1970 by which arrivals cover (SKU, units), today at the earliest; 0 where they do not.

    0 as well where nothing is missing: what an order lacks then is no stock.
    """
    days = [_covered(units, arrivals.get(sku, ())) for sku, units in missing]
    return max(today, *days) if days and all(days) else 0


async def expected_day(store: Store, missing: Sequence[tuple[int, int]], cells: Sequence[int], *, today: int) -> int:
    """`day_of` for one order that lacks (SKU, units), by what is announced for cells. Raises StoreError."""
    if not cells or len(cells) > CELLS_MAX:
        return 0
    return day_of(missing, await read_arrivals(store, cells), today)


def _covered(units: int, arrivals: Sequence[tuple[int, int]]) -> int:
    for ms, arriving in sorted(arrivals):
        units -= arriving
        if units <= 0:
            return ms // DAY_MS
    return 0
