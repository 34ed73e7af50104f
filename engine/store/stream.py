"""Calls about the stream by which orders come: read by a consumer group, finished with a result each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from engine.store.packed import packed_strings
from engine.store.scan import entries_of
from engine.store.wire import Lane

if TYPE_CHECKING:
    from engine.store.keys import StreamKeys
    from engine.store.wire import Wire

GROUP = "stockade"
"""The consumer group."""


class Claimed(msgspec.Struct, frozen=True):
    """A message, and how often it was given out before and not finished."""

    message: bytes
    deliveries: int
    fields: dict[bytes, bytes]


class Result(msgspec.Struct, frozen=True):
    """What became of a message. With a `reason`, it is a dead letter, too, with the order as it came."""

    message: bytes
    order_id: str
    outcome: str
    result: bytes
    reason: str | None = None
    order: bytes = b""


class Backlog(msgspec.Struct, frozen=True):
    """What waits in the streams."""

    orders: int = 0
    """Messages that are not finished."""
    oldest_ms: int | None = None
    """When the oldest of them came, by the store's clock."""
    dead: int = 0
    """Dead letters that are kept."""

    def age_s(self, now_ms: int) -> float:
        """Of the oldest message; 0 where there is none."""
        return 0.0 if self.oldest_ms is None else max(0, now_ms - self.oldest_ms) / 1000


class StreamCalls:
    """The calls of the stream intake. All raise StoreError."""

    def __init__(self, wire: Wire, keys: StreamKeys) -> None:
        self._wire = wire
        self.keys = keys

    async def open(self) -> None:
        """Make streams and group where they are not there."""
        await self._wire.call("stockade_open_stream", self._keys, (GROUP,), lane=Lane.READ)

    async def read(self, consumer: str, *, messages_max: int, block_ms: int) -> list[Claimed]:
        """Messages that nobody was given yet; waits up to `block_ms` for the first."""
        head = ("XREADGROUP", "GROUP", GROUP, consumer, "COUNT", messages_max, "BLOCK", block_ms)
        reply = await self._wire.command(*head, "STREAMS", self.keys.orders, ">", lane=Lane.FEED)
        return [Claimed(message, 0, fields) for message, fields in entries_of(reply[0][1])] if reply else []

    async def claim(self, consumer: str, *, idle_ms: int, messages_max: int) -> list[Claimed]:
        """Take over messages that were given out so long ago and are not finished."""
        args = (GROUP, consumer, idle_ms, messages_max)
        rows = await self._wire.call("stockade_claim_stream", (self.keys.orders,), args, lane=Lane.READ)
        return [
            Claimed(message, deliveries, entries_of([(message, fields)])[0][1]) for message, deliveries, fields in rows
        ]

    async def keep(self, consumer: str, messages: Sequence[bytes], *, deliveries: int | None = None) -> None:
        """Have messages that are open be this consumer's, as if given out now; `deliveries`: so often."""
        count = () if deliveries is None else ("RETRYCOUNT", deliveries)
        head = ("XCLAIM", self.keys.orders, GROUP, consumer, 0)
        await self._wire.command(*head, *messages, *count, "JUSTID", lane=Lane.READ)

    async def finish(self, results: Sequence[Result], *, results_max: int, dead_max: int) -> int:
        """Write results of messages that are still open, and let those go; returns how many they were."""
        flat: list[bytes] = []
        dead: list[bytes] = []
        for one in results:
            flat += (one.message, one.order_id.encode(), one.outcome.encode(), one.result)
            if one.reason is not None:
                dead += (one.message, one.reason.encode(), one.order)
        args = (GROUP, results_max, dead_max, packed_strings(flat), packed_strings(dead))
        done = await self._wire.call(
            "stockade_finish_stream", self._keys, args, lane=Lane.READ, durable=True, mark=self.keys.mark
        )
        return int(done)

    async def backlog(self) -> Backlog:
        """What waits; there need be no stream."""
        orders = await self._wire.command("XLEN", self.keys.orders)
        # By its own time: who appends may choose another id, but has no reason to.
        oldest = await self._wire.command("XRANGE", self.keys.orders, "-", "+", "COUNT", 1)
        dead = await self._wire.command("XLEN", self.keys.dead)
        oldest_ms = int(bytes(oldest[0][0]).partition(b"-")[0]) if oldest else None
        return Backlog(int(orders), oldest_ms, int(dead))

    @property
    def _keys(self) -> tuple[str, ...]:
        return (self.keys.orders, self.keys.results, self.keys.dead)
