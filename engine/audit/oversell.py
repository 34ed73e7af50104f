"""Watches a live store for oversold units, cell by cell, a few at a time, over and over.

Cheap enough to run all the time: a cell promises more than is on hand when its free units are fewer than what is kept
back for safety explains. So only cells whose free units are below zero are looked at closely. What is reserved it
believes the cell; only an audit compares that with the orders.
"""

import asyncio
from collections.abc import AsyncIterator
from time import time

import structlog

from engine.errors import StoreError
from engine.store import CellRow, Partition, Store
from engine.store.keys import CHANNEL_CELLS

PAGE_CELLS = 500
"""Cells wanted of one call, by a command of the store's own: some 0.1 ms of its time."""
LOOKED_AT_ONCE_MAX = 100
"""Cells looked at closely in one call."""
REST_S = 1.0
"""After a sweep, and after the store broke off."""
CELLS_NAMED_MAX = 20

log = structlog.get_logger(__name__)


class OversellWatch:
    """What sweeps over all cells have found so far."""

    def __init__(self, store: Store, cells_per_s: int) -> None:
        """`cells_per_s`: 1 at least."""
        self._store = store
        self._cells_per_s = cells_per_s
        self._found = 0
        self._last_found = 0
        self.cells = 0
        """Looked at, of all sweeps."""
        self.sweeps = 0
        """That came to their end."""
        self.swept_at = 0.0
        """When the last of them did, in seconds since 1970; 0: none has."""

    @property
    def oversold_units(self) -> int:
        """Of the last whole sweep, or of the one under way where it has found more already."""
        return max(self._found, self._last_found)

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            try:
                await self.sweep()
            except StoreError as error:
                log.info("the watch for oversold units begins anew", error=str(error))
            await asyncio.sleep(REST_S)

    async def sweep(self) -> int:
        """Look at every cell once; returns the units oversold. Raises StoreError."""
        self._found = 0
        for partition in self._store.partitions:
            async for page in _pages(partition):
                suspects = [cell for cell, free in page if free < 0]
                for start in range(0, len(suspects), LOOKED_AT_ONCE_MAX):
                    await self._look(partition, suspects[start : start + LOOKED_AT_ONCE_MAX])
                self.cells += len(page)
                await asyncio.sleep(len(page) / self._cells_per_s)
        self._last_found, self._found = self._found, 0
        self.sweeps += 1
        self.swept_at = time()
        return self._last_found

    async def _look(self, partition: Partition, cells: list[int]) -> None:
        _, rows = await partition.cells.read(cells)
        found = [(row.cell, units) for row in rows if (units := oversold(row)) > 0]
        if found:
            self._found += sum(units for _, units in found)
            log.error(
                "units are oversold: run `stockade audit`", partition=partition.number, cells=found[:CELLS_NAMED_MAX]
            )


def oversold(row: CellRow) -> int:
    """Units that a cell promises beyond what is on hand."""
    if row.cell >= CHANNEL_CELLS:
        # A pool holds back nothing: what it offers was taken from its cell.
        return max(0, -row.free)
    return max(0, -(row.free + row.safety))


async def _pages(partition: Partition) -> AsyncIterator[list[tuple[int, int]]]:
    """All cells with their free units."""
    wire, key, cursor = partition.wire, partition.keys.free, b"0"
    while True:
        cursor, page = await wire.command("HSCAN", key, cursor, "COUNT", PAGE_CELLS)
        pairs = page.items() if isinstance(page, dict) else zip(page[::2], page[1::2], strict=True)
        yield [(int(name), int(free)) for name, free in pairs if name]
        if int(cursor) == 0:
            return
