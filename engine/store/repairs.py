"""The call that mends a partition's books, for the audit's repair; repair.lua says what a row is."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from engine.errors import StoreUnavailable
from engine.store.packed import packed_array, packed_string
from engine.store.partition import Partition

_pack = msgspec.msgpack.Encoder().encode

Mended = Literal["free", "counter", "hold", "lease", "part", "total"]


class RepairRow(msgspec.Struct, frozen=True):
    """One value: what it was when it was seen, and what to set. Units, or the bytes of a part."""

    what: Mended
    name: str
    seen: int | bytes
    set: int | bytes


async def repair(partition: Partition, repairs: int, event: bytes, rows: Sequence[RepairRow]) -> list[bool]:
    """Set what is still as it was seen, in one step with one event; returns which rows were set.

    `repairs` as the totals had it when the rows were seen, `event` the newest then. Raises StoreUnavailable where
    somebody repaired since.
    """
    packed = packed_array(
        [
            packed_array([_pack(row.what), packed_string(row.name.encode()), _packed(row.seen), _packed(row.set)])
            for row in rows
        ]
    )
    letters = await partition.call("stockade_repair", (repairs, event, packed))
    if not letters:
        raise StoreUnavailable("Somebody else repaired the books meanwhile: audit them again.")
    return [letter == ord("A") for letter in letters]


def _packed(value: int | bytes) -> bytes:
    return packed_string(value) if isinstance(value, bytes) else _pack(value)
