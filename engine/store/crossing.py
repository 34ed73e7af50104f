"""Calls between partitions: orders that hold stock of several of them; partitions.lua tells the protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from engine.store.orders import CommitReply
from engine.store.packed import packed_strings
from engine.store.wire import Lane

if TYPE_CHECKING:
    from engine.store.partition import Partition

_pack = msgspec.msgpack.Encoder().encode


class Lease(msgspec.Struct, frozen=True):
    """An attempt whose lease ran out, and the order that it was made for."""

    attempt: str
    order_id: str
    """Or the id of a movement."""
    home: int
    movement: bool = False


class Due(msgspec.Struct, frozen=True):
    """What others wait for: leases to be asked about, and ids of orders whose records other partitions must follow."""

    leases: list[Lease]
    orders: list[str]


class CrossingCalls:
    """The calls of one partition, as the home of orders or as one that follows."""

    def __init__(self, partition: Partition) -> None:
        self._partition = partition

    async def prepare(self, args: Sequence[bytes], lease_ms: int) -> CommitReply:
        """Take the units of a batch of attempts for a lease; `args` as `Batch.prepare_args` gives them."""
        return CommitReply(*await self._partition.call_once("stockade_prepare", (*args, lease_ms, "")))

    async def seal(self, attempts: Sequence[str]) -> int:
        """Attempts that their home decided for become parts; returns how many were found."""
        return int(await self._partition.call("stockade_seal", (_pack(list(attempts)),)))

    async def follow(self, attempts: Sequence[str], rows: Sequence[tuple[str, bytes]]) -> int:
        """Give back attempts, and bring parts to what records say; returns how many parts were behind."""
        packed = packed_strings(part for order_id, record in rows for part in (order_id.encode(), record))
        return int(await self._partition.call("stockade_follow", (_pack(list(attempts)), packed)))

    async def refuse(self, leases: Sequence[Lease]) -> list[bytes]:
        """What was decided of attempts, a record each; `b""`: nothing, and from here on it cannot be."""
        flat = [part for lease in leases for part in (lease.order_id, lease.attempt)]
        return list(await self._partition.call("stockade_refuse", (_pack(flat),)))

    async def family(self, order_ids: Sequence[str]) -> list[tuple[str, bytes]]:
        """Orders of this home as they stand, each with all that was split off from it; `b""` where there is none."""
        flat = await self._partition.call("stockade_family", (_pack(list(order_ids)),))
        return [(order_id.decode(), record) for order_id, record in zip(flat[::2], flat[1::2], strict=True)]

    async def due(self, rows_max: int) -> Due:
        """What others wait for, the oldest first."""
        leases, orders = await self._partition.call("stockade_due", (rows_max,), lane=Lane.READ)
        if (leases or orders) and self._partition.wire.waits_for_replicas:
            # Others act on it for good: so it must be there for good.
            leases, orders = await self._partition.call("stockade_due", (rows_max,))
        pairs = zip(leases[::2], leases[1::2], strict=True)
        return Due(
            leases=[_lease(attempt.decode(), kept) for attempt, kept in pairs if kept],
            orders=[order_id.decode() for order_id in orders],
        )

    async def followed(self, rows: Sequence[tuple[str, int]]) -> int:
        """Others have followed these orders to these versions; returns how many are done with."""
        return int(await self._partition.call("stockade_followed", (_pack([part for row in rows for part in row]),)))


def _lease(attempt: str, kept: bytes) -> Lease:
    order_id, home, _, _, *more = msgspec.msgpack.decode(kept)
    return Lease(attempt, order_id, home, movement=bool(more))
