"""Calls that change what is on hand: counts and movements; movements.lua and moves.lua tell what they promise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from engine.errors import StockUnderChange
from engine.model import limits

if TYPE_CHECKING:
    from engine.store.partition import Partition

_pack = msgspec.msgpack.Encoder().encode
_unpack_numbers = msgspec.msgpack.Decoder(list[int]).decode
_unpack_names = msgspec.msgpack.Decoder(list[str]).decode


class MoveRow(msgspec.Struct, frozen=True, array_like=True):
    """A row of a movement, in numbers."""

    cell: int
    units: int
    other: int = -1
    """Where a transfer goes, or the pool that is allotted to."""
    arrives_ms: int = 0
    reference: str = ""
    expected: int = -1


class CountRows(msgspec.Struct, frozen=True, array_like=True):
    """The rows of a count, in columns; safety -1: as it is."""

    cells: Sequence[str]
    on_hand: Sequence[int]
    safety: Sequence[int]


class RefusedRow(msgspec.Struct, frozen=True):
    """A row that cannot be done: its place in the call, the letter of movements.lua, and what was found."""

    row: int
    letter: str
    found: int


class Levels(msgspec.Struct, frozen=True):
    """What is free in cells since an event."""

    event: bytes
    cells: Sequence[int]
    free: Sequence[int]


class MoveReply(msgspec.Struct, frozen=True):
    """`letter`: A done, R done before, C another has its id, N refused, P a cell is under another's change."""

    letter: str
    levels: Levels | None = None
    refused: tuple[RefusedRow, ...] = ()


class MovementCalls:
    """The calls of one partition that change what is on hand."""

    def __init__(self, partition: Partition) -> None:
        self._partition = partition

    async def set_stock(
        self, cells: Sequence[int], on_hand: Sequence[int], safety: Sequence[int]
    ) -> tuple[bytes, list[int], list[tuple[int, int]]]:
        """Set counts (safety -1: as it is), all or none: (event, levels now free, refused as (row, reserved))."""
        event, levels, refused = await self.count(cells, on_hand, safety)
        return event, levels, [(row.row, row.found) for row in refused]

    async def count(
        self, cells: Sequence[int], on_hand: Sequence[int], safety: Sequence[int]
    ) -> tuple[bytes, list[int], tuple[RefusedRow, ...]]:
        """As `set_stock`, with the letter of each refused row. Raises StockUnderChange."""
        packed = (_pack(list(map(str, cells))), _pack(on_hand), _pack(safety))
        event, levels, reserved, pooled, pending = await self._partition.call("stockade_set_stock", packed)
        if pending:
            raise StockUnderChange
        refused = (*_rows_of("B", reserved), *_rows_of("L", pooled))
        return event, [] if refused else _unpack_numbers(levels), refused

    async def move(
        self, movement_id: str, fingerprint: bytes, kind: str, reason: str, rows: Sequence[MoveRow]
    ) -> MoveReply:
        """A movement whose rows are all of this partition, which is its home."""
        letter, event, cells, levels, refused = await self._partition.call(
            "stockade_move", (movement_id, fingerprint, kind, reason, _pack(rows), *_BOUNDS)
        )
        return MoveReply(letter.decode(), _levels(event, cells, levels), _refused(refused))

    async def prepare(
        self,
        movement_id: str,
        home: int,
        attempt: str,
        kind: str,
        reason: str,
        rows: Sequence[MoveRow] | CountRows,
        lease_ms: int,
    ) -> MoveReply:
        """Weigh this partition's rows, and take what they take for a lease."""
        args = (movement_id, home, attempt, kind, reason, _pack(rows), *_BOUNDS, lease_ms)
        letter, refused = await self._partition.call("stockade_prepare_move", args)
        return MoveReply(letter.decode(), None, _refused(refused))

    async def known(self, movement_id: str, fingerprint: bytes) -> str:
        """What the home knows of a movement: R it was done, C another has its id, or nothing."""
        reply: bytes = await self._partition.call("stockade_known_move", (movement_id, fingerprint))
        return reply.decode()

    async def decide(self, movement_id: str, fingerprint: bytes, attempt: str) -> str:
        """Decide at the home for an attempt: A, or as `known`, or X it was refused."""
        reply: bytes = await self._partition.call("stockade_decide_move", (movement_id, fingerprint, attempt))
        return reply.decode()

    async def apply(self, attempt: str, *, forget: str = "") -> Levels | None:
        """Do the rest of an attempt that was decided for; `forget` a movement that nobody can ask for again."""
        return _levels(*await self._partition.call("stockade_apply_move", (attempt, forget)))

    async def drop(self, attempt: str) -> Levels | None:
        """Give back what an attempt took that was not decided for."""
        return _levels(*await self._partition.call("stockade_drop_move", (attempt,)))

    async def refuse(self, rows: Sequence[tuple[str, str]]) -> list[bool]:
        """Whether the home decided for attempts (movement id, attempt); from here on it cannot."""
        flat = [part for row in rows for part in row]
        return [bool(answer) for answer in await self._partition.call("stockade_refuse_moves", (_pack(flat),))]


_BOUNDS = (limits.ON_HAND_MAX, limits.ARRIVALS_MAX)


def _levels(event: bytes, cells: bytes, levels: bytes) -> Levels | None:
    if not event:
        return None
    return Levels(event, list(map(int, _unpack_names(cells))), _unpack_numbers(levels))


def _refused(packed: bytes) -> tuple[RefusedRow, ...]:
    flat = msgspec.msgpack.decode(packed) if packed else []
    return tuple(RefusedRow(*row) for row in zip(flat[::3], flat[1::3], flat[2::3], strict=True))


def _rows_of(letter: str, packed: bytes) -> Iterator[RefusedRow]:
    flat = _unpack_numbers(packed) if packed else []
    return (RefusedRow(row, letter, found) for row, found in zip(flat[::2], flat[1::2], strict=True))
