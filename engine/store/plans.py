"""Calls about plans that move many orders; reallocate.lua tells what is kept of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from engine.store.packed import packed_strings
from engine.store.wire import Lane

if TYPE_CHECKING:
    from engine.store.partition import Partition

_pack = msgspec.msgpack.Encoder().encode

FIELDS_MAX = 200
"""Fields written or deleted in one call."""

BYTES_MAX = 256 * 1024
"""Bytes written in one call, but for a single value that is larger: a millisecond or so of the store's time."""


class Leg(msgspec.Struct, array_like=True):
    """How a way through chunks stands."""

    chunks: int
    done: int = 0
    moved: int = 0
    stopped: int = 0
    left: list[str | int] = []
    """Why, and how many orders, by turns."""

    @property
    def skipped(self) -> dict[str, int]:
        """Orders by why."""
        pairs = zip(self.left[::2], self.left[1::2], strict=True)
        return {str(why): int(orders) for why, orders in pairs}

    @property
    def over(self) -> bool:
        """Whether nothing more is to be done."""
        return bool(self.stopped) or self.done >= self.chunks


class Advance(msgspec.Struct, frozen=True):
    """What became of a chunk: a letter (reallocate.lua lists them), and how its leg stands since."""

    letter: str
    leg: Leg | None


class PlanCalls:
    """The calls of one partition about plans."""

    def __init__(self, partition: Partition) -> None:
        self._partition = partition

    async def read(self, fields: Sequence[str]) -> list[bytes | None]:
        """Values by name, None where there is none."""
        values: list[bytes | None] = []
        for start in range(0, len(fields), FIELDS_MAX):
            some = fields[start : start + FIELDS_MAX]
            values += await self._partition.wire.command("HMGET", self._partition.keys.plans, *some, lane=Lane.READ)
        return values

    async def leg(self, name: str) -> Leg | None:
        """How a leg stands."""
        (packed,) = await self.read([name])
        return None if packed is None else msgspec.msgpack.decode(packed, type=Leg)

    async def keep(
        self, field: str, seen: bytes | None, *, write: Mapping[str, bytes] | None = None, delete: Sequence[str] = ()
    ) -> bool:
        """Write and delete where a field has the value `seen`, None for none; whether it had."""
        flat = [part for name, value in (write or {}).items() for part in (name.encode(), value)]
        reply = await self._partition.call(
            "stockade_keep_plan", (field, seen or b"", packed_strings(flat), _pack(list(delete)))
        )
        return bool(reply)

    async def put(self, values: Mapping[str, bytes]) -> None:
        """Write fields, in calls of a bounded size."""
        some: dict[str, bytes] = {}
        size = 0
        for name, value in values.items():
            if some and (size + len(value) > BYTES_MAX or len(some) >= FIELDS_MAX):
                await self.keep("", None, write=some)
                some, size = {}, 0
            some[name] = value
            size += len(value)
        if some:
            await self.keep("", None, write=some)

    async def drop(self, fields: Sequence[str]) -> None:
        """Delete fields, in calls of a bounded size."""
        for start in range(0, len(fields), FIELDS_MAX):
            await self.keep("", None, delete=fields[start : start + FIELDS_MAX])

    async def advance(
        self,
        leg: str,
        done: int,
        number: int,
        *,
        back: str,
        transition: str,
        reason: str,
        capacities: Mapping[int, int],
    ) -> Advance:
        """Do the chunk of this number, where so many are done; `back`: the leg that undoes it, "" for none.

        `capacities`: orders a day by warehouses' numbers, of those that have a bound.
        """
        days = _pack([part for pair in capacities.items() for part in pair])
        letter, packed = await self._partition.call(
            "stockade_reallocate", (leg, done, number, back, transition, reason, days)
        )
        return Advance(letter.decode(), msgspec.msgpack.decode(packed, type=Leg) if packed else None)
