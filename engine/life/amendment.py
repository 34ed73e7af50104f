"""Plans an order that holds stock anew, and puts the plan in the place of the old one. Tries once only."""

import asyncio
import itertools
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from engine.errors import FieldError, StoreError
from engine.intake import (
    REFUSALS,
    ExceededLimit,
    Invalid,
    PurchaseLimit,
    expected_day,
    read_capacities,
    refused_of,
)
from engine.intake.clock import StoreClock
from engine.intake.commit import LEASE_MS
from engine.life.change import Change
from engine.life.held_lines import with_lines
from engine.model import Line, Order
from engine.planner import Planner, Record, amend_order, is_capacity, take_units
from engine.store import (
    CommitReply,
    Replacement,
    ReplaceReply,
    Store,
    attempt_args,
    home_of,
    partition_of_cell,
    partition_of_counter,
)

Cells = list[tuple[int, int]]
Counters = list[tuple[str, int, int]]
"""Names, units and limits."""

_SHORT = ReplaceReply("S", 0, b"", [], 0)


class _Needs(msgspec.Struct):
    """What an order needs of one partition beyond what it holds there."""

    cells: Cells
    counters: Counters


class Amender:
    """Amends orders of one store."""

    def __init__(
        self,
        store: Store,
        planner: Planner,
        *,
        exclusive: asyncio.Lock,
        recover: Callable[[], Awaitable[bool]],
        clock: StoreClock,
    ) -> None:
        """`exclusive` and `recover` as the intake has them: no batch may be under way while the view is used here.

        `clock` is the store's.
        """
        self._store = store
        self._planner = planner
        self._exclusive = exclusive
        self._recover = recover
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()
        self._attempts = itertools.count(1)

    async def amend(
        self, order_id: str, stored: bytes, record: Record, lines: Sequence[Line], transition: str
    ) -> ReplaceReply | Change:
        """Give an order these lines; `stored` is its record. Returns what the home said, or why it was not asked.

        Raises StoreError.
        """
        store = self._store
        canonical = with_lines(record.canonical, order_id, lines)
        attempt = ""
        # Each keeps orders waiting for two round trips.
        async with self._one_at_a_time:
            async with self._exclusive:
                await self._read_levels(canonical)
                if self._planner.capped_warehouses():
                    await read_capacities(store, self._planner, self._clock.day())
                word, payload = amend_order(self._planner.core, stored, canonical)
                if word == "backorder":
                    expected = await expected_day(store, *payload, today=self._clock.day())
                    word, payload = amend_order(self._planner.core, stored, canonical, expected)
                if word != "amended":
                    return _outcome(word, payload)
                rest, cells, counters, limits, becomes = payload
                needs = self._elsewhere(order_id, cells, counters)
                if needs:
                    attempt = f"@{store.writer}-a{next(self._attempts)}"
                    replies, errors = await self._prepare(attempt, order_id, needs)
            if needs:
                if errors:
                    # Whatever was prepared is given back when its lease has run out. This process may have to open the
                    # store again before it can commit on.
                    await self._recover()
                    raise errors[0]
                if any(b"S" in reply.outcomes or b"L" in reply.outcomes for reply in replies.values()):
                    await self._give_back(attempt, replies)
                    return self._limit(lines, needs, replies) or _SHORT
        reply = await store.home(order_id).orders.replace(
            transition,
            [Replacement(order_id, record.version, rest, becomes)],
            event="amend",
            reason="",
            limits=dict(limits),
            attempt=attempt,
        )
        if reply.letter != "A" and attempt:
            await self._give_back(attempt, replies)
        if reply.letter == "L" and is_capacity(reply.found.decode()):
            # Others filled a warehouse since it was looked at.
            return _SHORT
        if reply.letter == "L":
            return await self._home_limit(order_id, record, lines, reply.found.decode(), dict(limits))
        return reply

    async def _read_levels(self, canonical: bytes) -> None:
        """Have the view know what the store has of an order's SKUs: before a no it must be looked at anyway."""
        order = msgspec.msgpack.decode(canonical, type=Order)
        for partition, cells in self._store.by_owner(self._planner.cells_of(order)).items():
            event, rows = await partition.cells.read(cells, for_sale=True)
            self._planner.set_levels([(row.cell, row.free) for row in rows], event)
        now_ms, day = self._clock.now_ms(), self._clock.day()
        self._planner.keep_calendars(now_ms)
        # The planner goes on to a day and an instant with a plan, even of nothing.
        self._planner.core.plan([], day, now_ms)
        await read_capacities(self._store, self._planner, day)

    def _elsewhere(self, order_id: str, cells: Cells, counters: Counters) -> dict[int, _Needs]:
        """What must be held for an attempt, by partition; the home takes its own when it decides."""
        count = len(self._store.partitions)
        needs: dict[int, _Needs] = defaultdict(lambda: _Needs([], []))
        for cell, units in cells:
            needs[partition_of_cell(cell, count)].cells.append((cell, units))
        for name, units, limit in counters:
            needs[partition_of_counter(name, count)].counters.append((name, units, limit))
        needs.pop(home_of(order_id, count), None)
        return dict(needs)

    async def _prepare(
        self, attempt: str, order_id: str, needs: dict[int, _Needs]
    ) -> tuple[dict[int, CommitReply], list[StoreError]]:
        partitions, home = self._store.partitions, self._store.home(order_id).number
        answers = await asyncio.gather(
            *(
                partitions[number].crossing.prepare(
                    attempt_args(attempt, order_id, home, need.cells, need.counters), LEASE_MS
                )
                for number, need in needs.items()
            ),
            return_exceptions=True,
        )
        replies: dict[int, CommitReply] = {}
        errors: list[StoreError] = []
        for (number, need), answer in zip(needs.items(), answers, strict=True):
            if isinstance(answer, StoreError):
                errors.append(answer)
            elif isinstance(answer, BaseException):
                raise answer
            else:
                replies[number] = answer
                if answer.outcomes in (b"", b"A"):
                    # The event of our own preparation will not be applied.
                    take_units(self._planner.core, need.cells)
        return replies, errors

    async def _give_back(self, attempt: str, replies: dict[int, CommitReply]) -> None:
        await asyncio.gather(*(self._store.partitions[number].crossing.follow([attempt], []) for number in replies))

    def _limit(
        self, lines: Sequence[Line], needs: dict[int, _Needs], replies: dict[int, CommitReply]
    ) -> PurchaseLimit | None:
        """The limits that other partitions refused by; None when it was but stock, or a warehouse's capacity."""
        exceeded = []
        for number, reply in replies.items():
            if b"L" in reply.outcomes:
                need, left = needs[number], msgspec.msgpack.decode(reply.levels, type=list[int])
                for (name, units, limit), remaining in zip(need.counters, left[len(need.cells) :], strict=True):
                    if remaining < units and not is_capacity(name):
                        sku, requested = self._wanted(lines, name)
                        exceeded.append(ExceededLimit(sku, requested, limit, max(0, requested - units + remaining)))
        return PurchaseLimit(tuple(exceeded)) if exceeded else None

    async def _home_limit(
        self, order_id: str, record: Record, lines: Sequence[Line], name: str, limits: dict[str, int]
    ) -> PurchaseLimit:
        taken = await self._store.home(order_id).orders.read_counter(name) - dict(record.counters).get(name, 0)
        sku, requested = self._wanted(lines, name)
        return PurchaseLimit((ExceededLimit(sku, requested, limits[name], max(0, limits[name] - taken)),))

    def _wanted(self, lines: Sequence[Line], counter: str) -> tuple[str, int]:
        """The SKU that a counter bounds, and what lines want of it."""
        number = int(counter.partition(":")[0])
        of_sku = [line for line in lines if self._planner.core.sku_number(line.sku) == number]
        return of_sku[0].sku, sum(line.quantity for line in of_sku)


def _outcome(word: str, payload: Any) -> Change:
    if word in REFUSALS:
        return refused_of(word, payload)
    match word:
        case "limit":
            return PurchaseLimit(tuple(ExceededLimit(*row) for row in payload))
        case "invalid":
            return Invalid(tuple(FieldError(*row) for row in payload))
    raise AssertionError(f"the core knows an outcome that we do not: {word}")
