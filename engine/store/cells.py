"""Calls that look at cells: single ones, all of them, and an audit's cut."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from engine.store.packed import unpacked_strings
from engine.store.scan import SCAN_FIELDS, one_more_move
from engine.store.wire import Lane

if TYPE_CHECKING:
    from engine.store.partition import Partition

_pack = msgspec.msgpack.Encoder().encode
_unpack_numbers = msgspec.msgpack.Decoder(list[int]).decode


COUNTED = b"counted:"
"""Begins the fields of `meta` that say when warehouses were counted."""

SCORED = ("holds", "leases")
"""Of what `pages` reads, the sorted sets: by time, in ms since 1970."""


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
    """What all events of a partition lead to, and which of them the stream has."""

    sequence: int
    """Number of the newest event."""
    free: int
    on_hand: int
    repairs: int
    events: int
    """Entries in the stream."""
    first: int
    """Number of the oldest of them; 0 where it carries none, or there is none."""
    last: int
    now_ms: int


class Touched(msgspec.Struct, frozen=True):
    """What events since a place in the stream have touched, as it stands now: columns of [name, value, ...], packed."""

    event: bytes
    more: bool
    totals: Totals
    columns: tuple[tuple[str, bytes], ...]


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

    async def counted(self) -> dict[int, int]:
        """When stock of each warehouse was last counted here, by its number, in ms since 1970."""
        keys = self._partition.keys
        fields = await self._partition.wire.command("HGETALL", keys.meta, lane=Lane.SALE)
        pairs = fields.items() if isinstance(fields, dict) else zip(fields[::2], fields[1::2], strict=True)
        return {int(name[len(COUNTED) :]): int(at) for name, at in pairs if name.startswith(COUNTED)}

    async def read(self, cells: Sequence[int], *, for_sale: bool = False) -> tuple[bytes, list[CellRow]]:
        """Cells as they stand, those that exist, and the newest event. `for_sale`: orders wait for it."""
        lane = Lane.SALE if for_sale else Lane.READ
        packed = _pack([str(cell) for cell in cells])
        event, *columns, inbound = await self._partition.call("stockade_read_cells", (packed,), lane=lane)
        arrivals = [_arrivals(stored) for stored in unpacked_strings(inbound)]
        rows = zip(cells, *(_unpack_numbers(column) for column in columns), arrivals, strict=True)
        return event, [CellRow(*row) for row in rows if row[2] >= 0]

    async def arrivals(self, cells: Sequence[int]) -> list[tuple[tuple[str, int, int], ...]]:
        """What is announced for cells, as `CellRow.inbound`; orders wait for it. By a command of the store's own."""
        wire, key = self._partition.wire, self._partition.keys.inbound
        return [_arrivals(stored) for stored in await wire.command("HMGET", key, *cells, lane=Lane.SALE)]

    async def pages(self, column: str) -> AsyncIterator[dict[bytes, bytes]]:
        """All names and values of a hash or sorted set of the partition, by its name there, in pages.

        What changes meanwhile may come twice. By the store's own commands: a function would keep the sale waiting for
        several times as long.
        """
        key = getattr(self._partition.keys, column)
        scan, cursor = "ZSCAN" if column in SCORED else "HSCAN", b"0"
        while True:
            cursor, page = await self._partition.wire.command(scan, key, cursor, "COUNT", SCAN_FIELDS)
            if scan == "ZSCAN":
                yield {name: b"%.0f" % score for name, score in page if name}
            else:
                yield page if isinstance(page, dict) else dict(zip(page[::2], page[1::2], strict=True))
            if int(cursor) == 0:
                return

    async def touched(self, after: bytes, events_max: int) -> Touched:
        """What events after `after` have touched, as it stands now, in one cut."""
        event, more, totals, *columns = await self._partition.call(
            "stockade_touched", (after, events_max), lane=Lane.READ
        )
        names = (bytes(name).decode() for name in columns[::2])
        return Touched(
            event=event,
            more=bool(more),
            totals=msgspec.msgpack.decode(totals, type=Totals),
            columns=tuple(zip(names, columns[1::2], strict=True)),
        )

    async def event_numbers(self, after: bytes, events_max: int) -> tuple[bytes, list[int]]:
        """The numbers of events after one, and the last of these; 0 for one that carries none."""
        reply = await self._partition.call("stockade_event_numbers", (after, events_max), lane=Lane.READ)
        return reply[0], _unpack_numbers(reply[1])


def _arrivals(stored: bytes | None) -> tuple[tuple[str, int, int], ...]:
    return msgspec.msgpack.decode(stored, type=tuple[tuple[str, int, int], ...]) if stored else ()
