"""A sale of sample orders over HTTP that remembers every promise it was given, and checks them afterwards.

What its clients do is a list of actions with weights: whoever teaches the service something new adds a method to it.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

import aiohttp
import msgspec

from engine import Settings, open_engine
from engine.model import Allocation, Order
from engine.sample import OrderSource, load_network, starting_stock
from loadtest.client import Answer, Client
from tests.e2e.promises import HOLDING, allocation_of, broken_promise, ran_out

CONNECTIONS = 32
ORDERS_MAX = 1_000_000
POLL_S = 0.02
RETRY_WAIT_S = 0.05
AGAIN_SHARE = 0.5
PENDING_SHARE = 0.3
HOLD_SECONDS = (1, 2, 900)
HOLDS_END_S = 20.0
BROKEN_MAX = 20
HELD_NOTHING = (b"This request held nothing.", b"Nothing was held.")
"""What an answer says that is certain of it."""

Action = Callable[[Client], Awaitable[Answer | None]]


async def fill(data_dir: Path, orders: int, seed: int) -> None:
    """Put the sample network, with stock for so many orders, into the store of a service that is not started yet."""
    network = load_network()
    async with open_engine(Settings(data_dir=data_dir)) as engine:
        await engine.put_warehouses(network.warehouses)
        await engine.put_skus(network.skus)
        await engine.put_tariff(network.tariff)
        await engine.set_stock(starting_stock(network, orders, seed))


class Sale:
    """Orders that are sent, and what became of them."""

    def __init__(self, seed: int, *, orders_max: int = ORDERS_MAX) -> None:
        self.random = Random(seed)
        self.actions: list[tuple[int, Action]] = [(8, self.place), (1, self.repeat), (1, self.look)]
        self.orders: dict[str, Order] = {}
        self.promised: dict[str, Allocation] = {}
        """Orders as they were last told to us."""
        self.refused: set[str] = set()
        self.doubtful: set[str] = set()
        """Orders that one request may have reserved without an answer that says so."""
        self.acknowledged = 0
        """Answers that promised, or told, an order."""
        self.unanswered = 0
        self.unavailable = 0
        self.broken: list[str] = []
        """Promises that were not kept."""
        self._fresh = self._draw(seed, orders_max)
        self._unsettled: deque[Order] = deque()
        self._ids: list[str] = []

    def _draw(self, seed: int, orders_max: int) -> Iterator[Order]:
        for offer in OrderSource(load_network(), seed).offers(orders_max):
            order = self.orders.get(offer.order.order_id)
            if order is None:
                order = offer.order
                if self.random.random() < PENDING_SHARE:
                    hold_s = self.random.choice(HOLD_SECONDS)
                    order = msgspec.structs.replace(order, payment="pending", hold_seconds=hold_s)
                self.orders[order.order_id] = order
            yield order

    # What clients do

    async def place(self, client: Client) -> Answer | None:
        """Send an order: one that got no answer before, or the next."""
        again = self._unsettled and self.random.random() < AGAIN_SHARE
        order = self._unsettled.popleft() if again else next(self._fresh, None)
        return None if order is None else await self._send(client, order)

    async def repeat(self, client: Client) -> Answer | None:
        """Send an order again that was promised."""
        return await self._send(client, self.orders[self.random.choice(self._ids)]) if self._ids else None

    async def look(self, client: Client) -> Answer | None:
        """Ask for an order that was promised."""
        return await self._get(client, self.random.choice(self._ids)) if self._ids else None

    async def _send(self, client: Client, order: Order) -> Answer | None:
        before = self.promised.get(order.order_id)
        answer = await self._call(client, "POST", "/v1/orders", msgspec.json.encode(order))
        if answer is None or answer.status == 503:
            if answer is None or not any(words in answer.body for words in HELD_NOTHING):
                self.doubtful.add(order.order_id)
            self._unsettled.append(order)
        elif answer.status in (200, 201):
            self._told(order.order_id, before, answer.body)
            if answer.status == 201 and before is not None:
                self._broke(order.order_id, "reserved twice")
        elif answer.status == 409:
            # Told before it was sent: a twin that was under way may have been refused earlier.
            if before is not None:
                self._broke(order.order_id, f"taken back: {answer.body.decode()}")
            self.refused.add(order.order_id)
        else:
            self._broke(order.order_id, f"status {answer.status}: {answer.body.decode()}")
        return answer

    async def _get(self, client: Client, order_id: str) -> Answer | None:
        before = self.promised[order_id]
        answer = await self._call(client, "GET", f"/v1/orders/{quote(order_id, safe='')}", None)
        if answer is not None and answer.status == 200:
            self._told(order_id, before, answer.body)
        elif answer is not None and answer.status != 503:
            self._broke(order_id, f"lost: {answer.status} {answer.body.decode()}")
        return answer

    async def _call(self, client: Client, method: str, path: str, body: bytes | None) -> Answer | None:
        try:
            answer = await client.call(method, path, body)
        except (aiohttp.ClientError, OSError):
            self.unanswered += 1
            return None
        self.unavailable += answer.status == 503
        return answer

    def _told(self, order_id: str, before: Allocation | None, body: bytes) -> None:
        self.acknowledged += 1
        told = allocation_of(body)
        if before is not None and (reason := broken_promise(before, told)):
            self._broke(order_id, f"{reason}: {before} became {told}")
        known = self.promised.get(order_id)
        if known is None:
            self._ids.append(order_id)
        if known is None or told.version > known.version:
            self.promised[order_id] = told

    def _broke(self, order_id: str, what: str) -> None:
        if len(self.broken) < BROKEN_MAX:
            self.broken.append(f"{order_id}: {what}")

    # The sale

    async def sell(self, client: Client, end: asyncio.Event) -> None:
        """Do things, one after the other, until the end."""
        weights = [weight for weight, _ in self.actions]
        actions = [action for _, action in self.actions]
        while not end.is_set():
            (action,) = self.random.choices(actions, weights)
            answer = await action(client)
            if answer is None or answer.status == 503:
                await asyncio.sleep(RETRY_WAIT_S)

    async def settle(self, client: Client) -> None:
        """Send what got no answer until all of it has one."""
        while self._unsettled:
            answer = await self._send(client, self._unsettled.popleft())
            if answer is None or answer.status == 503:
                await asyncio.sleep(RETRY_WAIT_S)

    @property
    def denied(self) -> set[str]:
        """Orders of which each answer said that nothing was held, and that it may be sent again."""
        return {order.order_id for order in self._unsettled} - self.doubtful - self.promised.keys()

    async def check_denials(self, client: Client) -> None:
        """Look for them, while nothing is sent."""
        for order_id in self.denied:
            answer = await client.call("GET", f"/v1/orders/{quote(order_id, safe='')}")
            if answer.status != 404:
                self._broke(order_id, f"held, though certainly not: {answer}")

    async def check_promises(self, client: Client) -> None:
        """Look at every order that was ever acknowledged."""
        again = deque(self.promised)

        async def check() -> None:
            while again:
                order_id = again.popleft()
                answer = await self._get(client, order_id)
                if answer is None or answer.status != 200:
                    self._broke(order_id, f"lost: {answer}")

        await run_together(check)

    async def check_books(self, data_dir: Path) -> "Totals":
        """Compare the store with what was promised: all of it, nothing else, nothing twice, no more than there was."""
        async with open_engine(Settings(data_dir=data_dir), attach=True) as engine:
            deadline = asyncio.get_running_loop().time() + HOLDS_END_S
            while True:
                held = {allocation.order_id: allocation async for allocation, _ in engine.orders()}
                late = [one for one in held.values() if one.status == "reserved" and ran_out(one)]
                if not late or asyncio.get_running_loop().time() > deadline:
                    break
                await asyncio.sleep(POLL_S)
            report = await engine.audit()
            cells, cursor = {}, None
            while True:
                page = await engine.stock(cursor=cursor)
                cells.update({(cell.sku, cell.warehouse): cell for cell in page.cells})
                cursor = page.cursor
                if cursor is None:
                    break
        for order_id, promised in self.promised.items():
            if order_id not in held:
                self._broke(order_id, "lost")
            elif reason := broken_promise(promised, held[order_id]):
                self._broke(order_id, reason)
        for one in late:
            self._broke(one.order_id, f"held on after {one.expires_at}")
        units: Counter[tuple[str, str]] = Counter()
        for allocation in held.values():
            if allocation.status in HOLDING:
                for shipment in allocation.shipments:
                    for line in shipment.lines:
                        units[line.sku, shipment.warehouse] += line.quantity
        return Totals(
            acknowledged=self.acknowledged,
            orders=len(self.promised),
            refused=len(self.refused),
            unanswered=self.unanswered,
            lost=len(self.promised.keys() - held.keys()),
            unpromised=len(held.keys() - self.promised.keys()),
            oversold=sum(max(0, count - cells[name].on_hand + cells[name].safety) for name, count in units.items()),
            doubled=sum(max(0, cell.reserved - units[name]) for name, cell in cells.items()),
            differences=report.difference_count,
            broken=tuple(self.broken),
        )


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """A sale in numbers. Units: `oversold` beyond what there was, `doubled` that are held for no order."""

    acknowledged: int
    orders: int
    refused: int
    unanswered: int
    lost: int
    unpromised: int
    """Orders in the store whose every request was answered otherwise."""
    oversold: int
    doubled: int
    differences: int
    """What the audit found."""
    broken: tuple[str, ...]

    def check(self) -> None:
        """Every promise was kept, and there were some."""
        assert self.broken == ()
        assert (self.lost, self.unpromised, self.oversold, self.doubled, self.differences) == (0, 0, 0, 0, 0), self
        assert self.orders


async def run_together(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """`work` once a connection, at the same time; the first that fails ends all."""
    async with asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(work())
