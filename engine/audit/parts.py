"""Partitions against each other: what each holds of orders at home elsewhere, against the records there.

Two partitions cannot be read at one instant, and orders go on. What differs as it was read is therefore only suspect:
it is read again, the list of those to follow before the record and the record before the part, until it agrees, is on
that list, or was found twice with nothing changed in between.
"""

import asyncio
from collections import defaultdict

from msgspec import Struct

from engine.audit.finding import Finding
from engine.audit.read import PartitionBooks
from engine.audit.report import Difference
from engine.planner import Books, part_against, part_of
from engine.store import Partition, Store, home_of
from engine.store.repairs import RepairRow

SUSPECTS_MAX = 100_000
"""Parts that are read again; what is beyond comes to light when these are mended."""

ROUNDS_MAX = 20
PAUSE_S = 0.05
ROWS_MAX = 500
"""Orders read in one call."""


class _Pair(Struct, frozen=True):
    """A part and the record that it should follow, as read one after the other."""

    follows: bool
    """Whether the home has the order on its list of those to follow."""
    record: bytes | None
    part: bytes | None


async def compare_parts(store: Store, books: list[PartitionBooks]) -> tuple[list[Finding], int]:
    """Parts that differ from their records, and how many orders are still being followed."""
    if len(books) == 1:
        return [], 0
    suspects = [(raw.decode(), at) for raw, at in Books.suspects([one.core for one in books], SUSPECTS_MAX)]
    found: list[Finding] = []
    seen: dict[tuple[str, int], _Pair] = {}
    following: set[str] = set()
    for _ in range(ROUNDS_MAX):
        pairs = await _read(store, suspects)
        suspects = []
        for (order_id, at), pair in pairs.items():
            difference = _difference(order_id, at, pair, len(books))
            if difference is None:
                continue
            if pair.follows:
                following.add(order_id)
            elif seen.get((order_id, at)) == pair:
                found.append(Finding(difference, _mend(order_id, at, pair, len(books))))
            else:
                suspects.append((order_id, at))
        if not suspects:
            break
        seen = pairs
        await asyncio.sleep(PAUSE_S)
    # Whoever changed in every single round is being followed.
    return found, len(following | {order_id for order_id, _ in suspects})


def _difference(order_id: str, at: int, pair: _Pair, partitions: int) -> Difference | None:
    where = f"order {order_id} in partition {at}"
    try:
        row = part_against(pair.record, pair.part, at, partitions)
    except ValueError:
        # Named already, with the books of the partition that has it.
        return None
    if row is None:
        return None
    expected, found, detail = row
    return Difference(kind="part", where=where, partition=at, expected=expected, found=found, detail=detail)


def _mend(order_id: str, at: int, pair: _Pair, partitions: int) -> RepairRow | None:
    if pair.record is None:
        return None
    return RepairRow("part", order_id, pair.part or b"", part_of(pair.record, at, partitions))


async def _read(store: Store, suspects: list[tuple[str, int]]) -> dict[tuple[str, int], _Pair]:
    partitions = len(store.partitions)
    by_homes: dict[tuple[int, int], list[str]] = defaultdict(list)
    for order_id, at in suspects:
        by_homes[home_of(order_id, partitions), at].append(order_id)
    read: dict[tuple[str, int], _Pair] = {}
    for (home, at), ids in by_homes.items():
        for start in range(0, len(ids), ROWS_MAX):
            page = ids[start : start + ROWS_MAX]
            pairs = await _read_page(store.partitions[home], store.partitions[at], page)
            read.update(((order_id, at), pair) for order_id, pair in zip(page, pairs, strict=True))
    return read


async def _read_page(home: Partition, other: Partition, ids: list[str]) -> list[_Pair]:
    scores = await home.wire.command("ZMSCORE", home.keys.outbox, *ids)
    records = await home.orders.read(ids)
    parts = await other.wire.command("HMGET", other.keys.parts, *ids)
    return [_Pair(score is not None, *pair) for score, *pair in zip(scores, records, parts, strict=True)]
