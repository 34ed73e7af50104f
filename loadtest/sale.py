"""One flash sale over HTTP: many buyers at once, retries and twins among them, every answer kept.

Closed loop: each connection sends its next order when it has its answer. So the rate is what the service and this
client reach together on the machine; it is not an offered load.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import ceil

import aiohttp
import msgspec

from loadtest.client import Answer, Client
from loadtest.result import Latency

PROGRESS_EVERY = 500
"""Answers between two reports of progress."""


class SentOrder(msgspec.Struct, frozen=True):
    """An order to send: the id it should have, its body, and where it goes."""

    order_id: str
    body: bytes
    city: str


class ShipmentSeen(msgspec.Struct, frozen=True):
    """What the sale reads of a shipment."""

    warehouse: str
    lines: tuple["LineSeen", ...]
    cost: int
    distance_km: float


class LineSeen(msgspec.Struct, frozen=True):
    """SKU and units."""

    sku: str
    quantity: int


class AllocationSeen(msgspec.Struct, frozen=True):
    """What the sale reads of an Allocation."""

    order_id: str
    status: str
    cost: int
    shipments: tuple[ShipmentSeen, ...]


class Accepted(msgspec.Struct, frozen=True):
    """An order that was reserved: which, when (seconds after the start), and how."""

    order: SentOrder
    seconds: float
    allocation: AllocationSeen


class SaleLog(msgspec.Struct):
    """Everything that was answered."""

    seconds: float = 0.0
    offered: int = 0
    accepted: list[Accepted] = []
    replayed: int = 0
    contradictions: list[str] = []
    """Orders whose replay differs from the first answer."""
    refused: Counter[str] = msgspec.field(default_factory=Counter)
    failed: Counter[str] = msgspec.field(default_factory=Counter)
    latencies_ms: list[float] = []

    def latency(self) -> Latency:
        """Percentiles of the answer times, nearest rank."""
        ordered = sorted(self.latencies_ms) or [0.0]

        def rank(share: float) -> float:
            return ordered[max(0, ceil(share * len(ordered)) - 1)]

        return Latency(p50_ms=rank(0.5), p90_ms=rank(0.9), p99_ms=rank(0.99), max_ms=ordered[-1])


class _Problem(msgspec.Struct):
    type: str


_allocation = msgspec.json.Decoder(AllocationSeen)
_problem = msgspec.json.Decoder(_Problem)


async def run_sale(
    client: Client,
    orders: Iterable[SentOrder],
    *,
    connections: int,
    on_progress: Callable[[SaleLog], None] = lambda _: None,
) -> SaleLog:
    """Send every order, `connections` at a time, and return what was answered."""
    log = SaleLog()
    first_answers: dict[str, bytes] = {}
    started = time.perf_counter()

    async def buyer(source: Iterator[SentOrder]) -> None:
        for order in source:
            sent = time.perf_counter()
            try:
                answer = await client.call("POST", "/v1/orders", order.body)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                log.failed[type(error).__name__] += 1
            else:
                now = time.perf_counter()
                log.latencies_ms.append((now - sent) * 1000)
                _note(log, order, answer, now - started, first_answers)
            log.offered += 1
            if log.offered % PROGRESS_EVERY == 0:
                log.seconds = time.perf_counter() - started
                on_progress(log)

    source = iter(orders)
    await asyncio.gather(*(buyer(source) for _ in range(connections)))
    log.seconds = time.perf_counter() - started
    on_progress(log)
    return log


def _note(log: SaleLog, order: SentOrder, answer: Answer, seconds: float, first_answers: dict[str, bytes]) -> None:
    if answer.status in (200, 201):
        if answer.status == 201:
            log.accepted.append(Accepted(order, seconds, _allocation.decode(answer.body)))
        else:
            log.replayed += 1
        # A twin may be answered before the order that came first here: whichever came first, both say the same.
        if first_answers.setdefault(order.order_id, answer.body) != answer.body:
            log.contradictions.append(order.order_id)
    elif answer.status == 409:
        log.refused[_problem.decode(answer.body).type] += 1
    else:
        # These orders are valid and the service is not overloaded: any other answer is a failure.
        log.failed[f"status {answer.status}"] += 1


def units_sold(accepted: Sequence[Accepted]) -> Counter[tuple[str, str]]:
    """Units promised to buyers, by (SKU, warehouse)."""
    sold: Counter[tuple[str, str]] = Counter()
    for one in accepted:
        for shipment in one.allocation.shipments:
            for line in shipment.lines:
                sold[line.sku, shipment.warehouse] += line.quantity
    return sold
