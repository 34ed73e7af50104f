"""Brings partitions to what the homes of orders decided, where whoever decided could not tell them.

Any process may do this at any time, and several at once: what is told twice changes nothing.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence

import structlog

from engine.intake.moving import settle_moves
from engine.planner import Record
from engine.store import Lease, Partition, Store

log = structlog.get_logger(__name__)

ROWS_MAX = 200
"""Leases and orders that one look takes up of a partition."""


async def settle_due(store: Store) -> int:
    """Settle what is due in all partitions; returns how many leases and orders that was. Raises StoreError."""
    if len(store.partitions) == 1:
        return 0
    counts = await asyncio.gather(
        *(_settle_partition(store, partition) for partition in store.partitions), return_exceptions=True
    )
    # Whatever could be settled is; what could not is tried again next time.
    for count in counts:
        if isinstance(count, BaseException):
            raise count
    return sum(count for count in counts if isinstance(count, int))


async def follow_order(store: Store, order_id: str) -> None:
    """Bring all parts of an order, and of what was split off from it, to their records. Raises StoreError."""
    if len(store.partitions) > 1:
        await _follow(store, store.home(order_id), [order_id])


async def follow_orders(store: Store, order_ids: Sequence[str]) -> None:
    """The same for several. Raises StoreError."""
    if len(store.partitions) == 1:
        return
    homes: dict[Partition, list[str]] = defaultdict(list)
    for order_id in order_ids:
        homes[store.home(order_id)].append(order_id)
    for home, own in homes.items():
        await _follow(store, home, own)


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
        crossing = store.partitions[home].crossing
        records = await crossing.refuse(asked)
        decided = [lease.order_id for lease, record in zip(asked, records, strict=True) if record]
        known, _ = _versions(await crossing.family(decided) if decided else [])
        await partition.crossing.follow([lease.attempt for lease in asked], known)


async def _follow(store: Store, home: Partition, order_ids: list[str]) -> None:
    # An order and what was split off from it go in one call: else the units that changed hands are free for a moment.
    known, versions = _versions(await home.crossing.family(order_ids))
    others = [partition for partition in store.partitions if partition is not home]
    await asyncio.gather(*(partition.crossing.follow([], known) for partition in others))
    await home.crossing.followed(versions)


def _versions(orders: list[tuple[str, bytes]]) -> tuple[list[tuple[str, bytes]], list[tuple[str, int]]]:
    """Orders with a record, and all versions, 0 where there is none. What cannot be read is left to an audit."""
    known: list[tuple[str, bytes]] = []
    versions: list[tuple[str, int]] = []
    for order_id, record in orders:
        try:
            version = Record(record).version if record else 0
        except ValueError as error:
            log.warning("an order's record cannot be read", order_id=order_id, error=str(error))
            continue
        versions.append((order_id, version))
        if record:
            known.append((order_id, record))
    return known, versions
