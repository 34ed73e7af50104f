"""A machine with one engine on an emptied store and its model beside it; what must hold after every step."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
import redis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from engine import Settings, open_engine
from engine.intake import settle_due
from engine.model import Allocation, StockCount
from engine.planner import Record, capacity_counter
from engine.store import CHANNEL_CELLS
from tests.engine.drawn import GOODS, NAMES, SKU_NAMES
from tests.engine.model_goods import Goods, exploded
from tests.engine.model_orders import Kept, Network, Orders, Seen, by_cell, shipments_max
from tests.engine.model_stock import CellName, Place, Stock
from tests.engine.small_network import SKUS, WAREHOUSES

ANSWER_S = 20.0
SETTLE_POLL_S = 0.002
LIMITS = {sku.sku: sku.purchase_limit for sku in (*SKUS, *GOODS) if sku.purchase_limit}
UNITS = 4
UNCOUNTED = ("z", "C")
"""A cell that does not exist at first."""


class Machine(RuleBasedStateMachine):
    """`url` and `partitions` are set before it runs."""

    url = ""
    partitions = 1

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        with redis.Redis.from_url(self.url) as client:
            client.flushall()
        self._stack = contextlib.AsyncExitStack()
        opened = open_engine(Settings(redis_url=self.url, partitions=self.partitions))
        self.engine = self.run(self._stack.enter_async_context(opened))
        self.stock = Stock()
        self.orders = Orders(Network(NAMES, LIMITS, {}), self.stock)
        self._ids = 0
        self._cursor: str | None = None
        self._told_taken: Counter[Place] = Counter()
        self._told_on_hand: Counter[CellName] = Counter()

    def run(self, work: Any) -> Any:
        """Run on the engine's own loop; nothing may hang."""
        return self.runner.run(asyncio.wait_for(work, ANSWER_S))

    def next_id(self) -> str:
        """An id that nothing has yet."""
        self._ids += 1
        return f"n{self._ids}"

    def teardown(self) -> None:
        self.run(self._stack.aclose())
        self.runner.close()

    @initialize(capacities=st.sampled_from([{}, {"A": 4, "B": 3}, {"A": 2, "B": 6, "C": 4}]))
    def fill(self, capacities: dict[str, int]) -> None:
        """A network with some stock, and perhaps warehouses that serve only so many orders in a day."""
        warehouses = [
            msgspec.structs.replace(row, capacity_orders_per_day=capacities.get(row.id)) for row in WAREHOUSES
        ]
        self.orders = Orders(Network(NAMES, LIMITS, capacities), self.stock)
        rows = [
            StockCount(sku=sku, warehouse=name, on_hand=UNITS)
            for sku in SKU_NAMES
            for name in NAMES
            if (sku, name) != UNCOUNTED
        ]
        self.run(self.engine.put_warehouses(warehouses))
        self.run(self.engine.put_skus(SKUS))
        self.run(self.engine.put_skus(GOODS))
        self.run(self.engine.set_stock(rows))
        assert self.stock.count(rows) == []

    def days(self) -> dict[str, str]:
        """The counters of warehouses' orders of today."""
        core, day = self.engine.planner.core, self.engine.intake.clock.day()
        return {name: capacity_counter(core.warehouse_number(name), day) for name in NAMES}

    def seen(self, order_id: str) -> Seen:
        """What the store's record of an order says."""
        (stored,) = self.run(self.engine.store.read_orders([order_id]))
        record = Record(stored)
        numbers = {str(self.engine.planner.core.sku_number(name)): name for name in (*SKU_NAMES, "kit")}
        lines = Counter[str]()
        for line in msgspec.msgpack.decode(record.canonical)["lines"]:
            lines[line["sku"]] += line["quantity"]
        counters = dict(record.counters)
        return Seen(
            held=self._places(record.held),
            shipped=self._places(record.shipped),
            days=Counter({name: units for name, units in counters.items() if name.startswith("@")}),
            bought=Counter(
                {numbers[name.split(":")[0]]: units for name, units in counters.items() if not name.startswith("@")}
            ),
            lines=lines,
        )

    def enter(self, order_id: str, kept: Kept) -> None:
        """An order of the model must be what its record and its Allocation say."""
        seen, allocation = self.seen(order_id), msgspec.json.decode(kept.json, type=Allocation)
        assert (allocation.status, allocation.version) == (kept.status, kept.version)
        assert self.run(self.engine.order_json(order_id)) == kept.json
        if kept.over:
            return
        assert (seen.held, seen.shipped, seen.days, seen.lines) == (kept.held, kept.shipped, kept.days, kept.wanted)
        assert seen.bought == kept.bought
        whole, shipped = Counter[CellName](), Counter[CellName]()
        for shipment in allocation.shipments:
            whole.update({(line.sku, shipment.warehouse): line.quantity for line in shipment.lines})
            shipped.update({(line.sku, shipment.warehouse): line.quantity for line in shipment.shipped})
        assert (whole, shipped) == (by_cell(kept.held + kept.shipped), by_cell(kept.shipped))
        assert len(allocation.shipments) == len({shipment.warehouse for shipment in allocation.shipments})
        goods = Goods.of(allocation)
        assert kept.order.allow_substitutes or not goods.instead, "something else came unasked"
        assert goods.stood_for(kept.units) + exploded(goods.unfilled) == exploded(kept.wanted), "units came or went"
        assert goods.bundles + Counter({"kit": goods.unfilled["kit"]}) == Counter({"kit": kept.wanted["kit"]})
        if kept.status == "backordered":
            assert (kept.units, kept.bought, kept.days) == (Counter(), Counter(), Counter())
            assert goods.unfilled == kept.wanted

    def choose(self, kept: Kept, seen: Seen) -> None:
        """Enter a fresh plan for an order that holds nothing: possible, and of what the order may be served from."""
        order, goods = kept.order, Goods.of(msgspec.json.decode(kept.json, type=Allocation))
        kept.held, kept.days = seen.held, seen.days
        assert kept.units, "an order that holds nothing"
        assert order.allow_partial or not goods.unfilled, "an order that goes without unasked"
        got = kept.wanted - goods.unfilled
        kept.bought = Counter({sku: units for sku, units in got.items() if order.customer and sku in LIMITS})
        served = {warehouse for _, warehouse, _ in kept.held}
        assert served <= set((order.pickup_at,) if order.pickup_at else order.warehouses or NAMES)
        assert len(served) <= shipments_max(order)
        assert {channel for _, _, channel in kept.held} <= {"", order.channel}, "units of another channel's pool"
        core = self.engine.planner.core
        capped = served & set(self.orders.network.capacities)
        assert sorted(kept.days.values()) == [1] * len(capped)
        assert {name[1:].split(":")[0] for name in kept.days} == {str(core.warehouse_number(name)) for name in capped}
        self.stock.take(kept.held)

    def _places(self, cells: Sequence[tuple[int, int]]) -> Counter[Place]:
        core, units = self.engine.planner.core, Counter[Place]()
        channels = {core.channel_number(name): name for name in self.stock.channels} | {0: ""}
        for number, count in cells:
            channel, cell = divmod(number, CHANNEL_CELLS)
            units[(*core.cell_names(cell), channels[channel])] += count
        return +units

    @invariant()
    def the_store_agrees_with_the_model(self) -> None:
        self.run(self._settled())
        page = self.run(self.engine.stock())
        found = {(cell.sku, cell.warehouse): cell for cell in page.cells}
        for sku in SKU_NAMES:
            for name in NAMES:
                expected = self.stock.cell((sku, name))
                assert found.get((sku, name), Stock().cell((sku, name))) == expected
                assert 0 <= expected.reserved <= expected.on_hand
        self.orders.check_bounds(self.days())
        report = self.run(self.engine.audit())
        assert (report.differences, report.notices) == ((), ())
        assert report.orders == len(self.orders.kept)
        assert report.units_reserved == self.stock.reserved.total()

    @invariant()
    def a_follower_has_the_same_levels_from_events_alone(self) -> None:
        while True:
            page = self.run(self.engine.events(after=self._cursor))
            self._cursor = page.cursor
            for change in (change for event in page.events for change in event.cells):
                self._told_taken[change.sku, change.warehouse, change.channel or ""] += change.taken
                self._told_on_hand[change.sku, change.warehouse] += change.on_hand_change
            if not page.events:
                break
        for sku in SKU_NAMES:
            for name in NAMES:
                assert self._told_on_hand[sku, name] == self.stock.on_hand[sku, name]
                assert -self._told_taken[sku, name, ""] == self.stock.free((sku, name))
                for channel in self.stock.channels:
                    assert -self._told_taken[sku, name, channel] == self.stock.pools[sku, name, channel]

    async def _settled(self) -> None:
        """Wait until no partition waits for another."""
        store = self.engine.store
        while len(store.partitions) > 1:
            keys = [key for one in store.partitions for key in (one.keys.leases, one.keys.outbox)]
            # One member without a name keeps each key alive.
            if not sum([await store.wire.command("ZCARD", key) - 1 for key in keys]):
                return
            await settle_due(store)
            await asyncio.sleep(SETTLE_POLL_S)
