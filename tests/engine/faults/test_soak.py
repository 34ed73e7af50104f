"""A sale over a network in which everything goes wrong, at random: what is promised afterwards is what the books say.

STOCKADE_FAULT_SECONDS sets how long it lasts.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Awaitable
from pathlib import Path
from random import Random
from time import monotonic
from typing import TypeVar

import pytest

from engine import Engine, Settings, State, open_engine
from engine.errors import StoreChanged, StoreUnavailable
from engine.intake import Contended, InsufficientStock, Outcome, Overloaded, PurchaseLimit, Reserved, Unavailable
from engine.intake.batches import COMMIT_TRIES_MAX
from engine.model import Order, StockCount
from tests.engine.intake.fault_proxy import CALM, Fate, FaultProxy, Weather
from tests.engine.small_network import assert_balanced, order, put_network

Shares = dict[Fate, float]
T = TypeVar("T")

SECONDS = float(os.environ.get("STOCKADE_FAULT_SECONDS", "12"))
SEED = 20_261_111
TIMEOUT_MS = 250
RECOVERY_MS = 500
BUYERS = 12
READERS = 3
UNITS = 300
"""Of each SKU at each warehouse, at first and with each delivery."""
DELIVERY_S = 1.5
SLACK_S = 2.0
"""For a machine that is busy otherwise."""

ANSWER_S_MAX = COMMIT_TRIES_MAX * (3 * TIMEOUT_MS + RECOVERY_MS) / 1000 + SLACK_S
"""A try is a look at the records, a commit, and the wait for the store; the batch before it may be at its last call."""

READ_S_MAX = 3 * TIMEOUT_MS / 1000 + SLACK_S
"""A wait for a connection, its making, and the call."""

ROUGH: Shares = {"delay": 0.05, "slice": 0.05, "cut_before": 0.003, "cut_after": 0.003, "freeze": 0.002}
STORM: Shares = {"delay": 0.1, "slice": 0.1, "cut_before": 0.05, "cut_after": 0.05, "freeze": 0.03}
DEAD: Shares = {"freeze": 1.0}
CYCLE = ((ROUGH, 1.2), (STORM, 0.6), (ROUGH, 1.2), (DEAD, 0.6))
"""Weathers one after the other, and the seconds that each lasts: from time to time the store is out of reach."""


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STOCKADE_FAULT_SECONDS", raising=False)


class Buyers:
    """Buyers, and what they were told."""

    def __init__(self, engine: Engine, direct: Engine) -> None:
        self.engine = engine
        self.direct = direct
        """An engine on the same store whose line is sound."""
        self.told: dict[str, bytes] = {}
        self.refused: set[str] = set()
        self.unsettled: dict[str, Order] = {}
        self.slowest_s: Counter[str] = Counter()
        self.certain = 0
        self.uncertain = 0

    async def timed(self, what: str, call: Awaitable[T]) -> T:
        """Await a call and note how long it took."""
        began = monotonic()
        try:
            return await call
        finally:
            self.slowest_s[what] = max(self.slowest_s[what], monotonic() - began)

    async def buy(self, one: Order) -> None:
        """Send an order and note what it was told."""
        new = one.order_id not in self.unsettled and one.order_id not in self.told
        self.unsettled[one.order_id] = one
        outcome: Outcome = await self.timed("order", self.engine.reserve(one))
        if isinstance(outcome, Reserved):
            assert self.told.setdefault(one.order_id, outcome.json) == outcome.json
            assert one.order_id not in self.refused
        elif isinstance(outcome, InsufficientStock | PurchaseLimit):
            assert one.order_id not in self.told
            self.refused.add(one.order_id)
        else:
            assert isinstance(outcome, Unavailable | Contended | Overloaded), outcome
            if isinstance(outcome, Unavailable):
                self.certain += outcome.certain
                self.uncertain += not outcome.certain
                if new and outcome.certain:
                    assert await self.direct.order_json(one.order_id) is None, "held, though certainly not"
            await asyncio.sleep(0.02)
            return
        del self.unsettled[one.order_id]

    async def shop(self, buyer: int, until: float) -> None:
        """One order after the other; some again that were told before, or that nobody knows about."""
        random = Random(SEED + buyer)
        number = 0
        while monotonic() < until:
            mine = [one for one in self.unsettled.values() if one.order_id.startswith(f"b{buyer}-")]
            if mine and random.random() < 0.5:
                await self.buy(mine[0])
                continue
            number += 1
            lines = [("x", random.randint(1, 2)), ("y", 1)] if random.random() < 0.5 else [("few", 1)]
            one = order(f"b{buyer}-{number}", *lines, customer=f"c{buyer}-{number // 4}")
            await self.buy(one)
            if one.order_id in self.told and random.random() < 0.2:
                await self.buy(one)

    async def read(self, until: float) -> None:
        """Look at orders and stock, which may fail, but neither lie nor hang."""
        while monotonic() < until:
            try:
                for order_id in list(self.told)[-3:]:
                    assert await self.timed("look", self.engine.order_json(order_id)) == self.told[order_id]
                await self.timed("stock", self.engine.stock(sku="x"))
            except (StoreUnavailable, StoreChanged):
                pass
            await asyncio.sleep(0.02)


async def test_promises_hold_over_a_network_that_delays_cuts_and_freezes(
    empty_store_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever got no answer asks again; in the end everybody knows, and the books know the same."""
    async with FaultProxy(empty_store_url, tmp_path / "proxy.sock") as proxy:
        through = Settings(redis_url=proxy.url, store_timeout_ms=TIMEOUT_MS, store_recovery_ms=RECOVERY_MS)
        beside = Settings(redis_url=empty_store_url)
        async with open_engine(through) as engine, open_engine(beside) as other:
            await put_network(engine, {(sku, name): UNITS for sku in ("x", "y", "few") for name in "ABC"})
            buyers = Buyers(engine, other)
            met: Counter[Fate] = Counter()
            until = monotonic() + SECONDS
            async with asyncio.TaskGroup() as group:
                group.create_task(change_weather(proxy, met, until))
                group.create_task(deliver(other, until))
                for buyer in range(BUYERS):
                    group.create_task(buyers.shop(buyer, until))
                for _ in range(READERS):
                    group.create_task(buyers.read(until))
            async with asyncio.timeout(30):
                while buyers.unsettled or engine.state is not State.READY:
                    for one in list(buyers.unsettled.values()):
                        await buyers.buy(one)
                    await asyncio.sleep(0.02)
            held = {allocation.order_id async for allocation, _ in other.orders()}
            loads = engine.replica.loads
            await assert_balanced(other)
            await assert_balanced(engine)
    with capsys.disabled():
        slowest = ", ".join(f"{what} {seconds:.2f} s" for what, seconds in sorted(buyers.slowest_s.items()))
        print(
            f"\n{len(buyers.told)} orders told yes, {len(buyers.refused)} told no, {buyers.uncertain} times unknown,"
            f" {buyers.certain} times certainly not; {dict(met)}; {loads} loads; slowest {slowest}",
            end="",
        )
    assert held == buyers.told.keys()
    assert met.keys() == STORM.keys()
    assert buyers.told
    assert buyers.uncertain
    assert buyers.slowest_s["order"] < ANSWER_S_MAX
    assert max(buyers.slowest_s["look"], buyers.slowest_s["stock"]) < READ_S_MAX


async def change_weather(proxy: FaultProxy, met: Counter[Fate], until: float) -> None:
    """One weather after the other, and calm at the end."""
    number = 0
    while monotonic() < until:
        shares, lasts_s = CYCLE[number % len(CYCLE)]
        proxy.weather = Weather(SEED + number, shares=shares, delay_ms=2, jitter_ms=60)
        await asyncio.sleep(lasts_s)
        met.update(proxy.weather.met)
        number += 1
    proxy.weather = CALM


async def deliver(engine: Engine, until: float) -> None:
    """New stock, from time to time: an order that comes late would find some."""
    while monotonic() < until:
        await asyncio.sleep(DELIVERY_S)
        page = await engine.stock()
        await engine.set_stock(
            [StockCount(sku=one.sku, warehouse=one.warehouse, on_hand=one.on_hand + UNITS) for one in page.cells]
        )
