"""Calls that change what is on hand: counts and movements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from engine.store.partition import Partition

_pack = msgspec.msgpack.Encoder().encode
_unpack_numbers = msgspec.msgpack.Decoder(list[int]).decode


class MovementCalls:
    """The calls of one partition that change what is on hand."""

    def __init__(self, partition: Partition) -> None:
        self._partition = partition

    async def set_stock(
        self, cells: Sequence[int], on_hand: Sequence[int], safety: Sequence[int]
    ) -> tuple[bytes, list[int], list[tuple[int, int]]]:
        """Set counts (safety -1: as it is), all or none: (event, levels now free, refused as (row, reserved))."""
        packed = (_pack([str(cell) for cell in cells]), _pack(list(on_hand)), _pack(list(safety)))
        event, levels, refused = await self._partition.call("stockade_set_stock", packed)
        if refused:
            flat = _unpack_numbers(refused)
            return event, [], list(zip(flat[::2], flat[1::2], strict=True))
        return event, _unpack_numbers(levels), []
