"""Reads how many orders warehouses serve today: for a quote, which must not say no by what was known before."""

import asyncio
from collections import defaultdict

from engine.planner import Planner, capacity_counter
from engine.store import Store


async def read_capacities(store: Store, planner: Planner, day: int) -> None:
    """Have the planner know the orders of a day of all warehouses that have a bound on them. Raises StoreError."""
    core, doubts, owned = planner.core, planner.core.capacity_doubts, defaultdict[int, list[int]](list)
    for warehouse in planner.capped_warehouses():
        owned[warehouse % len(store.partitions)].append(warehouse)
    counts = await asyncio.gather(
        *(
            store.partitions[number].orders.read_counters(
                [capacity_counter(warehouse, day) for warehouse in warehouses]
            )
            for number, warehouses in owned.items()
        )
    )
    for warehouses, orders in zip(owned.values(), counts, strict=True):
        core.set_capacity_used(list(zip(warehouses, orders, strict=True)), day, doubts)
