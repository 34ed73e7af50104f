"""One batch from its plan to its answers: planned, put to the store, settled, each order answered or planned again.

Bounded: an order's plans by the core's ATTEMPTS_MAX, a commit's tries by COMMIT_TRIES_MAX, each by the store's timeout.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from time import perf_counter
from typing import Any

import msgspec

from engine.errors import FieldError, StoreChanged, StoreError, StoreUnsupported
from engine.intake import outcome as oc
from engine.intake.acknowledged import Acknowledged
from engine.intake.arrivals import day_of, read_arrivals
from engine.intake.clock import DAY_MS, StoreClock
from engine.intake.commit import NotPrepared, Reply, Told, commit_batch, tell
from engine.intake.refused import REFUSALS, refused_of
from engine.intake.stages import Stages
from engine.intake.waiting import Taken, Waiting
from engine.planner import Batch, Planner, Record, fingerprint_of
from engine.store import Store, StoreRefused, home_of

COMMIT_TRIES_MAX = 3
"""How often one order is sent to a store that breaks off, before its caller is told."""

UNSEEN = ("limit", "contended")
"""Refusals that may come from another partition than the order's home."""

_Decided = tuple[int, tuple[str, Any]]
"""An order's place in its batch and the core's outcome for it; engine/_core.pyi lists them."""


_Lacking = tuple[list[tuple[int, int]], list[int] | None]
"""What an order lacks, and where to look for it: the payload of "backorder"."""


class _Again(Enum):
    """Why an order is to be planned again."""

    FRESH = "the levels of all its SKUs have come"
    STALE = "the store had less than the view said"
    POSTPONED = "others' levels had to be read first"


class Planned(msgspec.Struct, frozen=True):
    """A batch that was planned, and what was decided about its orders already."""

    taken: Taken
    batch: Batch
    decided: list[_Decided]
    loads: int
    began: float
    """When its plan began, and when it was made, by the clock of `perf_counter`."""
    made: float


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the store said to a batch. `failed`: why it was not put to it, or had no reply."""

    committed: bool = False
    """Whether it was put to the store; a batch whose every preparation was refused has no replies even then."""
    replies: list[Reply] = []
    errors: list[StoreError] = []
    failed: Sequence[StoreError] = ()
    lacking: frozenset[int] = frozenset()
    """Places of orders that are to be planned again with the day on which stock is expected."""
    unread: StoreError | None = None
    """Why nobody knows that day."""

    @property
    def holds_up(self) -> bool:
        """Whether it is settled before another is sent: it was not put to the store, or the store broke off."""
        return bool(self.failed) or any(not isinstance(error, StoreRefused) for error in self.errors)


class Batches:
    """Plans batches and puts them to the store."""

    def __init__(self, planner: Planner, store: Store, *, loads: Callable[[], int], acknowledged: Acknowledged) -> None:
        """As `Intake`."""
        self._planner = planner
        self._store = store
        self._loads = loads
        self._acknowledged = acknowledged
        self._loop = asyncio.get_running_loop()
        self.clock = StoreClock()
        self.replans = 0
        self.batches = 0
        self.stages = Stages()
        self.telling: asyncio.Task[None] | None = None
        """The round in which other partitions are told what was decided."""

    def plan(self, taken: Taken, *, other: Planned | None) -> Planned:
        """Plan a batch; `other` is one that is under way."""
        began = perf_counter()
        loads, partitions, now_ms = self._loads(), len(self._store.partitions), self.clock.now_ms()
        self._planner.keep_calendars(now_ms)
        singles = taken.singles
        batch, decided = self._planner.core.plan(
            [
                (
                    waiting.canonical,
                    home_of(waiting.order_id, partitions),
                    waiting.attempts,
                    waiting.fresh_load == loads,
                )
                for waiting in singles
            ],
            now_ms // DAY_MS,
            now_ms,
            [
                (place, waiting.expected_day)
                for place, waiting in enumerate(singles)
                if waiting.expected_day is not None
            ],
            taken.of_lots,
            None if other is None else other.batch,
        )
        return Planned(taken, batch, decided, loads, began, perf_counter())

    async def ask(self, planned: Planned, beside: Callable[[], Planned | None]) -> Asked:
        """Put a batch to the store, and answer what needs none. `beside` tells which other one is planned by now."""
        taken, batch = planned.taken, planned.batch
        decided = planned.decided
        # Of all that the planner named: one order's cells are left to those before it, whatever became of them.
        cells = [cell for _, (word, payload) in decided if word == "backorder" for cell in payload[1] or ()]
        try:
            decided = await self._with_records(taken, decided)
        except StoreError as error:
            return Asked(failed=[error])
        _answer(taken, [row for row in decided if row[1][0] != "backorder"])
        lacking = {place: payload for place, (word, payload) in decided if word == "backorder"}
        if not lacking:
            return Asked() if batch.empty else await self._commit(batch, beside)
        # Beside the commit: the others need not wait for what these wait for.
        looking = self._loop.create_task(self._expect(taken, lacking, cells))
        try:
            asked = Asked() if batch.empty else await self._commit(batch, beside)
        finally:
            unread = await looking
        return msgspec.structs.replace(asked, lacking=frozenset(lacking), unread=unread)

    async def _commit(self, batch: Batch, beside: Callable[[], Planned | None]) -> Asked:
        def other() -> Batch | None:
            planned = beside()
            return None if planned is None else planned.batch

        made_ms = self.clock.now_ms()
        try:
            replies, errors = await commit_batch(
                self._store, self._planner, batch, self._acknowledged, made_ms=made_ms, other=other
            )
        except StoreError as error:
            return Asked(failed=[error])
        except NotPrepared as error:
            return Asked(failed=error.errors)
        self.clock.hear(replies)
        return Asked(committed=True, replies=replies, errors=errors)

    def abandon(self, planned: Planned) -> None:
        """Forget a batch that was not put to the store."""
        self._planner.core.abandon(planned.batch)

    async def settle(
        self, planned: Planned, asked: Asked, *, other: Planned | None
    ) -> tuple[list[Waiting], str | None]:
        """Settle a batch by what the store said; `other` is one that was planned since.

        Returns those to be planned again, first of all next time, and, when the store broke off, what to tell them if
        it does not come back.
        """
        taken, lacking = planned.taken, asked.lacking
        self.stages.done(len(taken), planned.began, planned.made)
        if asked.failed:
            self.abandon(planned)
            left = [waiting for place, waiting in taken.unanswered() if place not in lacking]
            again, broken = self._after_errors(left, asked.failed)
        elif asked.committed:
            again, broken = await self._settle_replies(planned, asked, None if other is None else other.batch)
        else:
            again, broken = [], None
        taken.look()
        if not lacking:
            return again, broken
        late = [taken[place] for place in sorted(lacking)]
        if asked.unread is None:
            return again + late, broken
        late, unread = self._after_errors(late, [asked.unread])
        return again + late, broken or unread

    async def _settle_replies(
        self, planned: Planned, asked: Asked, other: Batch | None
    ) -> tuple[list[Waiting], str | None]:
        taken, errors = planned.taken, asked.errors
        settled, told = self._planner.core.settle(
            planned.batch, asked.replies, len(taken.singles), taken.of_lots, other
        )
        self.batches += 1
        self._tell(told)
        if len(self._store.partitions) > 1:
            settled, errors = await self._with_unseen_records(taken, settled, errors)
        again = self._again(taken, _answer(taken, settled), planned.loads)
        if not errors:
            return again, None
        places = {place for place, _ in settled}
        unanswered = taken.unanswered()
        left = [row for place, row in unanswered if place not in places and place not in asked.lacking]
        more, broken = self._after_errors(left, errors)
        return again + more, broken

    def _tell(self, told: tuple[Told, Told, Told]) -> None:
        """Tell other partitions what was decided, while the next batch is planned; one such round at a time."""
        if not any(told):
            return
        former = self.telling

        async def run() -> None:
            if former is not None:
                await asyncio.wait([former])
            await tell(self._store, *told)

        self.telling = self._loop.create_task(run())

    def _after_errors(self, left: list[Waiting], errors: Sequence[StoreError]) -> tuple[list[Waiting], str | None]:
        """What becomes of orders whose batch, or whose home, broke off; as `settle` returns it."""
        error = next((error for error in errors if not isinstance(error, StoreRefused)), None)
        if error is None:
            for waiting in left:
                waiting.tell_unavailable(str(errors[0]))
            return [], None
        # The commit may have been done: each order is sent again and the store tells from its record. Or the numbers in
        # this batch are those of another store: then nothing was done, and all is planned anew.
        return self._try_again(left, error), str(error)

    async def _with_records(self, taken: Taken, decided: list[_Decided]) -> list[_Decided]:
        """What was decided, after a look at the records: an order that is held already is no order to refuse.

        The planner knows no orders, so the retry of one that took the last units looks to it like one too many.
        """
        places = [place for place, _ in decided]
        if not places:
            return decided
        records = await self._store.read_orders([taken[place].order_id for place in places], for_sale=True)
        return [
            (place, outcome if record is None else self._of_record(taken[place], record))
            for (place, outcome), record in zip(decided, records, strict=True)
        ]

    async def _expect(self, taken: Taken, lacking: Mapping[int, _Lacking], cells: Sequence[int]) -> StoreError | None:
        """Learn when stock is expected that orders lack which accept to wait, to plan them again; or why it cannot be.

        `lacking` by place; `cells` are those of all of them. Those of which another batch is to look are left alone.
        """
        looked = [(place, missing) for place, (missing, own) in lacking.items() if own is not None]
        try:
            arrivals = await read_arrivals(self._store, cells) if cells else {}
        except StoreError as error:
            return error
        today = self.clock.day()
        for place, missing in looked:
            taken[place].expected_day = day_of(missing, arrivals, today)
        return None

    async def _with_unseen_records(
        self, taken: Taken, settled: list[_Decided], errors: list[StoreError]
    ) -> tuple[list[_Decided], list[StoreError]]:
        """The same for orders that another partition refused, so that their home, which knows them, was never asked.

        Those whose home does not answer are left out, and why is added to the errors.
        """
        refused = [row for row in settled if row[1][0] in UNSEEN]
        if not refused:
            return settled, errors
        others = [row for row in settled if row[1][0] not in UNSEEN]
        try:
            return others + await self._with_records(taken, refused), errors
        except StoreError as error:
            return others, [*errors, error]

    def _of_record(self, waiting: Waiting, record: bytes) -> tuple[str, Any]:
        try:
            if Record(record).fingerprint != fingerprint_of(waiting.canonical):
                return "conflict", None
            return "replayed", self._planner.core.allocation_json(waiting.order_id, record)
        except ValueError as error:
            return "unreadable", str(error)

    def _again(self, taken: Taken, again: list[tuple[int, _Again]], loads: int) -> list[Waiting]:
        self.replans += len(again)
        for place, how in again:
            taken[place].attempts += how is not _Again.POSTPONED
            taken[place].fresh_load = loads if how is _Again.FRESH else None
        return [taken[place] for place, _ in sorted(again)]

    def _try_again(self, taken: Iterable[Waiting], error: StoreError) -> list[Waiting]:
        again = []
        for waiting in taken:
            if waiting.answer.done():
                continue
            waiting.tries += 1
            waiting.unsure |= not isinstance(error, (StoreChanged, StoreUnsupported))
            if waiting.tries < COMMIT_TRIES_MAX:
                again.append(waiting)
            else:
                waiting.tell_unavailable(str(error))
        return again


def _answer(taken: Taken, outcomes: list[_Decided]) -> list[tuple[int, _Again]]:
    """Give callers their outcomes; returns those that are to be planned again, and how."""
    again: list[tuple[int, _Again]] = []
    for place, (word, payload) in outcomes:
        # The commonest first.
        if word == "reserved":
            outcome: oc.Outcome = oc.Reserved(payload, replayed=False)
        elif word == "again":
            again.append((place, _Again.FRESH if payload else _Again.STALE))
            continue
        elif word == "postponed":
            again.append((place, _Again.POSTPONED))
            continue
        else:
            outcome = outcome_of(word, payload)
        answer = taken[place].answer
        # A caller that hung up has cancelled its future; the reservation stands, and its retry will find it.
        if not answer.done():
            answer.set_result(outcome)
    return again


def outcome_of(word: str, payload: Any) -> oc.Outcome:
    """The outcome that the core's tuple stands for; engine/_core.pyi lists them."""
    if word in REFUSALS:
        return refused_of(word, payload)
    match word:
        case "reserved" | "replayed":
            return oc.Reserved(payload, replayed=word == "replayed")
        case "conflict":
            return oc.Conflict()
        case "limit":
            return oc.PurchaseLimit(tuple(oc.ExceededLimit(*row) for row in payload))
        case "invalid":
            return oc.Invalid(tuple(FieldError(*row) for row in payload))
        case "unreadable":
            return oc.Unavailable(f"{payload}. Run an audit.", certain=False, unreadable=True)
        case "contended":
            return oc.Contended()
    raise AssertionError(f"the core knows an outcome that we do not: {word}")
