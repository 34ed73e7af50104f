"""The event feed: what changed, in order, for whoever follows with a cursor of their own.

Every change is in it, with its number; numbers of a partition have no gaps, so a reader knows that nothing is missing,
and one for whom events were dropped is told so. Adding up `taken` and `on_hand_change` from the first event on gives
the levels of every cell. Where an order holds stock of several partitions, the events of its home name it, when it is
decided and when it changes; those of the others (`prepare`: units held for a decision to come, `seal`: they are the
order's now, `follow`: they were brought to what the home decided) move cells and name no order.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from heapq import merge
from typing import NoReturn

from engine.errors import EventsExpired, FieldError, InvalidInput
from engine.feed.cursor import Cursor, read_cursor, store_tag
from engine.feed.event import EventReader, Row
from engine.intake import Replica
from engine.model.event import Event, EventPage
from engine.store import EventRows, Place, Store

EVENTS_MAX = 500
"""Events of one page."""

PAGE_BYTES_MAX = 64 * 1024
"""Bytes of the events of one page, as stored: with the one that goes beyond it, the page ends. Some 5,000 orders."""

WAIT_MS_MAX = 30_000
POLL_S = 1.0
"""The view's own reading tells of news at once; a look this often makes sure."""
POLL_ALONE_S = 0.2
"""The same where no view is followed, as in a command."""

NOW = "$"
OTHER_STORE = "The cursor is of another store, or of this one before it was emptied."


class Feed:
    """The events of one store, named from the planner's catalogue."""

    def __init__(self, store: Store, replica: Replica, reader: EventReader) -> None:
        self._store = store
        self._replica = replica
        self._reader = reader
        self.stopping = False
        """Whether nobody shall wait any more."""
        self.follows_view = False
        """Whether the replica follows the store, and so tells of news."""

    def stop_waiting(self) -> None:
        """Let all who wait for events return, now and from here on: the service stops."""
        self.stopping = True
        self._replica.freshness.wake()

    async def page(self, after: str | None = None, *, limit: int = 100, wait_ms: int = 0) -> EventPage:
        """Events after a cursor (None: from the oldest kept, `$`: from now), `limit` at the most.

        Without any, waits up to `wait_ms` for the first. Raises InvalidInput, EventsExpired, StoreError.
        """
        check_bounds(limit, wait_ms)
        cursor = await self._start(after)
        rows = await self.wait_for(lambda: self._read(cursor, limit), wait_ms)
        await self._reader.learn_names(rows)
        events: list[Event] = []
        for row in rows:
            partition, event_id, fields = row
            cursor = cursor.moved(partition, Place(event_id, int(fields[b"n"])))
            events.append(self._reader.event(row, cursor.text()))
        return EventPage(events=tuple(events), cursor=cursor.text())

    async def follow(self, after: str | None = None) -> AsyncIterator[Event]:
        """All events after a cursor, and those to come. Raises as `page`; go on from the last event's cursor."""
        while not self.stopping:
            page = await self.page(after, limit=EVENTS_MAX, wait_ms=WAIT_MS_MAX)
            after = page.cursor
            for event in page.events:
                yield event

    async def wait_for(self, read: Callable[[], Awaitable[list[Row]]], wait_ms: int) -> list[Row]:
        """What `read` finds; while that is nothing, again with all news, for `wait_ms` at the most."""
        ends = asyncio.get_running_loop().time() + wait_ms / 1000
        while True:
            # Taken before the look: what comes after that look is news.
            news = self._replica.freshness.news()
            rows = await read()
            left = ends - asyncio.get_running_loop().time()
            if rows or left <= 0 or self.stopping:
                return rows
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, POLL_S if self.follows_view else POLL_ALONE_S)):
                    await news.wait()

    async def _start(self, after: str | None) -> Cursor:
        tag = store_tag(self._store)
        if after is None or after == NOW:
            pages = await asyncio.gather(
                *(partition.feed.page(b"0-0", events_max=1, bytes_max=1) for partition in self._store.partitions)
            )
            return Cursor(tag, tuple(page.newest if after else Place(b"0-0", page.oldest - 1) for page in pages))
        cursor = read_cursor(after)
        if cursor.store != tag or len(cursor.places) != len(self._store.partitions):
            await self.expired(OTHER_STORE)
        return cursor

    async def _read(self, cursor: Cursor, limit: int) -> list[Row]:
        """The next events of all partitions, the oldest first. Raises EventsExpired where one is missing."""
        partitions = self._store.partitions
        each, bytes_each = -(-limit // len(partitions)), PAGE_BYTES_MAX // len(partitions)
        pages = await asyncio.gather(
            *(
                partition.feed.page(place.id, events_max=each, bytes_max=bytes_each)
                for partition, place in zip(partitions, cursor.places, strict=True)
            )
        )
        # The store may have been opened anew since the cursor was looked at.
        if store_tag(self._store) != cursor.store:
            await self.expired(OTHER_STORE)
        for number, (place, page) in enumerate(zip(cursor.places, pages, strict=True)):
            await self._check_complete(number, place, page)
        streams = [[(number, event, fields) for event, fields in page.entries] for number, page in enumerate(pages)]
        return first_rows(list(merge(*streams, key=age_of)), limit)

    async def _check_complete(self, number: int, place: Place, page: EventRows) -> None:
        expected = place.n + 1
        for _, fields in page.entries:
            if int(fields[b"n"]) != expected:
                break
            expected += 1
        else:
            if page.entries or page.newest.n == place.n:
                return
        if expected < page.oldest:
            await self.expired(f"Events {expected:,} to {page.oldest - 1:,} of partition {number} were dropped unread.")
        await self.expired(f"Events of partition {number} that this cursor has seen were lost with the store.")

    async def expired(self, reason: str) -> NoReturn:
        """Raises EventsExpired, with where the feed begins now."""
        raise EventsExpired(reason, (await self._start(None)).text())


def age_of(row: Row) -> tuple[int, int]:
    """Sorts events by their time."""
    ms, _, order = row[1].partition(b"-")
    return int(ms), int(order)


def check_bounds(limit: int, wait_ms: int) -> None:
    """Raises InvalidInput for what no page may have."""
    if not 1 <= limit <= EVENTS_MAX:
        invalid("/limit", f"must be 1 to {EVENTS_MAX}")
    if not 0 <= wait_ms <= WAIT_MS_MAX:
        invalid("/wait_ms", f"must be 0 to {WAIT_MS_MAX}")


def first_rows(rows: list[Row], limit: int) -> list[Row]:
    """As many as make one page."""
    size = 0
    for count, (_, _, fields) in enumerate(rows[:limit], 1):
        size += sum(map(len, fields.values()))
        if size > PAGE_BYTES_MAX:
            return rows[:count]
    return rows[:limit]


def invalid(pointer: str, message: str) -> NoReturn:
    """Raises InvalidInput of one field."""
    raise InvalidInput((FieldError(pointer, message),))
