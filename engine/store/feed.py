"""Calls about the event stream of a partition: where it stands, what came, what may be dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import StoreChanged
from engine.store.scan import Entry, entries_of
from engine.store.wire import Lane

if TYPE_CHECKING:
    from engine.store.partition import Partition


class FeedCalls:
    """The calls of one partition about its events."""

    def __init__(self, partition: Partition) -> None:
        self._partition = partition

    async def position(self) -> bytes:
        """The id of the newest event."""
        keys = self._partition.keys
        newest = await self._partition.wire.command("XREVRANGE", keys.events, "+", "-", "COUNT", 1, lane=Lane.SALE)
        return entries_of(newest)[0][0] if newest else b"0-0"

    async def has(self, event: bytes, *, for_sale: bool = False) -> bool:
        """Whether the stream still has an event; always true of the time before the first one."""
        if event == b"0-0":
            return True
        lane = Lane.SALE if for_sale else Lane.READ
        return bool(await self._partition.wire.command("XRANGE", self._partition.keys.events, event, event, lane=lane))

    async def read(self, after: bytes, *, block_ms: int, events_max: int) -> list[Entry]:
        """Events after one; waits up to `block_ms` for the first.

        Raises StoreChanged when another node of a cluster serves the partition than when it was opened.
        """
        command = ("XREAD", "COUNT", events_max, "BLOCK", block_ms, "STREAMS", self._partition.keys.events, after)
        reply, by = await self._partition.wire.command_at(*command, lane=Lane.FEED)
        if by != self._partition.opened_at:
            # It may lack what the former one had acknowledged last.
            raise StoreChanged(f"{by} serves partition {self._partition.number} now, not {self._partition.opened_at}")
        return entries_of(reply[0][1]) if reply else []

    async def trim(self, *, events_max: int, age_ms_max: int) -> tuple[int, int, int]:
        """Drop events that are too many or too old and read by all: (dropped, left, left only for a follower)."""
        dropped, left, waiting = await self._partition.call("stockade_trim", (events_max, age_ms_max))
        return dropped, left, waiting
