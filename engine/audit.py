"""Proves that the books balance on a live store: what reservations hold against every cell and purchase limit.

A scan of a store that sells meanwhile mixes moments. So the scan is followed by its repair: every order and cell that
an event touched since the scan began is read again, until there is none newer; what no event touched stands as it was
read. So the books are those of the last of these cuts.
"""

from collections import defaultdict
from typing import Literal

from msgspec import Struct

from engine.errors import StoreUnavailable
from engine.planner import Planner, Record
from engine.store import CellRow, Partition, Store

EVENTS_MAX = 20
"""Events looked through in one cut, which the store waits for: at full batches some 10 ms."""

SCANS_MAX = 3
"""Scans before an audit gives up on a store that drops events under it."""

DIFFERENCES_MAX = 1_000
"""Differences that a report lists; it counts all."""


class Difference(Struct, frozen=True, kw_only=True):
    """One thing that does not add up, in units."""

    kind: Literal["reserved", "oversold", "limit", "record"]
    where: str
    expected: int
    found: int
    detail: str


class AuditReport(Struct, frozen=True, kw_only=True):
    """What was compared, and every difference."""

    orders: int
    holding: int
    """Orders that hold stock."""
    cells: int
    units_on_hand: int
    units_reserved: int
    difference_count: int
    differences: tuple[Difference, ...]

    @property
    def balanced(self) -> bool:
        """Whether nothing differs."""
        return self.difference_count == 0


class _Books:
    """What the store said, put together."""

    def __init__(self) -> None:
        self.cells: dict[int, CellRow] = {}
        self.records: dict[str, Record] = {}
        self.unreadable: dict[str, str] = {}
        self.counters: dict[str, int] = {}

    def put_record(self, order_id: str, record: bytes | None) -> None:
        self.records.pop(order_id, None)
        self.unreadable.pop(order_id, None)
        if record is None:
            return
        try:
            self.records[order_id] = Record(record)
        except ValueError as error:
            self.unreadable[order_id] = str(error)


async def audit_store(store: Store, planner: Planner) -> AuditReport:
    """Compare all reservations with all cells and counters. Reads only.

    Raises StoreUnavailable when the store drops its events faster than they can be read.
    """
    for _ in range(SCANS_MAX):
        partition = store.partitions[0]
        start = await partition.cells.newest_event()
        books = await _read_books(partition, start)
        # While the first event is still kept, so is every one that came after it.
        if await partition.feed.has(start):
            return _compare(books, planner)
    raise StoreUnavailable(
        f"The store dropped events during {SCANS_MAX} audits: raise STOCKADE_EVENTS_KEPT_MAX, or wait for calm."
    )


async def _read_books(partition: Partition, start: bytes) -> _Books:
    books = _Books()
    async for rows in partition.cells.scan():
        books.cells.update((row.cell, row) for row in rows)
    async for page in partition.orders.scan():
        for order_id, record in page:
            books.put_record(order_id, record)
    async for counters in partition.orders.scan_counters():
        books.counters.update(counters)
    position, more = start, True
    while more:
        touched = await partition.cells.touched(position, EVENTS_MAX)
        position, more = touched.event, touched.more
        for order_id, stored in touched.records.items():
            books.put_record(order_id, stored)
        books.cells.update((row.cell, row) for row in touched.cells)
        books.counters.update(touched.counters)
    return books


def _compare(books: _Books, planner: Planner) -> AuditReport:
    held: dict[int, int] = defaultdict(int)
    counted: dict[str, int] = defaultdict(int)
    holding = 0
    for record in books.records.values():
        if record.holds_stock:
            holding += 1
            for cell, units in record.held:
                held[cell] += units
        # A limit counts what a customer bought, shipped or not; only what was given back is given back.
        if record.status not in ("released", "expired"):
            for name, units in record.counters:
                counted[name] += units
    differences: list[Difference] = [
        Difference(kind="record", where=f"order {order_id}", expected=0, found=0, detail=message)
        for order_id, message in books.unreadable.items()
    ]
    for cell in sorted(books.cells.keys() | held.keys()):
        row = books.cells.get(cell) or CellRow(cell, 0, 0, 0)
        reserved = row.on_hand - row.safety - row.free
        where = "{} at {}".format(*(planner.core.cell_names(cell) or ("cell", cell)))
        if held[cell] != reserved:
            detail = f"reservations hold {held[cell]} units, the cell says {reserved} are reserved"
            differences.append(
                Difference(kind="reserved", where=where, expected=held[cell], found=reserved, detail=detail)
            )
        if held[cell] > row.on_hand:
            detail = f"reservations hold {held[cell]} units, only {row.on_hand} are on hand"
            differences.append(
                Difference(kind="oversold", where=where, expected=row.on_hand, found=held[cell], detail=detail)
            )
    counters = books.counters
    for name in sorted(counters.keys() | counted.keys()):
        if counters.get(name, 0) != counted[name]:
            detail = f"reservations count {counted[name]} units, the counter says {counters.get(name, 0)}"
            found = counters.get(name, 0)
            differences.append(
                Difference(kind="limit", where=f"limit {name}", expected=counted[name], found=found, detail=detail)
            )
    return AuditReport(
        orders=len(books.records) + len(books.unreadable),
        holding=holding,
        cells=len(books.cells),
        units_on_hand=sum(row.on_hand for row in books.cells.values()),
        units_reserved=sum(held.values()),
        difference_count=len(differences),
        differences=tuple(differences[:DIFFERENCES_MAX]),
    )
