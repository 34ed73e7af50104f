"""Random histories of sales, retries, counts and ended holds on the real server, against books kept in plain Python."""

import asyncio
import contextlib
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from engine import Settings, open_engine
from engine.errors import StockBelowReserved
from engine.intake import Reserved
from engine.model import Line, Order, ShipTo, StockCount
from tests.engine.books import Books
from tests.engine.small_network import SKUS, WAREHOUSES, put_network

HISTORIES = 60
STEPS = 30
ANSWER_S = 10.0

NAMES = tuple(warehouse.id for warehouse in WAREHOUSES)
LIMITS = {sku.sku: sku.purchase_limit for sku in SKUS if sku.purchase_limit}

lines = st.builds(Line, st.sampled_from([sku.sku for sku in SKUS]), st.integers(1, 4))
orders = st.builds(
    Order,
    order_id=st.integers(0, 15).map("o{}".format),
    ship_to=st.sampled_from([ShipTo(lat=30.0, lon=110.0), ShipTo(lat=32.0, lon=110.0)]),
    lines=st.lists(lines, min_size=1, max_size=4).map(tuple),
    customer=st.sampled_from([None, "ann", "bob"]),
    payment=st.sampled_from(["paid", "pending"]),
    policy=st.sampled_from([None, "cheapest", "nearest", "priority"]),
    allow_split=st.booleans(),
    max_shipments=st.sampled_from([None, None, 1, 2, 3]),
    allow_partial=st.booleans(),
    warehouses=st.sampled_from([None, None, ("A", "B"), ("C",)]),
)
counts = st.builds(
    StockCount,
    sku=st.sampled_from([sku.sku for sku in SKUS]),
    warehouse=st.sampled_from(NAMES),
    on_hand=st.integers(0, 9),
    safety=st.sampled_from([None, 0, 0, 3]),
)


class History(RuleBasedStateMachine):
    """One engine on an emptied store. `url` is set before it runs."""

    url = ""
    sent = Bundle("sent")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.books = Books(NAMES, LIMITS)
        with redis.Redis.from_url(self.url) as client:
            client.flushall()
        self._stack = contextlib.AsyncExitStack()
        self.engine = self.run(self._stack.enter_async_context(open_engine(Settings(redis_url=self.url))))

    def run(self, work: Any) -> Any:
        """Run on the engine's own loop; nothing may hang."""
        return self.runner.run(asyncio.wait_for(work, ANSWER_S))

    @initialize()
    def fill(self) -> None:
        stock = {(sku.sku, name): 3 for sku in SKUS for name in NAMES}
        self.run(put_network(self.engine, stock))
        assert (
            self.books.count([StockCount(sku=s, warehouse=w, on_hand=units) for (s, w), units in stock.items()]) == ()
        )

    @rule(target=sent, batch=st.lists(orders, min_size=1, max_size=5))
    def sell(self, batch: list[Order]) -> list[Order]:
        """Several at once: they meet in one batch, ids and all."""
        self._submit(batch)
        return batch

    @rule(batch=sent)
    def retry(self, batch: list[Order]) -> None:
        """The very same again, twice."""
        self._submit([*batch, *batch])

    def _submit(self, batch: list[Order]) -> None:
        async def submit() -> list[Any]:
            return await asyncio.gather(*(self.engine.reserve(order) for order in batch))

        outcomes = self.run(submit())
        # Of two that share an id, the one that is held came first, wherever it stands.
        fresh_first = sorted(
            zip(batch, outcomes, strict=True),
            key=lambda pair: not (isinstance(pair[1], Reserved) and not pair[1].replayed),
        )
        for order, outcome in fresh_first:
            known = self.books.orders.get(order.order_id)
            if known is None or known.order == order or isinstance(outcome, Reserved):
                self.books.take(order, outcome)
        for order, outcome in fresh_first:
            self.books.check_refusal(order, outcome)

    @rule(rows=st.lists(counts, min_size=1, max_size=4, unique_by=lambda row: (row.sku, row.warehouse)))
    def count(self, rows: list[StockCount]) -> None:
        """Counts, also some that are too low."""
        refused = self.books.count(rows)
        if not refused:
            self.run(self.engine.set_stock(rows))
            return
        with pytest.raises(StockBelowReserved) as error:
            self.run(self.engine.set_stock(rows))
        assert error.value.rows == refused

    @rule(data=st.data())
    def end_a_hold(self, data: st.DataObject) -> None:
        """The store's clock passes the end of one hold: its stock is back, once."""
        live = [name for name, held in self.books.orders.items() if held.live and held.order.payment == "pending"]
        if not live:
            return
        order_id = data.draw(st.sampled_from(live))
        with redis.Redis.from_url(self.url) as client:
            client.zadd("stockade:{p0}:holds", {order_id: 1})
        # The engine looks by itself, too: whoever is first.
        self.run(self.engine.store.partitions[0].orders.expire(10))
        assert self.run(self.engine.store.partitions[0].orders.expire(10)) == 0
        allocation = self.run(self.engine.order(order_id))
        assert (allocation.status, allocation.version) == ("expired", 2)
        self.books.release(order_id, self.run(self.engine.order_json(order_id)))

    @invariant()
    def the_store_agrees_with_the_books(self) -> None:
        page = self.run(self.engine.stock())
        for cell in page.cells:
            name = cell.sku, cell.warehouse
            expected = self.books.on_hand[name], self.books.safety[name], self.books.reserved[name]
            assert (cell.on_hand, cell.safety, cell.reserved) == expected
            assert 0 <= cell.reserved <= cell.on_hand
        report = self.run(self.engine.audit())
        assert report.differences == ()
        assert report.orders == len(self.books.orders)
        assert report.units_reserved == self.books.reserved.total()

    def teardown(self) -> None:
        self.run(self._stack.aclose())
        self.runner.close()


def test_every_history_agrees_with_the_books(store_url: str) -> None:
    """What no single test thinks of: the order in which the rules meet."""
    History.url = store_url
    run_state_machine_as_test(
        History,
        settings=settings(
            max_examples=HISTORIES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            # No shrinking: on a real server it takes minutes, and a history of 30 steps can be read.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
