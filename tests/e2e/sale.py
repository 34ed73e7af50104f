"""A sale of sample orders over HTTP that remembers every promise it was given, and checks them afterwards."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from engine import Settings, open_engine
from engine.model import Allocation, Order
from engine.sample import OrderSource, load_network, starting_stock
from loadtest.client import Answer, Client

CONNECTIONS = 64
POLL_S = 0.02


async def fill(data_dir: Path, orders: int, seed: int) -> None:
    """Put the sample network and its stock into the store of a service that is not started yet."""
    network = load_network()
    async with open_engine(Settings(data_dir=data_dir)) as engine:
        await engine.put_warehouses(network.warehouses)
        await engine.put_skus(network.skus)
        await engine.put_tariff(network.tariff)
        await engine.set_stock(starting_stock(network, orders, seed))


class Sale:
    """Orders to be sent, and what became of those that were."""

    def __init__(self, orders: int, seed: int) -> None:
        offers = list(OrderSource(load_network(), seed).offers(orders))
        self.orders: dict[str, Order] = {offer.order.order_id: offer.order for offer in offers}
        self.todo = deque(offer.order for offer in offers)
        self.promised: dict[str, bytes] = {}
        """Allocations as they were acknowledged."""
        self.refused: set[str] = set()
        self.sent = 0
        self.unavailable = 0
        self.lost = 0
        """Orders sent that got no answer."""
        self._enough = 0
        self._reached = asyncio.Event()

    async def reaches(self, orders: int) -> None:
        """Wait until so many orders were sent."""
        self._enough = orders
        self._reached.clear()
        await self._reached.wait()

    async def send(self, client: Client, order: Order) -> Answer | None:
        """Send one order and note the answer; None when there is none. The order is to be sent again unless settled."""
        self.sent += 1
        if self.sent >= self._enough:
            self._reached.set()
        try:
            answer = await client.call("POST", "/v1/orders", msgspec.json.encode(order))
        except (aiohttp.ClientError, OSError):
            self.lost += 1
            self.todo.append(order)
            return None
        if answer.status in (200, 201):
            before = self.promised.setdefault(order.order_id, answer.body)
            assert before == answer.body, "a retry was promised something else"
            # It may have been refused only if it was never promised: stock does not come back here.
            assert order.order_id not in self.refused
        elif answer.status == 409:
            assert order.order_id not in self.promised, "a promise was taken back"
            self.refused.add(order.order_id)
        else:
            assert answer.status == 503, answer
            self.unavailable += 1
            self.todo.append(order)
        return answer

    async def sell_until_lost(self, client: Client) -> None:
        """One connection's share: orders one after the other, until there are none or one gets no answer."""
        while self.todo:
            if await self.send(client, self.todo.popleft()) is None:
                return

    async def check_promises(self, client: Client) -> None:
        """Every acknowledged order, sent again, is answered with the very same Allocation and takes nothing."""
        again = deque(self.promised)

        async def check() -> None:
            while again:
                order_id = again.popleft()
                answer = await client.call("POST", "/v1/orders", msgspec.json.encode(self.orders[order_id]))
                assert (answer.status, answer.body) == (200, self.promised[order_id])

        await run_together(check)

    async def check_books(self, data_dir: Path) -> None:
        """The store holds what was promised, all of it, nothing else, and the books balance."""
        async with open_engine(Settings(data_dir=data_dir), attach=True) as engine:
            report = await engine.audit()
            held = {allocation.order_id async for allocation, _ in engine.orders()}
        assert report.differences == ()
        assert held == set(self.promised)
        allocations = (msgspec.json.decode(body, type=Allocation) for body in self.promised.values())
        units = sum(line.quantity for one in allocations for shipment in one.shipments for line in shipment.lines)
        assert report.units_reserved == units


async def run_together(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """`work` once a connection, at the same time; the first that fails ends all."""
    async with asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(work())


async def eventually(check: Callable[[], Coroutine[Any, Any, bool]], wait_s: float) -> None:
    """Wait until `check` says yes."""
    for _ in range(int(wait_s / POLL_S)):
        if await check():
            return
        await asyncio.sleep(POLL_S)
    raise AssertionError(f"not within {wait_s:g} s")
