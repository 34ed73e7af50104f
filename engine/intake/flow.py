"""The intake flow: gathers orders, plans them together, commits them in one call, answers each caller.

No timer: while one batch is with the store the next one gathers, and goes as soon as the reply is settled. A caller
that is alone waits for nobody. Bounded: the queue by `queue_orders_max`, a batch by `batch_orders_max`, an order's
plans by the core's ATTEMPTS_MAX, a commit's tries by COMMIT_TRIES_MAX, each try by the store's timeout.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from enum import Enum
from typing import Any

import structlog

from engine.errors import EngineClosed, FieldError, StoreChanged, StoreError, StoreUnsupported
from engine.intake import outcome as oc
from engine.intake.acknowledged import Acknowledged
from engine.intake.arrivals import day_of, read_arrivals
from engine.intake.clock import DAY_MS, StoreClock
from engine.intake.commit import NotPrepared, Told, commit_batch, tell
from engine.model import Order, Shortage
from engine.planner import Batch, Planner, Record, canonical_bytes, fingerprint_of
from engine.store import Store, StoreRefused, home_of

COMMIT_TRIES_MAX = 3
"""How often one order is sent to a store that breaks off, before its caller is told."""

OVERLOAD_RETRY_S = 1
CANCEL_POLL_S = 0.2

BATCH_BYTES_MAX = 128 * 1024
"""Canonical bytes of one batch: 500 orders of two lines fit, but few of a hundred lines, which take longer to plan."""

UNSEEN = ("limit", "contended")
"""Refusals that may come from another partition than the order's home."""

log = structlog.get_logger(__name__)

_Decided = tuple[int, tuple[str, Any]]
"""An order's place in its batch and the core's outcome for it; engine/_core.pyi lists them."""


_Lacking = tuple[list[tuple[int, int]], list[int] | None]
"""What an order lacks, and where to look for it: the payload of "backorder"."""


class _Again(Enum):
    """Why an order is to be planned again."""

    FRESH = "the levels of all its SKUs have come"
    STALE = "the store had less than the view said"
    POSTPONED = "others' levels had to be read first"


class _Waiting:
    """An order whose caller waits."""

    __slots__ = ("answer", "attempts", "canonical", "expected_day", "fresh_load", "order_id", "tries", "unsure")

    def __init__(self, order_id: str, canonical: bytes, answer: asyncio.Future[oc.Outcome]) -> None:
        self.order_id = order_id
        self.canonical = canonical
        self.answer = answer
        self.attempts = 0
        self.fresh_load: int | None = None
        """The load of the planner since which the levels of all its SKUs were read, if they were."""
        self.expected_day: int | None = None
        """The day by which stock is expected that it waits for: 0 where nobody knows, None before anybody looked."""
        self.tries = 0
        self.unsure = False
        """Whether a try broke off that may have been done."""

    def tell_unavailable(self, detail: str) -> None:
        """Answer that the store cannot be had, and whether that is all there is to it."""
        if not self.answer.done():
            self.answer.set_result(oc.Unavailable(detail, certain=not self.unsure))


class Intake:
    """Takes orders one by one and reserves them in batches. One batch is with the store at a time."""

    def __init__(
        self,
        planner: Planner,
        store: Store,
        *,
        queue_orders_max: int,
        batch_orders_max: int,
        recover: Callable[[], Awaitable[bool]],
        recovering: Callable[[], bool],
        loads: Callable[[], int],
        acknowledged: Acknowledged,
    ) -> None:
        """`recover` is called, with `exclusive` free, when the store broke off; it says whether the store is back.

        `loads` counts how often the planner was loaded: levels that were read before the last time are no proof.
        `acknowledged` is told of every commit.
        """
        self._planner = planner
        self._store = store
        self._queue: deque[_Waiting] = deque()
        self._queue_orders_max = queue_orders_max
        self._batch_orders_max = batch_orders_max
        self._recover = recover
        self._recovering = recovering
        self._loads = loads
        self._acknowledged = acknowledged
        self._loop = asyncio.get_running_loop()
        self._worker: asyncio.Task[None] | None = None
        self._closed = False
        self.exclusive = asyncio.Lock()
        """Held while a batch is under way: whoever sets levels of the view takes it, so that no take is overwritten."""
        self.unreachable: str | None = None
        """Why the store cannot be had, while it cannot: then orders are refused at once."""
        self.failed = False
        """Whether a bug or a panic stopped the intake."""
        self.clock = StoreClock()
        self.replans = 0
        self.batches = 0
        self._telling: asyncio.Task[None] | None = None

    @property
    def queued(self) -> int:
        """Orders that wait for the next batch."""
        return len(self._queue)

    def submit(self, order: Order) -> asyncio.Future[oc.Outcome]:
        """Reserve an order. The future always gets an outcome, or EngineClosed; cancelling it cancels nothing else."""
        answer: asyncio.Future[oc.Outcome] = self._loop.create_future()
        if self._closed:
            reason = (
                "the service failed and takes no orders: restart it" if self.failed else "the service is shutting down"
            )
            answer.set_exception(EngineClosed(reason))
        elif self.unreachable is not None:
            answer.set_result(oc.Unavailable(self.unreachable, certain=True))
        elif len(self._queue) >= self._queue_orders_max:
            answer.set_result(oc.Overloaded(OVERLOAD_RETRY_S))
        else:
            self._queue.append(_Waiting(order.order_id, canonical_bytes(order), answer))
            if self._worker is None:
                self._worker = self._loop.create_task(self._work())
        return answer

    async def close(self, *, drain_s: float) -> None:
        """Take no more orders, and return when all that were taken have their answers, within `drain_s` at most.

        Whoever has none by then gets EngineClosed.
        """
        self._closed = True
        if self._worker is not None:
            _, late = await asyncio.wait([self._worker], timeout=drain_s)
            for worker in late:
                log.error("orders were still waiting when the service stopped", queued=self.queued)
                await end_task(worker)
        if self._telling is not None:
            _, late = await asyncio.wait([self._telling], timeout=drain_s)
            for telling in late:
                await end_task(telling)

    def fail(self) -> None:
        """Take no more orders: something that they rely on is broken beyond a recovery."""
        self.failed |= not self._closed
        self._closed = True

    async def _work(self) -> None:
        taken: list[_Waiting] = []
        try:
            while self._queue:
                # What is loaded may be of another store: plan nothing by it.
                if self._recovering() and not await self._recover():
                    self._give_up(self.unreachable or "The store is out of reach.")
                    continue
                taken = self._take()
                async with self.exclusive:
                    again, broken = await self._run(taken)
                taken = []
                self._queue.extendleft(reversed(again))
                if broken is not None and not await self._recover():
                    self._give_up(self.unreachable or broken)
        except BaseException as error:
            # A bug, or a panic of the core: whoever waits must hear of it, and nothing more may be promised.
            self.fail()
            if self.failed:
                log.exception("the intake stopped")
            for waiting in [*taken, *self._queue]:
                if not waiting.answer.done():
                    waiting.answer.set_exception(EngineClosed(f"the intake stopped: {error!r}"))
            self._queue.clear()
            raise
        finally:
            self._worker = None

    def _give_up(self, detail: str) -> None:
        """Tell all who wait that the store does not come back: they waited as long as it was given."""
        for waiting in self._queue:
            waiting.tell_unavailable(detail)
        self._queue.clear()

    def _take(self) -> list[_Waiting]:
        """The next batch. A twin of an order in it stays behind: the store will tell it from the first one's record."""
        taken: list[_Waiting] = []
        ids: set[str] = set()
        twins: list[_Waiting] = []
        size = 0
        while self._queue and len(taken) < self._batch_orders_max and size < BATCH_BYTES_MAX:
            waiting = self._queue.popleft()
            if waiting.order_id in ids:
                twins.append(waiting)
            else:
                ids.add(waiting.order_id)
                taken.append(waiting)
                size += len(waiting.canonical)
        self._queue.extendleft(reversed(twins))
        return taken

    async def _run(self, taken: list[_Waiting]) -> tuple[list[_Waiting], str | None]:
        """Plan, commit and settle one batch.

        Returns those to be planned again, first of all next time, and, when the store broke off, what to tell them if
        it does not come back.
        """
        core, loads = self._planner.core, self._loads()
        partitions, now_ms = len(self._store.partitions), self.clock.now_ms()
        self._planner.keep_calendars(now_ms)
        batch, decided = core.plan(
            [
                (
                    waiting.canonical,
                    home_of(waiting.order_id, partitions),
                    waiting.attempts,
                    waiting.fresh_load == loads,
                )
                for waiting in taken
            ],
            now_ms // DAY_MS,
            now_ms,
            [(place, waiting.expected_day) for place, waiting in enumerate(taken) if waiting.expected_day is not None],
        )
        # Of all that the planner named: one order's cells are left to those before it, whatever became of them.
        cells = [cell for _, (word, payload) in decided if word == "backorder" for cell in payload[1] or ()]
        try:
            decided = await self._with_records(taken, decided)
        except StoreError as error:
            core.abandon(batch)
            return self._after_errors(taken, [error])
        _answer(taken, [row for row in decided if row[1][0] != "backorder"])
        lacking = {place: payload for place, (word, payload) in decided if word == "backorder"}
        if not lacking:
            return ([], None) if batch.empty else await self._commit(taken, batch, loads, lacking)
        # Beside the commit: the others need not wait for what these wait for.
        looking = self._loop.create_task(self._expect(taken, lacking, cells))
        try:
            again, broken = ([], None) if batch.empty else await self._commit(taken, batch, loads, lacking)
        finally:
            failed = await looking
        late = [taken[place] for place in lacking]
        if failed is None:
            return again + late, broken
        late, unread = self._after_errors(late, [failed])
        return again + late, broken or unread

    async def _commit(
        self, taken: list[_Waiting], batch: Batch, loads: int, lacking: Container[int]
    ) -> tuple[list[_Waiting], str | None]:
        """Commit and settle a batch, as `_run` returns it, of all orders but those at the places `lacking`."""
        core, store = self._planner.core, self._store
        sent = [waiting for place, waiting in enumerate(taken) if place not in lacking]
        made_ms = self.clock.now_ms()
        try:
            replies, errors = await commit_batch(store, self._planner, batch, self._acknowledged, made_ms=made_ms)
        except StoreError as error:
            core.abandon(batch)
            return self._after_errors(sent, [error])
        except NotPrepared as error:
            core.abandon(batch)
            return self._after_errors(sent, error.errors)
        self.clock.hear(replies)
        settled, told = core.settle(batch, replies)
        self.batches += 1
        self._tell(told)
        if len(store.partitions) > 1:
            settled, errors = await self._with_unseen_records(taken, settled, errors)
        again = self._again(taken, _answer(taken, settled), loads)
        if not errors:
            return again, None
        places = {place for place, _ in settled}
        left = [waiting for place, waiting in enumerate(taken) if place not in places and place not in lacking]
        more, broken = self._after_errors(left, errors)
        return again + more, broken

    def _tell(self, told: tuple[Told, Told, Told]) -> None:
        """Tell other partitions what was decided, while the next batch is planned; one such round at a time."""
        if not any(told):
            return
        former = self._telling

        async def run() -> None:
            if former is not None:
                await asyncio.wait([former])
            await tell(self._store, *told)

        self._telling = self._loop.create_task(run())

    def _after_errors(self, left: list[_Waiting], errors: Sequence[StoreError]) -> tuple[list[_Waiting], str | None]:
        """What becomes of orders whose batch, or whose home, broke off; as `_run` returns it."""
        error = next((error for error in errors if not isinstance(error, StoreRefused)), None)
        if error is None:
            for waiting in left:
                waiting.tell_unavailable(str(errors[0]))
            return [], None
        # The commit may have been done: each order is sent again and the store tells from its record. Or the numbers in
        # this batch are those of another store: then nothing was done, and all is planned anew.
        return self._try_again(left, error), str(error)

    async def _with_records(self, taken: list[_Waiting], decided: list[_Decided]) -> list[_Decided]:
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

    async def _expect(
        self, taken: list[_Waiting], lacking: Mapping[int, _Lacking], cells: Sequence[int]
    ) -> StoreError | None:
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
        self, taken: list[_Waiting], settled: list[_Decided], errors: list[StoreError]
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

    def _of_record(self, waiting: _Waiting, record: bytes) -> tuple[str, Any]:
        try:
            if Record(record).fingerprint != fingerprint_of(waiting.canonical):
                return "conflict", None
            return "replayed", self._planner.core.allocation_json(waiting.order_id, record)
        except ValueError as error:
            return "unreadable", str(error)

    def _again(self, taken: list[_Waiting], again: list[tuple[int, _Again]], loads: int) -> list[_Waiting]:
        self.replans += len(again)
        for place, how in again:
            taken[place].attempts += how is not _Again.POSTPONED
            taken[place].fresh_load = loads if how is _Again.FRESH else None
        return [taken[place] for place, _ in sorted(again)]

    def _try_again(self, taken: list[_Waiting], error: StoreError) -> list[_Waiting]:
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


def _answer(taken: list[_Waiting], outcomes: list[_Decided]) -> list[tuple[int, _Again]]:
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


async def end_task(task: asyncio.Task[None]) -> None:
    """Cancel a task until it has ended: a client library in the midst of connecting can swallow a cancellation."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=CANCEL_POLL_S)


def outcome_of(word: str, payload: Any) -> oc.Outcome:
    """The outcome that the core's tuple stands for; engine/_core.pyi lists them."""
    match word:
        case "reserved" | "replayed":
            return oc.Reserved(payload, replayed=word == "replayed")
        case "conflict":
            return oc.Conflict()
        case "short" | "too_spread" | "at_capacity":
            shortages = tuple(Shortage(*row) for row in payload)
            return oc.InsufficientStock(shortages, spread=word == "too_spread", at_capacity=word == "at_capacity")
        case "limit":
            return oc.PurchaseLimit(tuple(oc.ExceededLimit(*row) for row in payload))
        case "invalid":
            return oc.Invalid(tuple(FieldError(*row) for row in payload))
        case "unreadable":
            return oc.Unavailable(f"{payload}. Run an audit.", certain=False)
        case "contended":
            return oc.Contended()
    raise AssertionError(f"the core knows an outcome that we do not: {word}")
