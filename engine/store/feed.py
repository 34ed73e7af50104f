"""Calls about the event stream of a partition: where it stands, what came, who follows, what may be dropped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from engine.errors import StoreChanged
from engine.store.scan import Entry, entries_of
from engine.store.wire import Lane

if TYPE_CHECKING:
    from engine.store.partition import Partition

TRIM_STEP = 100
"""Events that one `trim` drops at the most; as in feed.lua."""


class Place(msgspec.Struct, frozen=True):
    """A place in the stream: an event's id, and its number. Before the first one: 0-0 and 0."""

    id: bytes
    n: int


class EventRows(msgspec.Struct, frozen=True):
    """Events as the store has them, and what the stream had when they were read."""

    entries: list[Entry]
    oldest: int
    """Number of the oldest event that is kept; the next one's where none is."""
    newest: Place


class TrimReport(msgspec.Struct, frozen=True):
    """What one `trim` did, in events."""

    dropped: int
    left: int
    waiting: int
    """Only left because `holder`, a follower, has not acknowledged them."""
    holder: str
    now_ms: int
    """The store's clock."""
    sequence: int
    """Number of the newest event."""
    bytes_before: int
    """The stream's size in the store's memory, by its own estimate, before anything was dropped."""


class FollowerRow(msgspec.Struct, frozen=True):
    """A follower as one partition knows it."""

    name: str
    consumers: int
    pending: int
    """Events delivered and not acknowledged."""
    unread: int
    """Events not delivered yet."""
    behind_ms: int
    """Age of the oldest event that is not acknowledged; 0 where all are."""


class FeedCalls:
    """The calls of one partition about its events."""

    def __init__(self, partition: Partition) -> None:
        self._partition = partition

    async def position(self) -> Place:
        """Where the newest event stands."""
        keys = self._partition.keys
        newest = await self._partition.wire.command("XREVRANGE", keys.events, "+", "-", "COUNT", 1, lane=Lane.SALE)
        return Place(b"0-0", 0) if not newest else place_of(entries_of(newest)[0])

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

    async def page(self, after: bytes, *, events_max: int, bytes_max: int) -> EventRows:
        """Events after one, and the ends of the stream, of one moment. Does not wait."""
        rows, oldest, newest, n = await self._partition.call(
            "stockade_events", (after, events_max, bytes_max), lane=Lane.READ
        )
        return EventRows(entries_of(rows), oldest, Place(newest, n))

    async def trim(self, *, events_max: int, age_ms_max: int, bytes_max: int) -> TrimReport:
        """Drop events that are too many, too large or (unless 0) too old and read by all; of TRIM_STEP: call again."""
        reply = await self._partition.call("stockade_trim", (events_max, age_ms_max, bytes_max), lane=Lane.READ)
        dropped, left, waiting, holder, now_ms, sequence, size = reply
        return TrimReport(dropped, left, waiting, holder.decode(), now_ms, sequence, size)

    async def register(self, follower: str, *, from_start: bool) -> bool | None:
        """Register a follower; whether it is new, None when there are too many."""
        reply = await self._partition.call(
            "stockade_set_follower", (follower, "0" if from_start else "$"), lane=Lane.READ
        )
        return None if reply < 0 else bool(reply)

    async def remove(self, follower: str) -> bool:
        """Remove a follower; whether there was one."""
        return bool(await self._partition.call("stockade_set_follower", (follower, ""), lane=Lane.READ))

    async def followers(self) -> list[FollowerRow]:
        """Who follows, and how far each is."""
        now_ms, rows = await self._partition.call("stockade_followers", (), lane=Lane.READ)
        return [
            FollowerRow(name.decode(), consumers, pending, unread, now_ms - oldest_ms if oldest_ms else 0)
            for name, consumers, pending, unread, oldest_ms in rows
        ]

    async def read_as(
        self, follower: str, consumer: str, *, events_max: int, bytes_max: int, idle_ms: int
    ) -> tuple[str, list[tuple[bytes, dict[bytes, bytes] | None]]]:
        """The next events for a consumer, and a letter (feed.lua lists them); None for one that is dropped."""
        letter, rows = await self._partition.call(
            "stockade_read_as", (follower, consumer, events_max, idle_ms, bytes_max), lane=Lane.READ
        )
        return letter.decode(), [(row[0], entries_of([row])[0][1] if len(row) > 1 and row[1] else None) for row in rows]

    async def acknowledge(self, follower: str, events: Sequence[bytes]) -> int:
        """A follower is done with events; returns how many of them were still open."""
        return int(await self._partition.wire.command("XACK", self._partition.keys.events, follower, *events))


def place_of(entry: Entry) -> Place:
    """Where an event stands."""
    event, fields = entry
    return Place(event, int(fields.get(b"n", 0)))
