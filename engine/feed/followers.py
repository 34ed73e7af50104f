"""Registered followers of the event feed: consumer groups, whose events are kept until they are acknowledged."""

import asyncio
import re
from collections.abc import Sequence
from heapq import merge

from engine.feed.event import EventReader, Row
from engine.feed.pages import PAGE_BYTES_MAX, Feed, age_of, check_bounds, invalid
from engine.model.event import Event, Follower
from engine.store import FollowerRow, Store

IDLE_MS = 30_000
"""Events that a consumer had for so long without acknowledging them go to another."""

ACKNOWLEDGED_MAX = 10_000
"""Events acknowledged in one call."""

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ID = re.compile(r"(\d{1,3}):(\d{1,20}-\d{1,20})", re.ASCII)


class Followers:
    """The followers of one store."""

    def __init__(self, store: Store, feed: Feed, reader: EventReader) -> None:
        self._store = store
        self._feed = feed
        self._reader = reader
        self._turn = 0

    async def all(self) -> tuple[Follower, ...]:
        """All registered followers, by name."""
        pages = await asyncio.gather(*(partition.feed.followers() for partition in self._store.partitions))
        rows: dict[str, list[FollowerRow]] = {}
        for page in pages:
            for row in page:
                rows.setdefault(row.name, []).append(row)
        return tuple(
            Follower(
                name=name,
                consumers=max(row.consumers for row in own),
                unread=sum(row.unread for row in own),
                pending=sum(row.pending for row in own),
                behind_s=max(row.behind_ms for row in own) / 1000,
            )
            for name, own in sorted(rows.items())
        )

    async def register(self, name: str, *, from_start: bool = False) -> None:
        """Register a follower, from the oldest event kept or from now. Raises InvalidInput for a name that is taken."""
        _check_name("/follower", name)
        added = await asyncio.gather(
            *(partition.feed.register(name, from_start=from_start) for partition in self._store.partitions)
        )
        if None in added:
            invalid("/follower", "is one too many: remove another first")
        if not any(added):
            invalid("/follower", f'"{name}" is registered already')

    async def remove(self, name: str) -> None:
        """Remove a follower, with whatever it has not read. Raises InvalidInput when there is none of this name."""
        _check_name("/follower", name)
        if not any(await asyncio.gather(*(partition.feed.remove(name) for partition in self._store.partitions))):
            invalid("/follower", f'no follower is registered as "{name}"')

    async def read_as(
        self, follower: str, consumer: str, *, limit: int = 100, wait_ms: int = 0, idle_ms: int = IDLE_MS
    ) -> tuple[Event, ...]:
        """The next events for a consumer, one of those that share a follower's work; `limit` at the most.

        Until it acknowledges them, it gets the same ones again, and after `idle_ms` another consumer may. So each event
        comes at least once, and to a consumer in the order of its partition, but for those that another left behind.
        Raises InvalidInput, EventsExpired, StoreError.
        """
        _check_name("/follower", follower)
        _check_name("/consumer", consumer)
        check_bounds(limit, wait_ms)
        rows = await self._feed.wait_for(lambda: self._read(follower, consumer, limit, idle_ms), wait_ms)
        await self._reader.learn_names(rows)
        return tuple(self._reader.event(row, None) for row in rows)

    async def acknowledge(self, follower: str, events: Sequence[str]) -> int:
        """A follower is done with events, by their ids; returns how many were still open. Raises InvalidInput."""
        _check_name("/follower", follower)
        if len(events) > ACKNOWLEDGED_MAX:
            invalid("/events", f"must be {ACKNOWLEDGED_MAX:,} at the most")
        ids: dict[int, list[bytes]] = {}
        for index, event in enumerate(events):
            match = _ID.fullmatch(event)
            if match is None or int(match[1]) >= len(self._store.partitions):
                invalid(f"/events/{index}", "is no id of an event")
            ids.setdefault(int(match[1]), []).append(match[2].encode())
        partitions = self._store.partitions
        return sum(
            await asyncio.gather(*(partitions[number].feed.acknowledge(follower, own) for number, own in ids.items()))
        )

    async def _read(self, follower: str, consumer: str, limit: int, idle_ms: int) -> list[Row]:
        partitions = self._store.partitions
        # Every read begins with another partition, so that none is left out where there are more of them than events.
        self._turn += 1
        chosen = [partitions[(self._turn + place) % len(partitions)] for place in range(min(limit, len(partitions)))]
        each, bytes_each = limit // len(chosen), PAGE_BYTES_MAX // len(chosen)
        pages = await asyncio.gather(
            *(
                partition.feed.read_as(follower, consumer, events_max=each, bytes_max=bytes_each, idle_ms=idle_ms)
                for partition in chosen
            )
        )
        streams: list[list[Row]] = []
        for partition, (letter, entries) in zip(chosen, pages, strict=True):
            if letter == "N":
                invalid("/follower", f'no follower is registered as "{follower}"')
            if letter == "F":
                invalid("/consumer", "is one too many: let others acknowledge what they have, or use their names")
            stream: list[Row] = []
            for event_id, fields in entries:
                if fields is None:
                    await self._feed.expired(
                        f"An event of partition {partition.number} was dropped before it was read."
                    )
                else:
                    stream.append((partition.number, event_id, fields))
            streams.append(stream)
        return list(merge(*streams, key=age_of))


def _check_name(pointer: str, name: str) -> None:
    if not _NAME.fullmatch(name):
        invalid(pointer, "must be 1 to 64 letters, digits, dots, dashes or underscores")
