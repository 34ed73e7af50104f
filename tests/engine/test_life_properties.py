"""Random lives of orders on the real server, on one partition and on three, against what each step must do."""

import asyncio
import contextlib
from collections import Counter
from typing import Any

import msgspec
import pytest
import redis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from engine import Settings, open_engine
from engine.intake import InsufficientStock, Invalid, PurchaseLimit, Reserved
from engine.life.change import Change, Changed, InvalidState
from engine.model import Allocation, HeldLine, Line
from tests.engine.ledgers import assert_books, put_stock
from tests.engine.small_network import SKUS, WAREHOUSES, cell, order

HISTORIES = 8
STEPS = 25
ANSWER_S = 10.0
ORDERS_MAX = 6
UNITS = 6
STOCK = {(sku.sku, warehouse.id): UNITS for sku in SKUS for warehouse in WAREHOUSES}
FEW_MAX = 3

CellName = tuple[str, str]

picks = st.dictionaries(st.sampled_from([sku.sku for sku in SKUS]), st.integers(1, 3), min_size=1, max_size=3)


class Kept(msgspec.Struct):
    """An order as it must be."""

    status: str
    version: int
    held: Counter[CellName]
    shipped: Counter[CellName]
    customer: str | None

    @property
    def over(self) -> bool:
        """Whether all was given back."""
        return self.status == "released"


class Lives(RuleBasedStateMachine):
    """One engine on an emptied store. `url` and `partitions` are set before it runs."""

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
        self.orders: dict[str, Kept] = {}
        self.ids = 0

    def run(self, work: Any) -> Any:
        """Run on the engine's own loop; nothing may hang."""
        return self.runner.run(asyncio.wait_for(work, ANSWER_S))

    def next_id(self) -> str:
        """An id that nothing has yet."""
        self.ids += 1
        return f"n{self.ids}"

    def free(self, sku: str) -> int:
        """What is free of a SKU, over its cells."""
        taken = sum(
            units for kept in self.orders.values() for of, units in (kept.held + kept.shipped).items() if of[0] == sku
        )
        return UNITS * len(WAREHOUSES) - taken

    def bought(self, customer: str | None) -> int:
        """What counts towards a customer's limit."""
        return sum(
            units
            for kept in self.orders.values()
            if kept.customer == customer and not kept.over
            for (sku, _), units in (kept.held + kept.shipped).items()
            if sku == "few"
        )

    @initialize()
    def fill(self) -> None:
        self.run(put_stock(self.engine, STOCK))

    @precondition(lambda self: len(self.orders) < ORDERS_MAX)
    @rule(lines=picks, pending=st.booleans(), customer=st.sampled_from([None, "ann"]))
    def sell(self, lines: dict[str, int], pending: bool, customer: str | None) -> None:
        """A new order."""
        order_id = self.next_id()
        payment = "pending" if pending else "paid"
        outcome = self.run(self.engine.reserve(order(order_id, *lines.items(), payment=payment, customer=customer)))
        if self._refusal(outcome, lines, customer, Counter()):
            return
        assert isinstance(outcome, Reserved)
        self.orders[order_id] = Kept(
            "reserved" if pending else "confirmed", 1, _units(outcome.allocation), Counter(), customer
        )

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), what=st.sampled_from(["confirm", "cancel"]))
    def step(self, data: st.DataObject, what: str) -> None:
        """Confirmed or cancelled, or told that it cannot be."""
        order_id, kept = self._some(data)
        change = self.run(self.engine.confirm(order_id) if what == "confirm" else self.engine.cancel(order_id))
        allowed = ("reserved",) if what == "confirm" else ("reserved", "confirmed")
        done = ("confirmed", "partially_shipped", "shipped") if what == "confirm" else ("released",)
        if kept.status in allowed:
            kept.status = "confirmed" if what == "confirm" else "released"
            if what == "cancel":
                kept.held = Counter()
            self._done(order_id, change)
        elif kept.status in done:
            assert isinstance(change, Changed)
            assert change.replayed
        else:
            assert change == InvalidState(kept.status, kept.version)

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), whole=st.booleans())
    def ship(self, data: st.DataObject, whole: bool) -> None:
        """Some of it leaves, or all."""
        order_id, kept = self._some(data)
        lines = None if whole else self._some_of(kept, data)
        wanted = [HeldLine(*line) for line in lines.items()] if lines else None
        transition_id = self.next_id()
        change = self.run(self.engine.ship(order_id, transition_id=transition_id, lines=wanted))
        if kept.status not in ("confirmed", "partially_shipped"):
            assert change == InvalidState(kept.status, kept.version)
            return
        if lines and self._more_than_held(kept, lines):
            assert isinstance(change, Invalid)
            return
        assert isinstance(change, Changed)
        shipped = _shipped(change.allocation)
        left = shipped - kept.shipped
        assert _by_sku(left) == (Counter(lines) if lines else _by_sku(kept.held))
        assert left <= kept.held
        kept.held, kept.shipped = kept.held - left, shipped
        kept.status = "partially_shipped" if kept.held else "shipped"
        self._done(order_id, change)
        again = self.run(self.engine.ship(order_id, transition_id=transition_id, lines=wanted))
        assert again == Changed(change.json, replayed=True)

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def split(self, data: st.DataObject) -> None:
        """Some of it goes on as an order of its own."""
        order_id, kept = self._some(data)
        lines = self._some_of(kept, data)
        into = f"{order_id}/{self.next_id()}"
        wanted = [HeldLine(*line) for line in lines.items()]
        change = self.run(self.engine.split(order_id, into, wanted, transition_id=self.next_id()))
        if kept.status not in ("reserved", "confirmed", "partially_shipped"):
            assert change == InvalidState(kept.status, kept.version)
            return
        if self._more_than_held(kept, lines) or _by_sku(kept.held) == Counter(lines):
            assert isinstance(change, Invalid)
            return
        assert isinstance(change, Changed)
        assert change.split_off is not None
        child = msgspec.json.decode(change.split_off, type=Allocation)
        moved = _units(child)
        assert _by_sku(moved) == Counter(lines)
        assert _units(change.allocation) + moved == kept.held + kept.shipped
        status = "confirmed" if kept.status == "partially_shipped" else kept.status
        kept.held -= moved
        self._done(order_id, change)
        self.orders[into] = Kept(status, 1, moved, Counter(), kept.customer)
        assert (child.status, child.version) == (status, 1)

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), lines=picks)
    def amend(self, data: st.DataObject, lines: dict[str, int]) -> None:
        """Other lines, as if they had been ordered so."""
        order_id, kept = self._some(data)
        wanted = [Line(*line) for line in lines.items()]
        change = self.run(self.engine.amend(order_id, wanted, transition_id=self.next_id()))
        if kept.status not in ("reserved", "confirmed"):
            assert change == InvalidState(kept.status, kept.version)
            return
        if self._refusal(change, lines, kept.customer, kept.held):
            return
        assert isinstance(change, Changed)
        kept.held = _units(change.allocation)
        assert _by_sku(kept.held) == Counter(lines)
        self._done(order_id, change)

    def _some(self, data: st.DataObject) -> tuple[str, Kept]:
        order_id = data.draw(st.sampled_from(sorted(self.orders)))
        return order_id, self.orders[order_id]

    def _some_of(self, kept: Kept, data: st.DataObject) -> dict[str, int]:
        """Lines that an order holds, and now and then one too many."""
        held = _by_sku(kept.held)
        if not held or data.draw(st.integers(0, 5)) == 0:
            return data.draw(picks)
        chosen = data.draw(st.lists(st.sampled_from(sorted(held)), min_size=1, unique=True))
        return {sku: data.draw(st.integers(1, held[sku])) for sku in chosen}

    def _more_than_held(self, kept: Kept, lines: dict[str, int]) -> bool:
        held = _by_sku(kept.held)
        return any(units > held[sku] for sku, units in lines.items())

    def _refusal(self, outcome: Any, lines: dict[str, int], customer: str | None, own: Counter[CellName]) -> bool:
        """Whether lines had to be refused, and were, for a reason that is true."""
        mine = _by_sku(own)
        bought = self.bought(customer) - mine["few"] if customer else 0
        limited = lines.get("few", 0) + bought > FEW_MAX and "few" in lines
        short = any(units > self.free(sku) + mine[sku] for sku, units in lines.items())
        if isinstance(outcome, PurchaseLimit):
            assert limited
        elif isinstance(outcome, InsufficientStock):
            assert short
        else:
            assert not limited
            assert not short
            return False
        return True

    def _done(self, order_id: str, change: Change) -> None:
        kept = self.orders[order_id]
        kept.version += 1
        assert isinstance(change, Changed)
        assert not change.replayed
        found = change.allocation
        assert (found.status, found.version) == (kept.status, kept.version)

    @invariant()
    def the_store_agrees(self) -> None:
        books = self.run(assert_books(self.engine))
        taken: Counter[CellName] = Counter()
        gone: Counter[CellName] = Counter()
        for order_id, kept in self.orders.items():
            taken += kept.held
            gone += kept.shipped
            assert books.records[order_id].status == kept.status
        assert len(books.records) == len(self.orders)
        free, on_hand = books.free(), books.on_hand()
        for name, units in STOCK.items() if on_hand else ():
            number = cell(self.engine, *name)
            assert on_hand[number] == units - gone[name]
            assert free[number] == units - gone[name] - taken[name]

    def teardown(self) -> None:
        self.run(self._stack.aclose())
        self.runner.close()


def _units(allocation: Allocation) -> Counter[CellName]:
    return Counter(
        {(line.sku, shipment.warehouse): line.quantity for shipment in allocation.shipments for line in shipment.lines}
    )


def _shipped(allocation: Allocation) -> Counter[CellName]:
    return Counter(
        {
            (line.sku, shipment.warehouse): line.quantity
            for shipment in allocation.shipments
            for line in shipment.shipped
        }
    )


def _by_sku(units: Counter[CellName]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for (sku, _), count in units.items():
        sums[sku] += count
    return +sums


@pytest.mark.parametrize("partitions", [1, 3])
def test_every_life_agrees_with_its_steps(store_url: str, partitions: int) -> None:
    """What no single test thinks of: the order in which the steps meet."""
    Lives.url, Lives.partitions = store_url, partitions
    run_state_machine_as_test(
        Lives,
        settings=settings(
            max_examples=HISTORIES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            # No shrinking: on a real server it takes minutes.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
