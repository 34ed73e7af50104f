"""Reads the event feed for what is ordered: first all that is kept of it, so that a restart forgets little.

The orders of an event are looked up for where they go and what is in them; where many came, a part that stands for all
(see ORDERS_A_LOOK). Orders that wait for stock and were looked up are kept in mind until they no longer do. Refused
orders are in no event: of what is sold out, less is seen to be wanted than is.
"""

from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Struct

from engine.errors import EventsExpired
from engine.feed.pages import EVENTS_MAX, Feed
from engine.model import Order, ShipTo
from engine.model.event import Event
from engine.planner import Planner, Record
from engine.refresher.demand import Demand
from engine.refresher.regions import Regions
from engine.store import Store

PAGES_A_LOOK = 20
"""Pages of the feed that one look reads: some 100,000 orders, or 1.3 MB."""

ORDERS_A_LOOK, ORDERS_A_PAGE_MIN = 2_000, 100
"""Orders that one look reads: of each page up to half of those that are left, and the least of each all the same."""

CAUGHT_UP_MS = 1_000
"""Who has read up to so long before the look began has read all: under load there always is something newer."""

WAITING_MAX = 5_000
"""Orders that wait for stock and are priced for; of more, the first."""

_order = msgspec.msgpack.Decoder(Order).decode


class Waiting(Struct, frozen=True):
    """An order that waits for stock."""

    region: int
    lines: tuple[tuple[str, int], ...]


class DemandReader:
    """Follows one feed."""

    def __init__(self, feed: Feed, store: Store, planner: Planner, demand: Demand) -> None:
        """`demand` is what the orders are added to."""
        self.regions = Regions()
        self.waiting: dict[str, Waiting] = {}
        self.touched: dict[str, int] = {}
        """Units of each SKU that moved, by whatever, since somebody cleared it."""
        self.unread = 0
        """Orders that were not read: others stood for them, or they cannot be read."""
        self._feed, self._store, self._planner, self._demand = feed, store, planner, demand
        self._cursor: str | None = None

    async def look(self, now_ms: int) -> bool:
        """Read what is new by the store's time; whether there is more. Raises StoreError."""
        left = ORDERS_A_LOOK
        for _ in range(PAGES_A_LOOK):
            try:
                page = await self._feed.page(self._cursor, limit=EVENTS_MAX)
            except EventsExpired:
                # Dropped unread, or the store is another: all that is kept is new. Who still waits is not known.
                self.waiting.clear()
                page = await self._feed.page(None, limit=EVENTS_MAX)
            self._cursor = page.cursor
            if not page.events:
                return False
            made: list[tuple[int, str]] = []
            changed: list[str] = []
            for event in page.events:
                if event.type == "commit":
                    at_ms = int(event.at.timestamp() * 1000)
                    made += [(at_ms, order_id) for order_id in event.orders]
                else:
                    changed += [order_id for order_id in event.orders if order_id in self.waiting]
            left -= await self._read(made, max(ORDERS_A_PAGE_MIN, left // 2))
            await self._look_again(changed)
            self._note_touched(page.events)
            if now_ms - page.events[-1].at.timestamp() * 1000 < CAUGHT_UP_MS:
                return False
        return True

    def _note_touched(self, events: Sequence[Event]) -> None:
        for event in events:
            for cell in event.cells:
                # Of others nothing is expected, and there may be any number.
                if cell.sku in self._demand.skus:
                    moved = abs(cell.taken) + abs(cell.on_hand_change)
                    self.touched[cell.sku] = self.touched.get(cell.sku, 0) + moved

    async def _read(self, made: list[tuple[int, str]], limit: int) -> int:
        """Read so many of these orders at the most; how many."""
        if not made:
            return 0
        step = -(-len(made) // limit)
        chosen = made[::step]
        self.unread += len(made) - len(chosen)
        records = await self._store.read_orders([order_id for _, order_id in chosen])
        for (at_ms, order_id), stored in zip(chosen, records, strict=True):
            found = self._parse(stored)
            if found is None:
                self.unread += 1
                continue
            record, to, lines = found
            region = self.regions.number(to)
            self._demand.add(at_ms, region, lines, len(made) / len(chosen))
            if record.status == "backordered" and len(self.waiting) < WAITING_MAX:
                self.waiting[order_id] = Waiting(region, lines)
        return len(chosen)

    async def _look_again(self, changed: list[str]) -> None:
        """An order that waited was changed: filled, given other lines, or given up."""
        if not changed:
            return
        for order_id, stored in zip(changed, await self._store.read_orders(changed), strict=True):
            found = self._parse(stored)
            if found is None or found[0].status != "backordered":
                self.waiting.pop(order_id, None)
            else:
                self.waiting[order_id] = Waiting(self.regions.number(found[1]), found[2])

    def _parse(self, stored: bytes | None) -> tuple[Record, ShipTo, tuple[tuple[str, int], ...]] | None:
        if stored is None:
            return None
        try:
            record = Record(stored)
            order = _order(record.canonical)
        except (ValueError, msgspec.MsgspecError):
            return None
        return record, order.ship_to, tuple(self._taken_for(order))

    def _taken_for(self, order: Order) -> Iterator[tuple[str, int]]:
        """SKUs and units whose stock serves an order: of bundles, what they are made of."""
        for line in order.lines:
            sku = self._planner.assortment.get(line.sku)
            if sku is not None and sku.components:
                yield from ((part.sku, part.quantity * line.quantity) for part in sku.components)
            else:
                yield line.sku, line.quantity
