"""Takes a cut of every partition of a live store.

A scan of a store that sells meanwhile mixes moments. So the scan is followed by its correction: everything that an
event touched since the scan began is read again, until there is none newer; what none touched stands as it was read.
So the books of a partition are those of the last of these cuts, exactly. Partitions are brought to theirs at the same
time, so that little changes between one's and the next one's.
"""

import asyncio
from collections.abc import Iterable

from engine.errors import StoreUnavailable
from engine.planner import Books
from engine.store import Partition, Store, Totals

COLUMNS = (
    "free",
    "on_hand",
    "safety",
    "quarantined",
    "inbound",
    "counters",
    "orders",
    "holds",
    "parts",
    "tentative",
    "leases",
)

EVENTS_MAX = 20
"""Events looked through in one cut, which the store waits for: at full batches some 10 ms."""

SCANS_MAX = 3
"""Scans before an audit gives up on a store that drops events under it."""

SCANS_AT_ONCE = 3
"""Columns read at a time: the store reads one while we read another."""


class EventsDropped(StoreUnavailable):
    """Events that an audit needs are gone: it has no verdict."""

    def __init__(self) -> None:
        super().__init__(
            f"The store dropped events during {SCANS_MAX} audits: raise STOCKADE_EVENTS_KEPT_MAX, or wait for calm."
        )


class PartitionBooks:
    """The books of one partition as of its newest event that was looked at."""

    def __init__(self, partition: Partition, partitions: int) -> None:
        self.partition = partition
        self.core = Books(partition.number, partitions)
        self.totals = Totals(0, 0, 0, 0, 0, 0, 0, 0)
        self.position = b"0-0"
        """The newest event that was looked at."""
        self._start = 0

    async def begin(self) -> None:
        """Note where the stream stands: what comes after it is looked at again."""
        keys = self.partition.keys
        self._start = int(await self.partition.wire.command("HGET", keys.meta, "sequence") or 0)
        self.position = (await self.partition.feed.position()).id

    async def catch_up(self) -> None:
        """Bring the books to the newest event. Raises EventsDropped when some were dropped unread."""
        more = True
        while more:
            touched = await self.partition.cells.touched(self.position, EVENTS_MAX)
            self.position, more, self.totals = touched.event, touched.more, touched.totals
            if self._dropped(touched.totals):
                raise EventsDropped
            for column, page in touched.columns:
                self.core.put(column, page)
            self._start = max(self._start, 0 if more else touched.totals.sequence)

    def _dropped(self, totals: Totals) -> bool:
        """Whether an event that came after the start is gone from the stream's old end."""
        return totals.first > self._start + 1 or (totals.events == 0 and totals.sequence > self._start)


async def read_books(store: Store) -> list[PartitionBooks]:
    """All partitions' books. Raises StoreUnavailable when the store drops its events faster than they can be read."""
    for _ in range(SCANS_MAX):
        books = [PartitionBooks(partition, len(store.partitions)) for partition in store.partitions]
        for one in books:
            await one.begin()
        await _scan(books)
        try:
            await catch_up(books)
        except EventsDropped:
            continue
        return books
    raise EventsDropped


async def catch_up(books: Iterable[PartitionBooks]) -> None:
    """Bring all books to the newest events, at once."""
    await asyncio.gather(*(one.catch_up() for one in books))


async def _scan(books: Iterable[PartitionBooks]) -> None:
    turns = asyncio.Semaphore(SCANS_AT_ONCE)

    async def read(one: PartitionBooks, column: str) -> None:
        async with turns:
            async for page in one.partition.cells.pages(column):
                one.core.put_pairs(column, page)

    await asyncio.gather(*(read(one, column) for one in books for column in COLUMNS))
