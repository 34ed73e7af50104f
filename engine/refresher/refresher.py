"""Every few seconds: reads what was ordered, prices the stock of some SKUs in a thread, hands prices to the planner."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic, perf_counter

import numpy as np
import numpy.typing as npt
import structlog
from msgspec import Struct

from engine.config import Settings
from engine.errors import StockadeError
from engine.feed.pages import Feed
from engine.forecast import Baskets
from engine.forecast.kinds import Kinds
from engine.intake.clock import StoreClock
from engine.model import Warehouse, limits
from engine.planner import Planner, Prices, cell_number
from engine.refresher.demand import Demand
from engine.refresher.lanes import LaneCosts, LaneTerms, lane_costs
from engine.refresher.reader import DemandReader
from engine.refresher.solve import Snapshot, prices_of
from engine.store import Store

PRICES_KEPT_MAX = 20_000
"""Cells with a price: taking them over keeps the event loop for some 30 ms. Of more, those priced longest ago go."""

CELLS_READ_MAX = 50_000
"""Cells read from the store for one pricing."""

CATCH_UP_S = 0.2
"""Between two looks at the feed while there is more in it."""

CATCH_UPS_MAX = 10
"""Looks that may find more to be read, one after another, before prices are made of what was read."""

WEIGHT_STEP = 1.25
"""Costs are reckoned anew when the mean weight of what is ordered changes by more than this factor."""

STALE_S_MIN = 60.0
STALE_TIMES = 10.0
"""Prices that have not been renewed for so many intervals, and so long, hold no more: the stock they are of is gone."""

log = structlog.get_logger(__name__)


class PriceStatus(Struct, frozen=True, kw_only=True):
    """How far the prices are."""

    refreshes: int
    """Times that stock was priced."""
    failures: int
    error: str | None
    """Why the last refresh failed; then the prices of the one before hold for a while. None where it did not."""
    age_s: float | None
    """Since stock was last priced."""
    took_s: float
    """What that took in its thread, the processor being shared."""
    skus: int
    """Known from orders."""
    cells: int
    """With a price above 0."""


class PriceRefresher:
    """Prices for one planner. Prices set by hand meanwhile are replaced."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        planner: Planner,
        feed: Feed,
        *,
        clock: StoreClock,
        catalogue: Callable[[], tuple[int, bytes]],
        set_prices: Callable[[Prices | None], Awaitable[None]],
    ) -> None:
        """`catalogue` is another value once what the planner knows has changed."""
        self._settings, self._store, self._planner, self._clock = settings, store, planner, clock
        self._catalogue, self._set_prices = catalogue, set_prices
        self.demand = Demand(int(settings.prices_period_s * 1000))
        self.reader = DemandReader(feed, store, planner, self.demand)
        self._cells: dict[str, dict[tuple[str, str], int]] = {}
        """Prices by SKU, those priced last at the end."""
        self._costs: tuple[tuple[object, ...], LaneCosts] | None = None
        self._refreshes = self._failures = self._priced = 0
        self._error: str | None = None
        self._priced_at: float | None = None
        self._behind = 0
        self._took_s = 0.0

    @property
    def status(self) -> PriceStatus:
        """How far the prices are."""
        return PriceStatus(
            refreshes=self._refreshes,
            failures=self._failures,
            error=self._error,
            age_s=None if self._priced_at is None else monotonic() - self._priced_at,
            took_s=self._took_s,
            skus=len(self.demand.skus),
            cells=self._priced,
        )

    async def run(self) -> None:
        """Refresh for ever. What fails is told, and tried again: no order waits for prices."""
        more = False
        while True:
            await asyncio.sleep(CATCH_UP_S if more else self._settings.prices_every_s)
            try:
                more = await self.refresh()
                self._error = None
            except Exception as error:
                self._failures += 1
                self._error = str(error) or repr(error)
                more = False
                if isinstance(error, StockadeError):
                    log.warning("prices could not be refreshed; the former ones hold", error=self._error)
                else:
                    log.exception("prices could not be refreshed; the former ones hold")
                with contextlib.suppress(StockadeError):
                    await self._drop_stale()

    async def _drop_stale(self) -> None:
        stale_s = max(STALE_S_MIN, STALE_TIMES * self._settings.prices_every_s)
        if self._priced and self._priced_at is not None and monotonic() - self._priced_at > stale_s:
            await self._set_prices(None)
            self._cells, self._priced = {}, 0
            log.warning("prices are too old; orders are planned without until they can be refreshed")

    async def refresh(self) -> bool:
        """Price the stock once, unless the feed has much to be read first; whether it has. Raises StoreError.

        Where there always is more to be read, prices are made of what was read all the same.
        """
        behind = await self.reader.look(self._clock.now_ms())
        self._behind = self._behind + 1 if behind else 0
        if behind and self._behind % CATCH_UPS_MAX:
            return True
        now_ms = self._clock.now_ms()
        # What takes milliseconds is done beside the event loop: only this task changes what it works on.
        rates = await asyncio.to_thread(self.demand.rates, now_ms, self._settings.prices_method)
        chosen = await asyncio.to_thread(self._choose, rates)
        if not chosen or not self._planner.warehouses:
            return False
        # Looked at once: one that is added meanwhile is of the next refresh.
        warehouses = tuple(self._planner.warehouses.values())
        costs = await self._lane_costs(warehouses, chosen, rates)
        snapshot = await self._snapshot(warehouses, chosen, rates, costs, now_ms)
        start = perf_counter()
        prices = await asyncio.to_thread(prices_of, snapshot, time_limit_s=self._settings.prices_time_ms_max / 1000)
        self._took_s = perf_counter() - start
        await self._hand_over(warehouses, chosen, prices)
        for sku in chosen:
            self.reader.touched.pop(sku, None)
        self._refreshes += 1
        self._priced_at = monotonic()
        return behind

    def _choose(self, rates: npt.NDArray[np.float64]) -> list[str]:
        """SKUs to price now: half of them those of which most has moved, the rest those priced longest ago."""
        known = self._planner.skus
        waits = {sku for order in self.reader.waiting.values() for sku, _ in order.lines}
        names = [
            sku
            for sku, number in self.demand.skus.items()
            # What had a price and is wanted no more loses it.
            if sku in known and (rates[number] > 0 or sku in waits or self._cells.get(sku))
        ]
        most = min(self._settings.prices_skus_max, CELLS_READ_MAX // max(1, len(self._planner.warehouses)) or 1)
        if len(names) <= most:
            return names
        touched = self.reader.touched
        moved = sorted(names, key=lambda sku: -touched.get(sku, 0))[: most // 2]
        taken = set(moved)
        priced = {sku: place for place, sku in enumerate(self._cells)}
        rest = sorted((sku for sku in names if sku not in taken), key=lambda sku: priced.get(sku, -1))
        return moved + rest[: most - len(moved)]

    async def _lane_costs(
        self, warehouses: tuple[Warehouse, ...], chosen: Sequence[str], rates: npt.NDArray[np.float64]
    ) -> LaneCosts:
        """By the planner's terms as they are now; reckoned anew only when they, or the regions, have changed."""
        planner, places = self._planner, tuple(self.reader.regions.places)
        weights = np.array([planner.skus[sku].weight_g for sku in chosen], np.float64)
        often = np.array([rates[self.demand.skus[sku]] for sku in chosen])
        mean = float(weights @ often / often.sum()) if often.sum() > 0 else float(weights.mean())
        step = 0 if mean < 1 else round(np.log(mean) / np.log(WEIGHT_STEP))
        key = (self._catalogue(), len(places), step)
        if self._costs is None or self._costs[0] != key:
            terms = LaneTerms(
                currency=planner.currency,
                defaults=planner.defaults,
                warehouses=warehouses,
                tariff=planner.tariff,
                matrices=dict(planner.matrices),
                weight_g=round(mean),
            )
            self._costs = key, await asyncio.to_thread(lane_costs, terms, places)
        return self._costs[1]

    async def _snapshot(
        self,
        warehouses: Sequence[Warehouse],
        chosen: Sequence[str],
        rates: npt.NDArray[np.float64],
        costs: LaneCosts,
        now_ms: int,
    ) -> Snapshot:
        core, demand, regions = self._planner.core, self.demand, len(self.reader.regions.places)
        at = {core.warehouse_number(one.id): place for place, one in enumerate(warehouses)}
        of = {core.sku_number(sku): place for place, sku in enumerate(chosen)}
        cells = [
            cell_number(sku=sku, warehouse=warehouse)
            for sku in of
            for warehouse in at
            if sku is not None and warehouse is not None
        ]
        stock = np.zeros((len(chosen), len(warehouses)), np.int64)
        arrivals: list[list[tuple[int, int]]] = [[] for _ in chosen]
        for row in await self._store.read_cells(cells):
            sku, warehouse = divmod(row.cell, limits.WAREHOUSES_MAX)
            stock[of[sku], at[warehouse]] = max(0, row.free)
            arrivals[of[sku]] += [(ms - now_ms, units) for _, units, ms in row.inbound if ms]
        enabled = np.array([one.enabled for one in warehouses])
        stock[:, ~enabled] = 0
        numbers = np.array([demand.skus[sku] for sku in chosen], np.int64)
        kinds, waiting = await asyncio.to_thread(self._orders_of, numbers)
        return Snapshot(
            costs=costs,
            stock=stock,
            rate=rates[numbers],
            arrivals=arrivals,
            horizon_ms=int(self._settings.prices_horizon_s * 1000),
            places=demand.places(numbers, regions).copy(),
            of_all=demand.places_of_all(regions),
            kinds=kinds,
            waiting=waiting,
        )

    def _orders_of(self, numbers: npt.NDArray[np.int64]) -> tuple[Baskets, Baskets]:
        """Kinds of orders that came, and orders that wait, as far as they are of these SKUs."""
        place_of = np.full(len(self.demand.skus), -1, np.int64)
        place_of[numbers] = np.arange(len(numbers))
        kinds = Kinds()
        for order in self.reader.waiting.values():
            lines = [(number, units) for sku, units in order.lines if (number := self.demand.skus.get(sku)) is not None]
            if lines:
                kinds.add(order.region, lines)
        return _only(self.demand.kinds.baskets(), place_of), _only(kinds.baskets(), place_of)

    async def _hand_over(
        self, warehouses: Sequence[Warehouse], chosen: Sequence[str], prices: npt.NDArray[np.int64]
    ) -> None:
        kept = dict(self._cells)
        for sku, row in zip(chosen, prices.tolist(), strict=True):
            kept.pop(sku, None)
            kept[sku] = {(sku, warehouses[place].id): price for place, price in enumerate(row) if price}
        wanted = sum(map(len, kept.values()))
        for sku in list(kept):
            if wanted <= PRICES_KEPT_MAX:
                break
            wanted -= len(kept.pop(sku))
        cells = {cell: price for row in kept.values() for cell, price in row.items()}
        await self._set_prices(Prices(cells))
        self._cells, self._priced = kept, len(cells)


def _only(baskets: Baskets, place_of: npt.NDArray[np.int64]) -> Baskets:
    """The lines of some SKUs, by their new numbers."""
    places = place_of[baskets.sku]
    kept = baskets.only(places >= 0)
    return Baskets(kept.line_start, places[places >= 0], kept.quantity, kept.region, kept.weight)
