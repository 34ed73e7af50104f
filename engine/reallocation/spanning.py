"""Moves of orders that hold, or are to hold, stock of several partitions: one by one, as amendments go.

The other partitions take what a move needs of them for an attempt, the home decides, the others follow. The chunks
are kept in the first partition, with what each order was before; the leg's place is moved on behind each of them. A
chunk that was cut short is done again: each order's record tells what was done to it.
"""

import asyncio
import itertools
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec
from msgspec import Struct

from engine.errors import StoreError
from engine.intake import follow_orders
from engine.intake.commit import LEASE_MS
from engine.planner import Planner, Record, capacity_warehouse, is_capacity, take_units
from engine.reallocation.applying import PAUSE_S_MIN, OnChunk
from engine.reallocation.days import Days
from engine.store import (
    Leg,
    Replacement,
    Store,
    attempt_args,
    home_of,
    partition_of_cell,
    partition_of_counter,
)

SPANNING_ORDERS = 20
"""Orders of a chunk, which are done again where it was cut short."""

HEAD_BYTES = 22
"""Of a record, before its fingerprint; record.rs says the same."""

WAITS_AGAIN = -2
"""What an order that was filled becomes on the way back, as replace.lua has it."""

_WHY = {
    "N": "gone",
    "D": "version",
    "V": "version",
    "F": "state",
    "S": "stock",
    "L": "purchase_limit",
    "X": "stock",
    "H": "stopped",
}
"""By the letters of replace.lua."""

STOPPED = "stopped"
"""A move that was not made as its run was cancelled meanwhile; its chunk is cut short."""


class Apart(Struct, array_like=True):
    """A move of one order. Both rests are fingerprint and body of its record."""

    order_id: str
    version: int
    after: bytes
    before: bytes
    becomes: int | None
    limits: list[tuple[str, int]]
    """Of what its customer may buy; those of warehouses' days are told when it is made."""

    def undone(self) -> "Apart":
        """What takes it back."""
        becomes = None if self.becomes is None else WAITS_AGAIN
        return Apart(self.order_id, self.version + 1, self.before, self.after, becomes, self.limits)


class _Needs(Struct):
    """What a move needs of one partition beyond what its order holds there."""

    cells: list[tuple[int, int]] = []
    counters: list[tuple[str, int, int]] = []


def pack_chunks(moves: Sequence[Apart]) -> list[bytes]:
    """Chunks as they are kept."""
    return [
        msgspec.msgpack.encode(moves[start : start + SPANNING_ORDERS])
        for start in range(0, len(moves), SPANNING_ORDERS)
    ]


class Spanning:
    """Does such chunks on one store."""

    def __init__(
        self,
        store: Store,
        planner: Planner,
        days: Days,
        *,
        exclusive: asyncio.Lock,
        recover: Callable[[], Awaitable[bool]],
    ) -> None:
        """`exclusive` and `recover` as the intake has them: preparations count, as commits do, and go one at a time."""
        self._store = store
        self._recover = recover
        self._planner = planner
        self._days = days
        self._exclusive = exclusive
        self._attempts = itertools.count(1)

    async def go(
        self,
        name: str,
        chunks_of: str,
        *,
        forth: str,
        transition: str,
        reason: str,
        only_with: str,
        on_chunk: OnChunk | None,
    ) -> None:
        """Do all that is left of a leg, with the chunks of `chunks_of`: its own or, on the way back, the other's.

        Then only what that one's transition, `forth`, has done is taken back. `only_with`: a leg that each home has,
        too, and without which, or once it is stopped, the home moves nothing ("": it always does). Raises StoreError.
        """
        plans, is_back = self._store.partitions[0].plans, name != chunks_of
        while True:
            (seen,) = await plans.read([name])
            leg = None if seen is None else msgspec.msgpack.decode(seen, type=Leg)
            if leg is None or leg.over:
                return
            number = leg.chunks - 1 - leg.done if is_back else leg.done
            (packed,) = await plans.read([f"{chunks_of}:{number}"])
            moves = [] if packed is None else msgspec.msgpack.decode(packed, type=list[Apart])
            moved, left = 0, list[str]()
            for move in reversed(moves) if is_back else moves:
                if await self._is_stopped(name):
                    break
                made = move.undone() if is_back else move
                why = await self._do(made, forth, transition, reason, only_with)
                if why == STOPPED:
                    break
                moved += why == ""
                left += [move.order_id, why] if why else []
            await follow_orders(self._store, [move.order_id for move in moves])
            await self._note(name, leg, number, moved, left)
            if on_chunk is not None:
                await on_chunk()
            await asyncio.sleep(PAUSE_S_MIN)

    async def _is_stopped(self, name: str) -> bool:
        leg = await self._store.partitions[0].plans.leg(name)
        return leg is None or bool(leg.stopped)

    async def _note(self, name: str, leg: Leg, number: int, moved: int, left: list[str]) -> None:
        """Move a leg on behind a chunk: unless somebody else was quicker, and has done and counted the very same."""
        plans, done = self._store.partitions[0].plans, leg.done
        write = {f"{name}:{number}:left": msgspec.msgpack.encode(left)} if left else {}
        while True:
            (seen,) = await plans.read([name])
            now = None if seen is None else msgspec.msgpack.decode(seen, type=Leg)
            if now is None or now.done != done:
                return
            # One that was stopped meanwhile stays so; but what was done of it is to be known.
            write[name] = msgspec.msgpack.encode(_moved_on(now, moved, left[1::2]))
            if await plans.keep(name, seen, write=write):
                return

    async def _do(self, move: Apart, forth: str, transition: str, reason: str, only_with: str) -> str | None:
        """Make a move. "" when it is made, None when there is nothing to be taken back, else why it is not made."""
        home = self._store.home(move.order_id)
        (stored,) = await home.orders.read([move.order_id])
        if stored is None:
            return "gone"
        now = Record(stored)
        if transition in now.transitions:
            return ""
        if forth != transition and forth not in now.transitions:
            return None
        if now.version != move.version:
            return "version"
        limits = await self._limits(move)
        needs = self._needs(move, now, limits)
        attempt = f"@{self._store.writer}-r{next(self._attempts)}" if needs else ""
        if needs and (why := await self._prepare(attempt, move.order_id, needs)) is not None:
            return why
        reply = await home.orders.replace(
            transition,
            [Replacement(move.order_id, move.version, move.after, move.becomes)],
            event="amend",
            reason=reason,
            limits=limits,
            attempt=attempt,
            leg=only_with,
        )
        if reply.letter == "A":
            return ""
        await self._give_back(attempt, needs)
        if reply.letter == "S" and is_capacity(reply.found.decode()):
            return "capacity"
        return "" if reply.letter == "R" else _WHY.get(reply.letter, "version")

    async def _limits(self, move: Apart) -> dict[str, int]:
        """What bounds the counters that an order is to have."""
        limits, capacities = dict(move.limits), await self._days.capacities()
        for name, _ in _after(move).counters:
            if is_capacity(name) and (orders := capacities.get(capacity_warehouse(name))) is not None:
                limits[name] = orders
        return limits

    def _needs(self, move: Apart, now: Record, limits: Mapping[str, int]) -> dict[int, _Needs]:
        """What other partitions must hold for an attempt."""
        count = len(self._store.partitions)
        cells, counters = Counter[int](), Counter[str]()
        for sign, record in ((1, _after(move)), (-1, now)):
            for cell, units in record.held:
                cells[cell] += sign * units
            for name, units in record.counters:
                counters[name] += sign * units
        needs: dict[int, _Needs] = defaultdict(_Needs)
        for cell, units in cells.items():
            if units > 0:
                needs[partition_of_cell(cell, count)].cells.append((cell, units))
        for name, units in counters.items():
            if units > 0 and name in limits:
                needs[partition_of_counter(name, count)].counters.append((name, units, limits[name]))
        needs.pop(home_of(move.order_id, count), None)
        return dict(needs)

    async def _prepare(self, attempt: str, order_id: str, needs: Mapping[int, _Needs]) -> str | None:
        """Have the others hold what a move needs; else what they hold is given back, and why one does not told."""
        home = self._store.home(order_id).number
        partitions = self._store.partitions
        async with self._exclusive:
            answers = await asyncio.gather(
                *(
                    partitions[number].crossing.prepare(
                        attempt_args(attempt, order_id, home, need.cells, need.counters), LEASE_MS
                    )
                    for number, need in needs.items()
                ),
                return_exceptions=True,
            )
            for need, answer in zip(needs.values(), answers, strict=True):
                if not isinstance(answer, BaseException) and answer.outcomes in (b"", b"A"):
                    # The event of our own preparation will not be applied.
                    take_units(self._planner.core, need.cells)
        for answer in answers:
            if isinstance(answer, BaseException):
                # Whatever was prepared is given back when its lease has run out. This process may have to open the
                # store again before it can commit on.
                if isinstance(answer, StoreError):
                    await self._recover()
                raise answer
        for (number, need), answer in zip(needs.items(), answers, strict=True):
            if not isinstance(answer, BaseException) and answer.outcomes not in (b"", b"A"):
                await self._give_back(attempt, needs)
                return await self._why(number, need, answer.outcomes)
        return None

    async def _why(self, partition: int, need: _Needs, outcome: bytes) -> str:
        """Why a partition does not hold what is needed of it: S is of a cell, or of a warehouse's day."""
        if outcome == b"L":
            return "purchase_limit"
        days = [counter for counter in need.counters if is_capacity(counter[0])]
        if not days:
            return "stock"
        counted = await self._store.partitions[partition].orders.read_counters([name for name, _, _ in days])
        full = any(before + orders > limit for (_, orders, limit), before in zip(days, counted, strict=True))
        return "capacity" if full or not need.cells else "stock"

    async def _give_back(self, attempt: str, needs: Mapping[int, _Needs]) -> None:
        await asyncio.gather(*(self._store.partitions[number].crossing.follow([attempt], []) for number in needs))


def _after(move: Apart) -> Record:
    """What an order is to be, as if it held stock whatever its status: what it is to hold."""
    return Record(_head(move.becomes == WAITS_AGAIN) + move.after)


def _head(waits: bool) -> bytes:
    """Of a record that holds stock, or waits for it: format, status, version, times."""
    return bytes((2, 7 if waits else 2)) + bytes(HEAD_BYTES - 2)


def _moved_on(leg: Leg, moved: int, whys: Sequence[str]) -> Leg:
    tally = Counter(leg.skipped)
    tally.update(whys)
    flat = [part for pair in sorted(tally.items()) for part in pair]
    return Leg(leg.chunks, leg.done + 1, leg.moved + moved, leg.stopped, flat)
