"""Calls that look at cells: single ones, all of them, and an audit's cut."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from engine.store.packed import unpacked_strings
from engine.store.scan import SCAN_FIELDS, one_more_move, scan_hash
from engine.store.wire import Lane

if TYPE_CHECKING:
    from engine.store.partition import Partition

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode
_unpack_numbers = msgspec.msgpack.Decoder(list[int]).decode


class CellRow(msgspec.Struct, frozen=True):
    """A cell as the store has it. Of a channel's pool only `free` is its own."""

    cell: int
    free: int
    on_hand: int
    safety: int
    quarantined: int = 0
    inbound: tuple[tuple[str, int, int], ...] = ()
    """(reference, units, arrival in ms since 1970)."""


class Totals(msgspec.Struct, frozen=True, array_like=True):
    """What all events of a partition lead to."""

    sequence: int
    """Number of the newest event."""
    free: int
    on_hand: int
    events: int
    """Entries in the stream."""


class Touched(msgspec.Struct, frozen=True):
    """What events since a place in the stream have touched, as it stands now."""

    event: bytes
    more: bool
    records: dict[str, bytes | None]
    cells: list[CellRow]
    counters: dict[str, int]
    parts: dict[str, bytes | None]
    tentative: dict[str, bytes | None]
    totals: Totals


class CellCalls:
    """The calls of one partition about its cells."""

    def __init__(self, partition: Partition) -> None:
        self._partition = partition

    async def scan_free(self) -> AsyncIterator[tuple[bytes, bytes]]:
        """All levels, in pages of (MessagePack [cell, level, ...], newest event)."""
        cursor, scanned_by, moves = b"0", "", 0
        while True:
            (cursor, event, page), by = await self._partition.call_at("stockade_scan_free", (cursor, SCAN_FIELDS))
            if by != scanned_by and scanned_by:
                cursor, scanned_by, moves = b"0", "", one_more_move(moves)
                continue
            scanned_by = by
            yield page, event
            if cursor == b"0":
                return

    async def read(self, cells: Sequence[int], *, for_sale: bool = False) -> tuple[bytes, list[CellRow]]:
        """Cells as they stand, those that exist, and the newest event. `for_sale`: orders wait for it."""
        lane = Lane.SALE if for_sale else Lane.READ
        packed = _pack([str(cell) for cell in cells])
        event, *columns, inbound = await self._partition.call("stockade_read_cells", (packed,), lane=lane)
        arrivals = [_arrivals(stored) for stored in unpacked_strings(inbound)]
        rows = zip(cells, *(_unpack_numbers(column) for column in columns), arrivals, strict=True)
        return event, [CellRow(*row) for row in rows if row[2] >= 0]

    async def scan(self) -> AsyncIterator[list[CellRow]]:
        """All cells without their pools, in pages, each page as it stands when it is read."""
        async for page in scan_hash(self._partition.wire, self._partition.keys.on_hand):
            _, rows = await self.read([int(cell) for cell, _ in page])
            yield rows

    async def newest_event(self) -> bytes:
        """The id of the newest event."""
        event, _ = await self.read([])
        return event

    async def touched(self, after: bytes, events_max: int) -> Touched:
        """What events after `after` have touched, as it stands now, in one cut."""
        reply = await self._partition.call("stockade_touched", (after, events_max), lane=Lane.READ)
        (event, more, ids, records, cells, free, on_hand, safety) = reply[:8]
        (names, counters, part_ids, parts, attempts, tentative, totals) = reply[8:]
        columns = (_unpack_numbers(free), _unpack_numbers(on_hand), _unpack_numbers(safety))
        rows = zip((int(cell) for cell in _unpack(cells)), *columns, strict=True)
        return Touched(
            event=event,
            more=bool(more),
            records=dict(zip(_unpack(ids), records, strict=True)),
            cells=[CellRow(*row) for row in rows],
            counters=dict(zip(_unpack(names), _unpack_numbers(counters), strict=True)),
            parts=dict(zip(_unpack(part_ids), parts, strict=True)),
            tentative=dict(zip(_unpack(attempts), tentative, strict=True)),
            totals=msgspec.msgpack.decode(totals, type=Totals),
        )


def _arrivals(stored: bytes) -> tuple[tuple[str, int, int], ...]:
    return msgspec.msgpack.decode(stored, type=tuple[tuple[str, int, int], ...]) if stored else ()
