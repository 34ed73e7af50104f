"""Brings partitions to what the homes of orders decided, where whoever decided could not tell them.

Any process may do this at any time, and several at once: what is told twice changes nothing.
"""

import asyncio
from collections import defaultdict

from engine.intake.moving import settle_moves
from engine.planner import Record
from engine.store import Lease, Partition, Store

ROWS_MAX = 200
"""Leases and orders that one look takes up of a partition."""


async def settle_due(store: Store) -> int:
    """Settle what is due in all partitions; returns how many leases and orders that was. Raises StoreError."""
    if len(store.partitions) == 1:
        return 0
    counts = await asyncio.gather(*(_settle_partition(store, partition) for partition in store.partitions))
    return sum(counts)


async def follow_order(store: Store, order_id: str, record: bytes) -> None:
    """Bring all parts of an order to its record, as its home has it. Raises StoreError."""
    if len(store.partitions) > 1:
        await _follow(store, store.home(order_id), [(order_id, record)])


async def _settle_partition(store: Store, partition: Partition) -> int:
    due = await partition.crossing.due(ROWS_MAX)
    if due.leases:
        await _settle_leases(store, partition, due.leases)
    if due.orders:
        await _follow(store, partition, due.orders)
    return len(due.leases) + len(due.orders)


async def _settle_leases(store: Store, partition: Partition, leases: list[Lease]) -> None:
    await settle_moves(store, partition, [lease for lease in leases if lease.movement])
    by_home: dict[int, list[Lease]] = defaultdict(list)
    for lease in leases:
        if lease.movement:
            continue
        by_home[lease.home].append(lease)
    for home, asked in by_home.items():
        records = await store.partitions[home].crossing.refuse(asked)
        decided = [(lease.order_id, record) for lease, record in zip(asked, records, strict=True) if record]
        await partition.crossing.follow([lease.attempt for lease in asked], decided)


async def _follow(store: Store, home: Partition, orders: list[tuple[str, bytes]]) -> None:
    known = [(order_id, record) for order_id, record in orders if record]
    others = [partition for partition in store.partitions if partition is not home]
    await asyncio.gather(*(partition.crossing.follow([], known) for partition in others))
    await home.crossing.followed([(order_id, Record(record).version) for order_id, record in known])
