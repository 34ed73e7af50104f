"""Puts counts and movements to the store: one call where one partition decides alone, else prepare, decide, apply.

Decides nothing itself. functions/moves.lua tells the protocol; what is left half done is settled when its lease ends.
"""

import asyncio
import secrets
from collections import defaultdict
from collections.abc import Awaitable, Iterable, Mapping, Sequence

import structlog
from msgspec import Struct

from engine.errors import StoreError
from engine.store import CountRows, Lease, Levels, MoveReply, MoveRow, Partition, RefusedRow, Store, home_of

LEASE_MS = 10_000
"""How long a partition keeps what it prepared before it asks the home: longer than all calls of one movement take."""

COUNT = "count"

log = structlog.get_logger(__name__)


class Done(Struct, frozen=True):
    """What became of a movement: the letter as `MoveReply` has it, or X (its lease ended before all had prepared)."""

    letter: str
    levels: Sequence[Levels] = ()
    refused: Sequence[RefusedRow] = ()


class _Whole(Struct, frozen=True):
    """A movement with the rows of each partition, and the places that these have in the call."""

    movement_id: str
    fingerprint: bytes
    kind: str
    reason: str
    rows: Mapping[int, Sequence[MoveRow] | CountRows]
    places: Mapping[int, Sequence[int]]


async def put_movement(
    store: Store, movement_id: str, fingerprint: bytes, kind: str, reason: str, rows: Sequence[MoveRow]
) -> Done:
    """Do a movement, every row or none. Raises StoreError: then it may have been done, or be done yet."""
    places = _places(store, [row.cell for row in rows])
    home = store.home(movement_id)
    if list(places) == [home.number]:
        reply = await home.movements.move(movement_id, fingerprint, kind, reason, rows)
        return Done(reply.letter, [reply.levels] if reply.levels else (), reply.refused)
    known = await home.movements.known(movement_id, fingerprint)
    if known:
        return Done(known)
    shares = {number: [rows[place] for place in own] for number, own in places.items()}
    return await _cross(store, _Whole(movement_id, fingerprint, kind, reason, shares, places))


async def put_counts(store: Store, cells: Sequence[int], on_hand: Sequence[int], safety: Sequence[int]) -> Done:
    """Set counts, every row or none. Raises StoreError, StockUnderChange."""
    places = {0: range(len(cells))} if len(store.partitions) == 1 else _places(store, cells)
    if len(places) == 1:
        (number,) = places
        event, free, refused = await store.partitions[number].movements.count(cells, on_hand, safety)
        return Done("N", (), refused) if refused else Done("A", [Levels(event, cells, free)])
    shares = {
        number: CountRows(
            [str(cells[place]) for place in own], [on_hand[place] for place in own], [safety[place] for place in own]
        )
        for number, own in places.items()
    }
    # A count has no id of its own: this one only brings it through, and is forgotten then.
    return await _cross(store, _Whole(f"{COUNT}:{secrets.token_hex(12)}", bytes(16), COUNT, "", shares, places))


async def settle_moves(store: Store, partition: Partition, leases: Sequence[Lease]) -> None:
    """Settle attempts of a partition whose lease ran out: their homes know. Raises StoreError."""
    by_home: dict[int, list[Lease]] = defaultdict(list)
    for lease in leases:
        by_home[lease.home].append(lease)
    for home, asked in by_home.items():
        answers = await store.partitions[home].movements.refuse([(one.order_id, one.attempt) for one in asked])
        for lease, decided in zip(asked, answers, strict=True):
            await (partition.movements.apply if decided else partition.movements.drop)(lease.attempt)


def _places(store: Store, cells: Sequence[int]) -> dict[int, list[int]]:
    places: dict[int, list[int]] = defaultdict(list)
    for place, cell in enumerate(cells):
        places[store.owner(cell).number].append(place)
    return places


async def _cross(store: Store, whole: _Whole) -> Done:
    attempt = f"{store.writer}:{secrets.token_hex(8)}"
    home = store.home(whole.movement_id)
    partitions = [store.partitions[number] for number in whole.rows]
    replies = await _all(_prepare(partition, whole, attempt, len(store.partitions)) for partition in partitions)
    letters = {reply.letter for reply in replies}
    letter = "N" if "N" in letters else "P" if "P" in letters else ""
    if not letter:
        letter = await home.movements.decide(whole.movement_id, whole.fingerprint, attempt)
    if letter != "A":
        prepared = [one for one, reply in zip(partitions, replies, strict=True) if reply.letter == "A"]
        dropped = await _tell(partition.movements.drop(attempt) for partition in prepared)
        return Done(letter, dropped, _refused(whole, replies))
    # The home comes last: it may forget a count only when all others have done it.
    others = [partition for partition in partitions if partition is not home]
    levels = await _tell(partition.movements.apply(attempt) for partition in others)
    forget = whole.movement_id if whole.kind == COUNT and len(levels) == len(others) else ""
    if home in partitions or forget:
        levels += await _tell([home.movements.apply(attempt, forget=forget)])
    return Done(letter, levels)


async def _prepare(partition: Partition, whole: _Whole, attempt: str, partitions: int) -> MoveReply:
    home = home_of(whole.movement_id, partitions)
    rows = whole.rows[partition.number]
    args = (whole.movement_id, home, attempt, whole.kind, whole.reason, rows, LEASE_MS)
    return await partition.movements.prepare(*args)


def _refused(whole: _Whole, replies: Sequence[MoveReply]) -> list[RefusedRow]:
    refused = [
        RefusedRow(own[row.row], row.letter, row.found)
        for own, reply in zip(whole.places.values(), replies, strict=True)
        for row in reply.refused
    ]
    return sorted(refused, key=lambda row: row.row)


async def _all(calls: Iterable[Awaitable[MoveReply]]) -> list[MoveReply]:
    """All replies, when all have come or failed; then raises the first failure."""
    answers = await asyncio.gather(*calls, return_exceptions=True)
    replies: list[MoveReply] = []
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
        replies.append(answer)
    return replies


async def _tell(calls: Iterable[Awaitable[Levels | None]]) -> list[Levels]:
    """Tell partitions what was decided. Those that cannot be told ask when their lease runs out."""
    answers = await asyncio.gather(*calls, return_exceptions=True)
    levels: list[Levels] = []
    for answer in answers:
        if isinstance(answer, StoreError):
            log.warning("a partition will learn later what became of a movement", error=str(answer))
        elif isinstance(answer, BaseException):
            raise answer
        elif answer is not None:
            levels.append(answer)
    return levels
