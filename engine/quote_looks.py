"""Lets quotes look at the store without stopping the sale: few at a time, in turn, and none while orders are refused.

Before a quote says no, the levels of all cells that could serve it are read, and levels are set only while no batch is
under way: orders wait for each look. So one quote at a time wants to look, and there is a batch between two looks; a
look is of LOOK_CELLS_MAX cells at the most, and a quote of more takes several. Sources, such as API keys, take turns,
and none takes all places of those that wait. Where the queue of orders stands, no quote looks: it is to come back.
"""

import contextlib
from collections.abc import AsyncIterator, Iterator
from math import ceil
from typing import NoReturn

from engine.errors import QuotesBusy
from engine.intake import Intake
from engine.intake.lots import LotRoom
from engine.intake.patience import CALM_AFTER_S, RETRY_S_MAX
from engine.model import Order
from engine.planner import Planner
from engine.store import Store

QUOTES_MAX = 64
"""Quotes that look at the store or wait for it. Each source may have as many as are left, so one alone half of them."""
LOOK_CELLS_MAX = 4_000
"""Cells read at once: orders wait for as long as that takes."""


class QuoteLooks:
    """The turns of one engine's quotes."""

    def __init__(self, planner: Planner, store: Store, intake: Intake) -> None:
        self._planner = planner
        self._store = store
        self._intake = intake
        self._turns = LotRoom(1)
        self._held: dict[str, int] = {}
        """Places, by source."""
        self.turned_away = 0
        """Quotes, since the start."""

    @contextlib.asynccontextmanager
    async def look(self, order: Order, source: str) -> AsyncIterator[None]:
        """Read what could serve an order into the view; while this is held, no batch is under way.

        Raises QuotesBusy, and StoreError.
        """
        with self._place(source):
            await self._turns.enter(source)
            try:
                *looks, last = self._looks(order)
                for cells in looks:
                    async with self._alone():
                        await self._read(cells)
                async with self._alone():
                    await self._read(last)
                    yield
            finally:
                self._turns.leave(source)

    @contextlib.contextmanager
    def _place(self, source: str) -> Iterator[None]:
        own, waiting = self._held.get(source, 0), sum(self._held.values())
        if own >= QUOTES_MAX - waiting:
            self._turn_away(f"{waiting} quotes wait for a look at the store, {own} of them with this key.", 0.0)
        self._held[source] = own + 1
        try:
            yield
        finally:
            self._held[source] -= 1
            if not self._held[source]:
                del self._held[source]

    @contextlib.asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        self._let_orders_go_first()
        async with self._intake.exclusive:
            # It may have come to stand while this waited.
            self._let_orders_go_first()
            yield

    def _let_orders_go_first(self) -> None:
        # One that stood stands until the next order comes: then nobody waits.
        if self._intake.patience.standing and self._intake.queued_singles:
            self._turn_away("More orders come than can be done, and they go before quotes.", CALM_AFTER_S)

    def _turn_away(self, why: str, after_s: float) -> NoReturn:
        self.turned_away += 1
        retry_after_s = min(RETRY_S_MAX, max(1, ceil(self._intake.wait_s + after_s)))
        raise QuotesBusy(f"{why} Send the quote again.", retry_after_s=retry_after_s)

    def _looks(self, order: Order) -> list[list[int]]:
        """The cells that could serve an order, so many at a time; one time at the least."""
        cells = self._planner.cells_of(order)
        return [cells[start : start + LOOK_CELLS_MAX] for start in range(0, max(1, len(cells)), LOOK_CELLS_MAX)]

    async def _read(self, cells: list[int]) -> None:
        for partition, own in self._store.by_owner(cells).items():
            event, rows = await partition.cells.read(own, for_sale=True)
            self._planner.set_levels([(row.cell, row.free) for row in rows], event)
