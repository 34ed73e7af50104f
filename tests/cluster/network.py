"""A network for clusters: stock in every partition, orders that reach over several, their sale by several engines."""

import asyncio
import random
from collections.abc import Sequence

import msgspec

from engine import Engine
from engine.intake import Outcome, Reserved, Unavailable
from engine.model import Line, Order, ShipTo, Sku, Warehouse
from engine.planner import cell_number

WAREHOUSES = tuple(Warehouse(id=name, lat=30.0 + place, lon=110.0) for place, name in enumerate("ABC"))
SKUS = tuple(Sku(sku=f"s{number}", purchase_limit=5 if number % 4 == 3 else None) for number in range(12))
TRIES_MAX = 40
TRY_AGAIN_S = 0.25


async def put_network(engine: Engine, on_hand: int) -> None:
    """Fill an empty store: so many units of every SKU at every warehouse."""
    await engine.put_warehouses(WAREHOUSES)
    await engine.put_skus(SKUS)
    core = engine.planner.core
    numbers = [core.sku_number(sku.sku) for sku in SKUS]
    cells = [
        cell_number(sku=number, warehouse=warehouse)
        for number in numbers
        if number is not None
        for warehouse in range(len(WAREHOUSES))
    ]
    for partition, own in engine.store.by_owner(cells).items():
        await partition.movements.set_stock(own, [on_hand] * len(own), [0] * len(own))
    # Nobody follows faster than the test goes on.
    await engine.replica.load()


def mixed_orders(count: int, *, seed: int, name: str = "o") -> list[Order]:
    """Orders of one to three SKUs, so that most reach beyond their home."""
    dice = random.Random(seed)
    return [
        Order(
            order_id=f"{name}{number}",
            ship_to=ShipTo(lat=30.0 + dice.random() * 2, lon=110.0),
            lines=tuple(Line(sku.sku, dice.randint(1, 2)) for sku in dice.sample(SKUS, dice.randint(1, 3))),
            customer=dice.choice([None, f"c{dice.randint(0, 9)}"]),
        )
        for number in range(count)
    ]


async def buy(engine: Engine, order: Order) -> Outcome:
    """Reserve an order as a patient caller does: the same again while the store cannot be had."""
    for _ in range(TRIES_MAX):
        outcome = await engine.reserve(order)
        if not isinstance(outcome, Unavailable):
            return outcome
        await asyncio.sleep(TRY_AGAIN_S)
    raise AssertionError(f"{order.order_id} has no answer but {outcome}")


async def sell(engines: Sequence[Engine], orders: Sequence[Order], *, at_once: int = 20) -> dict[str, Outcome]:
    """Sell orders by several engines in turn; the outcomes by order id."""
    outcomes: dict[str, Outcome] = {}
    waiting = iter(list(enumerate(orders)))

    async def buyer() -> None:
        for number, order in waiting:
            outcomes[order.order_id] = await buy(engines[number % len(engines)], order)

    await asyncio.gather(*(buyer() for _ in range(at_once)))
    return outcomes


def promised(outcomes: dict[str, Outcome]) -> dict[str, bytes]:
    """What callers were told, by the ids of the orders that were reserved: their Allocations."""
    return {order_id: outcome.json for order_id, outcome in outcomes.items() if isinstance(outcome, Reserved)}


def same(told: bytes, found: bytes | None) -> bool:
    """Whether the Allocation that a caller was told is the one that is kept, but for when it was reserved."""
    if found is None:
        return False
    of_told, of_found = (msgspec.json.decode(each, type=dict[str, object]) for each in (told, found))
    return all(of_told[name] == of_found[name] for name in ("shipments", "unfilled"))
