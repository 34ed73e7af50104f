"""A sale with everything that changes stock, and the levels that its events add up to."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Iterable

from engine import Engine, Settings, open_engine
from engine.intake import Reserved, follow_order
from engine.model.event import Event
from tests.engine.small_network import SKUS, WAREHOUSES, cell, order

CellName = tuple[str, str]
CELLS = tuple((sku.sku, warehouse.id) for sku in SKUS for warehouse in WAREHOUSES)

WAIT_S = 20.0


@contextlib.asynccontextmanager
async def opened(url: str, partitions: int = 1, **settings: int) -> AsyncIterator[Engine]:
    """An engine with the small network, and 50 units in each cell."""
    async with open_engine(Settings(redis_url=url, partitions=partitions, **settings)) as engine:
        await engine.put_warehouses(WAREHOUSES)
        await engine.put_skus(SKUS)
        await count(engine, dict.fromkeys(CELLS, 50))
        yield engine


async def count(engine: Engine, counts: dict[CellName, int]) -> None:
    """Set counts, each partition's with a call of its own."""
    owned = engine.store.by_owner([cell(engine, *name) for name in counts])
    units = {cell(engine, *name): number for name, number in counts.items()}
    for partition, cells in owned.items():
        await partition.movements.set_stock(cells, [units[one] for one in cells], [-1] * len(cells))


async def sell(engine: Engine, orders: int, prefix: str = "o") -> list[str]:
    """Sell to many buyers at once; returns the orders that were taken."""
    offers = [
        order(
            f"{prefix}{number}",
            (SKUS[number % 3].sku, 1 + number % 2),
            (SKUS[(number + 1) % 3].sku, 1),
            payment="pending" if number % 5 == 0 else "paid",
        )
        for number in range(orders)
    ]
    outcomes = await asyncio.gather(*(engine.reserve(offer) for offer in offers))
    return [offer.order_id for offer, outcome in zip(offers, outcomes, strict=True) if isinstance(outcome, Reserved)]


async def step(engine: Engine, what: str, order_id: str, detail: object = None) -> str:
    """One transition, told to all partitions; returns its letter."""
    home = engine.store.home(order_id)
    reply = await home.orders.step(what, order_id, f"{what}:{what}-{order_id}=00", version=None, detail=detail)  # type: ignore[arg-type]
    await follow_order(engine.store, order_id)
    return reply.letter


async def busy_sale(engine: Engine) -> list[str]:
    """Orders, holds that end, cancellations, shipments and counts, all at the same time; returns the orders taken."""

    async def change(taken: list[str]) -> None:
        for place, order_id in enumerate(taken):
            if place % 7 == 1:
                await step(engine, "cancel", order_id)
            elif place % 7 == 2:
                await step(engine, "ship", order_id, [])
            elif place % 5 == 0:
                await step(engine, "extend", order_id, 1)

    async def recount() -> None:
        for units in (60, 45, 70):
            await count(engine, {("z", "C"): units, ("few", "B"): units})

    first = await sell(engine, 60, "a")
    second, *_ = await asyncio.gather(sell(engine, 60, "b"), change(first), recount())
    await change(second)
    await count(engine, {("x", "A"): 3_000})
    third = await sell(engine, 40, "c")
    return first + second + third


async def quiet(engine: Engine) -> None:
    """Wait until no partition waits for another, nor a hold for its end."""
    async with asyncio.timeout(WAIT_S):
        while True:
            due = [await partition.crossing.due(1) for partition in engine.store.partitions]
            ended = [await partition.orders.expire(500) for partition in engine.store.partitions]
            if not any(ended) and not any(one.leases or one.orders for one in due):
                return
            await asyncio.sleep(0.05)


async def read_all(engine: Engine, after: str | None = None, limit: int = 100) -> list[Event]:
    """All events that there are after a cursor."""
    events: list[Event] = []
    while True:
        page = await engine.events(after=after, limit=limit)
        if not page.events:
            return events
        events += page.events
        after = page.cursor


def levels(events: Iterable[Event]) -> dict[CellName, tuple[int, int]]:
    """(free, on hand) of each cell, from events alone."""
    free, on_hand = Counter[CellName](), Counter[CellName]()
    for event in events:
        for change in event.cells:
            free[change.sku, change.warehouse] -= change.taken
            on_hand[change.sku, change.warehouse] += change.on_hand_change
    return {name: (free[name], on_hand[name]) for name in CELLS}


async def true_levels(engine: Engine) -> dict[CellName, tuple[int, int]]:
    """(free, on hand) of each cell, as the store has them."""
    rows = await engine.store.read_cells([cell(engine, *name) for name in CELLS])
    return {name: (row.free, row.on_hand) for name, row in zip(CELLS, rows, strict=True)}
