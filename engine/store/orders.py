"""Calls about orders: committed in batches, changed one by one, read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Literal

import msgspec

from engine.store.packed import packed_array, packed_string
from engine.store.scan import scan_hash
from engine.store.wire import Lane

if TYPE_CHECKING:
    from engine.store.partition import Partition

_pack = msgspec.msgpack.Encoder().encode

Step = Literal["confirm", "cancel", "extend", "ship"]


class CommitReply(msgspec.Struct, frozen=True):
    """What the commit function answered; the planner reads it."""

    now_ms: int
    event: bytes
    outcomes: bytes
    levels: bytes
    records: list[bytes]


class StepReply(msgspec.Struct, frozen=True):
    """What became of a transition: a letter (orders.lua lists them), the record ('' for none), the store's clock."""

    letter: str
    record: bytes
    now_ms: int


class Replacement(msgspec.Struct, frozen=True):
    """An order's new content: fingerprint and body, for the version that it was made from (0: a new order).

    `becomes`: of one that waited for stock, milliseconds of a hold, -1 for confirmed, 0 where it waits on.
    """

    order_id: str
    version: int
    rest: bytes
    becomes: int | None = None


class ReplaceReply(msgspec.Struct, frozen=True):
    """What became of replacements: a letter (replace.lua lists them), the row that it is about, what was found."""

    letter: str
    row: int
    found: bytes
    records: list[bytes]
    now_ms: int


class OrderCalls:
    """The calls of one partition about the orders that are at home in it."""

    def __init__(self, partition: Partition) -> None:
        self._partition = partition

    async def commit(self, args: Sequence[bytes]) -> CommitReply:
        """Reserve a batch; `args` as `Batch.commit_args` gives them."""
        return CommitReply(*await self._partition.call_once("stockade_commit", args))

    async def step(
        self, what: Step, order_id: str, transition: str, *, version: int | None, detail: object
    ) -> StepReply:
        """One transition, named `what:id=digest`. `detail`: for extend milliseconds, for ship [cell, units, ...]."""
        packed = detail if what == "extend" else _pack(detail)
        letter, record, now_ms = await self._partition.call(
            "stockade_transition", (what, order_id, transition, "" if version is None else version, packed)
        )
        return StepReply(letter.decode(), record, now_ms)

    async def replace(
        self,
        transition: str,
        rows: Sequence[Replacement],
        *,
        event: str,
        reason: str,
        limits: dict[str, int],
        attempt: str = "",
        leg: str = "",
    ) -> ReplaceReply:
        """Put other contents in the place of what orders have, all or none. With a `leg`: only while that goes on."""
        packed = packed_array([_packed_row(row) for row in rows])
        flat = [part for pair in limits.items() for part in pair]
        reply = await self._partition.call(
            "stockade_replace", (transition, event, reason, packed, _pack(flat), attempt, leg)
        )
        letter, place, found, records, now_ms = reply
        return ReplaceReply(letter.decode(), place, found, records, now_ms)

    async def read_counter(self, name: str) -> int:
        """Units of a counter."""
        return int(await self._partition.wire.command("HGET", self._partition.keys.counters, name) or 0)

    async def expire(self, orders_max: int) -> int:
        """End holds that ran out; returns how many, `orders_max` at most."""
        return int(await self._partition.call("stockade_expire", (orders_max,)))

    async def read(self, order_ids: Sequence[str], *, for_sale: bool = False) -> list[bytes | None]:
        """The records of orders, None where there is none. `for_sale`: other orders wait for it."""
        lane = Lane.SALE if for_sale else Lane.READ
        return list(await self._partition.wire.command("HMGET", self._partition.keys.orders, *order_ids, lane=lane))

    async def read_counters(self, names: Sequence[str]) -> list[int]:
        """The units of counters, for a quote that others wait for."""
        wire, keys = self._partition.wire, self._partition.keys
        return [int(units or 0) for units in await wire.command("HMGET", keys.counters, *names, lane=Lane.SALE)]

    async def scan(self) -> AsyncIterator[list[tuple[str, bytes]]]:
        """All orders and their records, in pages; one that changes meanwhile may come twice."""
        async for page in scan_hash(self._partition.wire, self._partition.keys.orders):
            yield [(order_id.decode(), record) for order_id, record in page]


def _packed_row(row: Replacement) -> bytes:
    parts = [packed_string(row.order_id.encode()), _pack(row.version), packed_string(row.rest)]
    return packed_array(parts if row.becomes is None else [*parts, _pack(row.becomes)])
