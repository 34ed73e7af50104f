"""Rules of a machine: orders come, alone or several at once, and come again."""

import asyncio
from collections import Counter
from typing import Any

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from engine.intake import Conflict, Reserved
from engine.model import Allocation, Order
from tests.engine.drawn import orders
from tests.engine.machine import Machine
from tests.engine.model_goods import Goods
from tests.engine.model_orders import Kept, wanted

ORDERS_MAX = 12


class SaleRules(Machine):
    """Orders come."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[list[Order]] = []

    @precondition(lambda self: len(self.orders.kept) < ORDERS_MAX)
    @rule(order=orders)
    def sell_one(self, order: Order) -> None:
        """One alone: what a refusal of it says is known to the unit."""
        self._submit([order])

    @precondition(lambda self: len(self.orders.kept) < ORDERS_MAX)
    @rule(batch=st.lists(orders, min_size=2, max_size=5))
    def sell_several(self, batch: list[Order]) -> None:
        """Several at once: they meet in one batch, ids and all."""
        self._submit(batch)

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        """The very same again, twice."""
        batch = data.draw(st.sampled_from(self.sent))
        self._submit([*batch, *batch])

    def _submit(self, batch: list[Order]) -> None:
        async def submit() -> list[Any]:
            return await asyncio.gather(*(self.engine.reserve(order) for order in batch))

        self.sent.append(batch)
        before, outcomes = set(self.orders.kept), self.run(submit())
        # Of two that share an id, the one that is held came first, wherever it stands.
        ranked = sorted(
            zip(batch, outcomes, strict=True), key=lambda pair: not isinstance(pair[1], Reserved) or pair[1].replayed
        )
        refused = []
        for order, outcome in ranked:
            kept = self.orders.kept.get(order.order_id)
            if kept is None and isinstance(outcome, Reserved):
                self._hold(order, outcome)
            elif kept is None:
                refused.append((order, outcome))
            elif kept.order == order:
                assert outcome == Reserved(kept.json, replayed=True)
            elif order.order_id in before or isinstance(outcome, Conflict | Reserved):
                assert outcome == Conflict()
            else:
                refused.append((order, outcome))
        if self.partitions > 1 and len(refused) > 1:
            # What one of them held for a moment, before another partition refused it, another one did not get.
            return
        for order, outcome in refused:
            self.orders.check_refusal(order, outcome, self.days(), alone=len(batch) == 1)
        if len(batch) == 1 and batch[0].order_id not in before and not refused:
            kept = self.orders.kept[batch[0].order_id]
            if kept.status == "backordered":
                self.orders.check_unserved(batch[0], self.days())
            else:
                goods = Goods.of(msgspec.json.decode(kept.json, type=Allocation))
                self.orders.check_bent(batch[0], goods, self.days())

    def _hold(self, order: Order, outcome: Reserved) -> None:
        assert not outcome.replayed
        status = "reserved" if order.payment == "pending" else "confirmed"
        kept = Kept(order, wanted(order), status, 1, outcome.json, Counter(), Counter(), Counter())
        if outcome.allocation.status == "backordered":
            assert order.allow_backorder, "an order that waits unasked"
            kept.status = "backordered"
        else:
            self.choose(kept, self.seen(order.order_id))
        self.orders.kept[order.order_id] = kept
        self.enter(order.order_id, kept)
