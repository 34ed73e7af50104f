"""Reads a whole hash or stream entry by entry. Knows replies, not what they mean."""

from collections.abc import AsyncIterator
from typing import Any

from engine.errors import StoreUnavailable
from engine.store.wire import Lane, Wire

SCAN_FIELDS = 10_000
"""Fields wanted of one page of a scan: a few milliseconds of the store's time."""

MOVES_MAX = 10
"""How often a scan begins again since another node has the key now, which makes nothing of the former one's cursor."""

Entry = tuple[bytes, dict[bytes, bytes]]
"""An entry of a stream: its id and its fields."""


async def scan_hash(wire: Wire, key: str, *, lane: Lane = Lane.READ) -> AsyncIterator[list[tuple[bytes, bytes]]]:
    """All fields and values of a hash, in pages; one that changes meanwhile may come twice."""
    cursor: bytes | int = b"0"
    scanned_by, moves = "", 0
    while True:
        (cursor, flat), by = await wire.command_at("HSCAN", key, cursor, "COUNT", SCAN_FIELDS, lane=lane)
        if by != scanned_by and scanned_by:
            cursor, scanned_by, moves = b"0", "", one_more_move(moves)
            continue
        scanned_by = by
        pairs = flat.items() if isinstance(flat, dict) else zip(flat[::2], flat[1::2], strict=True)
        # The one without a name only keeps the key alive.
        page = [pair for pair in pairs if pair[0]]
        if page:
            yield page
        if int(cursor) == 0:
            return


def one_more_move(moves: int) -> int:
    """Counts the moves of a scan. Raises StoreUnavailable after MOVES_MAX."""
    if moves >= MOVES_MAX:
        raise StoreUnavailable("What was read moved from node to node all the time: wait until that is over.")
    return moves + 1


def entries_of(reply: Any) -> list[Entry]:
    """The entries of a reply to XRANGE and its like."""
    entries = []
    for event, fields in reply:
        pairs = fields if isinstance(fields, dict) else dict(zip(fields[::2], fields[1::2], strict=True))
        entries.append((event, pairs))
    return entries
