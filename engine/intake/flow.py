"""The intake flow: gathers orders, plans them together, commits them in one call, answers each caller.

No timer: while one batch is with the store the next one gathers, and goes as soon as the reply is there; only then
are those of the one before answered, while the store works. A caller that is alone waits for nobody. Where orders came
in lots, the next batch is planned before that; those that came alone go before those of lots. Bounded: the queue by
`queue_orders_max` and in time (`Patience`), lots by LOTS_MAX, a batch by `batch_orders_max`, or `bulk_batch_orders_max`
where it is of lots alone. Sources, such as API keys, get even parts of all of it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from math import ceil
from typing import Literal

import structlog

from engine.errors import EngineClosed
from engine.intake import outcome as oc
from engine.intake.acknowledged import Acknowledged
from engine.intake.batches import Asked, Batches, Planned
from engine.intake.lot import Lot
from engine.intake.lots import LotQueue, LotRoom
from engine.intake.patience import CALM_AFTER_S, RETRY_S_MAX, Patience, Reason, Terms
from engine.intake.queue import OrderQueue
from engine.intake.waiting import Share, Taken, Waiting
from engine.model import Order
from engine.planner import Planner, canonical_bytes
from engine.slices import Slices
from engine.store import Store
from engine.tasks import end_task

BATCH_BYTES_MAX = 128 * 1024
"""Canonical bytes of one batch: 500 orders of two lines fit, but few of a hundred lines, which take longer to plan."""

BULK_BATCH_BYTES_MAX = 512 * 1024
"""The same of a batch of lots alone."""

LOTS_MAX = 32
"""Lots under way, whoever they are of; the next wait."""

LOTS_PART = 4
"""While single orders are turned away, lots add no more than this part of them to a batch."""
LOTS_FLOOR = 16
"""Of each batch, this part is theirs, by orders and by bytes, however many wait one by one."""
SEND_TURNS = 3
"""After so many turns of the loop a call is on its way, as a rule: the client library writes it in a task of its own,
in the second one."""
SEND_S = 0.001
"""Nor is it waited for longer than this, where turns are long: those whose answers have come wait meanwhile."""
CONFLICTS_MAX = 64
"""Other orders of ids that a batch has already: after so many, the rest waits for the next batch."""

log = structlog.get_logger(__name__)


class Exclusive(asyncio.Lock):
    """A lock that knows whether anybody waits for it. First come, first served."""

    def __init__(self) -> None:
        super().__init__()
        self._wanting = 0

    @property
    def wanted(self) -> bool:
        """Whether anybody waits for it."""
        return self._wanting > 0

    async def acquire(self) -> Literal[True]:
        """Wait for it and take it."""
        self._wanting += 1
        try:
            return await super().acquire()
        finally:
            self._wanting -= 1


class Intake:
    """Takes orders one by one or in lots, and reserves them in batches. One batch is with the store at a time."""

    def __init__(
        self,
        planner: Planner,
        store: Store,
        *,
        queue_orders_max: int,
        batch_orders_max: int,
        bulk_batch_orders_max: int,
        terms: Terms,
        recover: Callable[[], Awaitable[bool]],
        recovering: Callable[[], bool],
        loads: Callable[[], int],
        acknowledged: Acknowledged,
    ) -> None:
        """`terms`: how long orders may wait.

        `recover` is called, with `exclusive` free, when the store broke off; it says whether the store is back. `loads`
        counts how often the planner was loaded: levels that were read before the last time are no proof. `acknowledged`
        is told of every commit.
        """
        self._batches = Batches(planner, store, loads=loads, acknowledged=acknowledged)
        self._partitions = len(store.partitions)
        self._queue = OrderQueue()
        self._shares = LotQueue()
        self._lots_room = LotRoom(LOTS_MAX)
        self._slices = Slices()
        self.patience = Patience(terms, orders_max=queue_orders_max, batch_orders_max=batch_orders_max)
        self._order_s = terms.order_s
        self._batch_orders_max = batch_orders_max
        self._bulk_batch_orders_max = bulk_batch_orders_max
        self._recover = recover
        self._recovering = recovering
        self._loop = asyncio.get_running_loop()
        self._worker: asyncio.Task[None] | None = None
        self._calming: asyncio.TimerHandle | None = None
        self._under_way: list[Planned] = []
        self._closed = False
        self._ends_s = 0.0
        """When whoever has no answer gets none, once it is closed."""
        self._unreachable: str | None = None
        self._unreachable_s = 0.0
        self.exclusive = Exclusive()
        """Held while a batch is under way: whoever sets levels of the view takes it, so that no take is overwritten."""
        self.failed = False
        """Whether a bug or a panic stopped the intake."""
        self.clock = self._batches.clock
        self.stages = self._batches.stages

    @property
    def queued(self) -> int:
        """Orders that wait for the next batch."""
        return len(self._queue) + self._shares.orders

    @property
    def queued_singles(self) -> int:
        """Of these, orders that came one by one: `patience` says how many may wait, those of lots have places apart."""
        return len(self._queue)

    @property
    def wait_s(self) -> float:
        """How long an order that comes now would wait for its batch, as far as is known."""
        return self.patience.wait_s(len(self._queue))

    @property
    def unreachable(self) -> str | None:
        """Why the store cannot be had, while it cannot: then orders are refused at once."""
        return self._unreachable

    @unreachable.setter
    def unreachable(self, why: str | None) -> None:
        if self._unreachable is None:
            self._unreachable_s = self._loop.time()
        self._unreachable = why

    @property
    def batches(self) -> int:
        """Batches that were settled."""
        return self._batches.batches

    @property
    def replans(self) -> int:
        """Orders that were planned again."""
        return self._batches.replans

    @property
    def abandoned(self) -> int:
        """Orders of lots that were left unplanned, as nobody waited for them any more."""
        return self._shares.abandoned

    def submit(self, order: Order, *, source: str = "", deadline_s: float | None = None) -> asyncio.Future[oc.Outcome]:
        """Reserve an order. The future always gets an outcome, or EngineClosed; cancelling it cancels nothing else.

        `source`: whose it is; sources get even parts. `deadline_s`: when it must have begun to be planned, by the
        loop's clock; else this holds nothing.
        """
        answer: asyncio.Future[oc.Outcome] = self._loop.create_future()
        if self._closed:
            answer.set_exception(self._end())
        elif self._unreachable is not None:
            answer.set_result(oc.Unavailable(self._unreachable, certain=True, retry_after_s=self._away_s()))
        else:
            now_s = self._loop.time()
            if deadline_s is None:
                deadline_s = now_s + self._order_s
            if (refused := self._turned_away(source, now_s, deadline_s)) is not None:
                answer.set_result(refused)
                return answer
            queue = self._queue
            if queue.length >= self.patience.limit:
                displaced = queue.displace()
                if not displaced.answer.done():
                    displaced.answer.set_result(self._overloaded(self.patience.reason, now_s))
            queue.put(source, Waiting(order.order_id, canonical_bytes(order), answer, deadline_s, source=source))
            if self._worker is None:
                self._wake()
        return answer

    def turned_away(self, source: str = "", *, deadline_s: float | None = None) -> oc.Overloaded | None:
        """What `submit` would tell an order of this source for want of room, before the order is read; None: nothing.

        The order counts as turned away.
        """
        if self._closed or self._unreachable is not None:
            return None
        now_s = self._loop.time()
        return self._turned_away(source, now_s, now_s + self._order_s if deadline_s is None else deadline_s)

    def _turned_away(self, source: str, now_s: float, deadline_s: float) -> oc.Overloaded | None:
        queue, patience = self._queue, self.patience
        waiting, time_s = queue.length, deadline_s - now_s
        if waiting >= patience.limit and not self._may_displace(source):
            return self._overloaded(patience.reason, now_s)
        if waiting * patience.s_per_order > time_s and patience.wait_s(queue.before(source)) > time_s:
            return self._overloaded("deadline", now_s)
        return None

    def _may_displace(self, source: str) -> bool:
        """Whether another source has to give way to this one's next order, which then waits no longer than it may."""
        queue = self._queue
        return queue.may_displace(source) and queue.before(source) < self.patience.limit

    def _overloaded(self, reason: Reason, now_s: float) -> oc.Overloaded:
        return oc.Overloaded(self.patience.turn_away(reason, now_s, len(self._queue)), reason)

    async def submit_lot(self, lines: bytes, *, channel: str | None = None, source: str = "") -> Lot:
        """Reserve orders that come as whole lines of JSON; waits while its source has its part of LOTS_MAX lots.

        `channel`: see Lot. The lot's `done` is set when each order has its outcome, or gets EngineClosed. Raises
        EngineClosed.
        """
        await self._lots_room.enter(source)
        try:
            if self._closed:
                raise self._end()
            lot = Lot(lines, partitions=self._partitions, channel=channel, source=source)
            await lot.read(self._slices)
            if self._closed:
                raise self._end()
        except BaseException:
            self._lots_room.leave(source)
            raise

        def done(future: asyncio.Future[None]) -> None:
            self._lots_room.leave(source)
            if not future.cancelled():
                # Whoever waited for it may have gone: then nobody else asks.
                future.exception()

        lot.done.add_done_callback(done)
        share = Share(lot, 0, len(lot))
        if self._unreachable is not None:
            share.tell_unavailable(self._unreachable, retry_after_s=self._away_s())
        lot.look()
        if not lot.done.done():
            self._shares.put(share)
            self._wake()
        return lot

    async def close(self, *, drain_s: float) -> None:
        """Take no more orders, and return when all that were taken have their answers, within `drain_s` at most.

        Whoever has none by then gets EngineClosed.
        """
        self._closed = True
        self._ends_s = self._loop.time() + drain_s
        if self._worker is not None:
            _, late = await asyncio.wait([self._worker], timeout=drain_s)
            for worker in late:
                log.error("orders were still waiting when the service stopped", queued=self.queued)
                await end_task(worker)
        if self._batches.telling is not None:
            _, late = await asyncio.wait([self._batches.telling], timeout=drain_s)
            for telling in late:
                await end_task(telling)

    def fail(self) -> None:
        """Take no more orders: something that they rely on is broken beyond a recovery."""
        self.failed |= not self._closed
        self._closed = True

    def _end(self) -> EngineClosed:
        """What is told while no orders are taken any more."""
        if self.failed:
            reason = "the service failed and takes no orders: restart it"
            return EngineClosed(reason, retry_after_s=RETRY_S_MAX)
        return EngineClosed("the service is shutting down", retry_after_s=_retry_s(self._ends_s - self._loop.time()))

    def _away_s(self) -> int:
        """When to ask again for a store that is away: it may well be so for as long as it has been already."""
        return _retry_s(self._loop.time() - self._unreachable_s)

    def _wake(self) -> None:
        if self._worker is None:
            self.patience.begin(self._loop.time())
            self._worker = self._loop.create_task(self._work())

    async def _work(self) -> None:
        try:
            while self._queue or self._shares:
                # What is loaded may be of another store: plan nothing by it.
                if self._recovering():
                    if not await self._recover():
                        self._give_up(self.unreachable or "The store is out of reach.")
                        continue
                    self.patience.begin(self._loop.time())
                async with self.exclusive:
                    broken = await self._run()
                if broken is None:
                    continue
                if await self._recover():
                    # How long the store was away is no measure of the service.
                    self.patience.begin(self._loop.time())
                else:
                    self._give_up(self.unreachable or broken)
        except BaseException as error:
            # A bug, or a panic of the core: whoever waits must hear of it, and nothing more may be promised.
            self.fail()
            if self.failed:
                log.exception("the intake stopped")
            rest = Taken(self._queue.clear(), self._shares.clear())
            for taken in [*(planned.taken for planned in self._under_way), rest]:
                taken.fail(f"the intake stopped: {error!r}")
            raise
        finally:
            self._worker = None
            self._rest()

    def _rest(self) -> None:
        """Have a queue that stands be calm after a while, though no order comes to see it."""
        if self._calming is not None:
            self._calming.cancel()
            self._calming = None
        if self._worker is None and not self._closed:
            self.patience.rest(self._loop.time())
            if self.patience.standing:
                self._calming = self._loop.call_later(CALM_AFTER_S, self._rest)

    def _give_up(self, detail: str) -> None:
        """Tell all who wait that the store does not come back: they waited as long as it was given."""
        retry_after_s = self._away_s() if self._unreachable is not None else 1
        for waiting in self._queue.clear():
            waiting.tell_unavailable(detail, retry_after_s=retry_after_s)
        for share in self._shares.clear():
            share.tell_unavailable(detail, retry_after_s=retry_after_s)

    def _take(self) -> Taken:
        """The next batch. An order that is in it already gets the same answer; another one of the same id stays behind,
        among those of its source: the store will tell it from the first one's record.

        Twins in lots do not: there are few, and the store tells them as well. Orders whose time is over are told so.
        """
        queue, now_s = self._queue, self._loop.time()
        taken: list[Waiting] = []
        ids: dict[str, Waiting] = {}
        others: list[Waiting] = []
        size = 0
        orders_max, bytes_max = self._batch_orders_max, BATCH_BYTES_MAX
        if self._shares and orders_max > 1:
            orders_max -= self._lots_floor
            bytes_max -= BATCH_BYTES_MAX // LOTS_FLOOR
        while queue and len(taken) < orders_max and size < bytes_max and len(others) < CONFLICTS_MAX:
            # What was taken before may be with the store: it gets its true answer, however late.
            waiting = queue.take_first() or queue.take()
            if waiting.deadline_s < now_s and not waiting.taken:
                if not waiting.answer.done():
                    waiting.answer.set_result(self._overloaded("deadline", now_s))
            elif (first := ids.setdefault(waiting.order_id, waiting)) is waiting:
                waiting.taken = True
                taken.append(waiting)
                size += len(waiting.canonical)
            elif not self._hang_on(first, waiting):
                others.append(waiting)
        for waiting in others:
            queue.put(waiting.source, waiting)
        left = len(queue)
        self.patience.took(now_s, left)
        return Taken(taken, self._take_shares(len(taken), size), left_some=left > 0)

    def _take_shares(self, count: int, size: int) -> list[Share]:
        """What lots add to a batch of so many orders and bytes: less where somebody waits for one of these."""
        if not self._shares:
            return []
        if not count:
            return self._shares.take(self._bulk_batch_orders_max, BULK_BATCH_BYTES_MAX)
        orders_max = self._batch_orders_max - count
        if self.patience.standing:
            orders_max = min(orders_max, max(ceil(count / LOTS_PART), self._lots_floor))
        return self._shares.take(orders_max, max(BATCH_BYTES_MAX - size, BATCH_BYTES_MAX // LOTS_FLOOR))

    @property
    def _lots_floor(self) -> int:
        return max(1, self._batch_orders_max // LOTS_FLOOR)

    def _hang_on(self, first: Waiting, twin: Waiting) -> bool:
        """Give a twin the answer of the order that it is the same as, when that has it; not if it only has its id."""
        answer = first.answer
        if first.canonical != twin.canonical or not isinstance(answer, asyncio.Future):
            return False

        def tell(told: asyncio.Future[oc.Outcome]) -> None:
            if twin.answer.done():
                return
            if told.cancelled() and not self._closed:
                # Nobody waits for the first one any more, so that nobody knows what became of it.
                self._queue.put_first([twin])
                self._wake()
            elif told.cancelled():
                twin.answer.set_exception(self._end())
            elif (error := told.exception()) is not None:
                twin.answer.set_exception(error if isinstance(error, EngineClosed) else self._end())
            else:
                outcome = told.result()
                if isinstance(outcome, oc.Reserved):
                    outcome = oc.Reserved(outcome.json, replayed=True)
                twin.answer.set_result(outcome)

        answer.add_done_callback(tell)
        return True

    async def _run(self) -> str | None:
        """Run batches, one after the other, while there are orders and nobody else wants the view.

        Returns, when the store broke off, what to tell those who wait if it does not come back.
        """
        flight: asyncio.Task[Asked] | None = None
        try:
            now = self._plan(None)
            flight = self._send(now)
            while True:
                if self._shares:
                    await self._sent(flight)
                # Whoever wants fresh levels is planned next, beside nobody who takes of what it wants.
                beside = not now.batch.waits(len(now.taken.singles))
                # Those who came alone wait for all who come while the store works; lots are there already.
                ahead = self._plan(now) if beside and self._shares and not self._must_stop() else None
                asked = await flight
                if ahead is not None and (asked.holds_up or self._must_stop()):
                    self._put_back(ahead)
                    ahead = None
                elif beside and ahead is None and self._goes_on(asked):
                    ahead = self._plan(now)
                if ahead is not None:
                    flight = self._send(ahead)
                    await self._sent(flight)
                again, broken = await self._batches.settle(now, asked, other=ahead)
                self._under_way.remove(now)
                self._queue.put_first(again)
                self._note_settled(now.taken, again)
                if broken is not None and ahead is not None:
                    again, _ = await self._batches.settle(ahead, await flight, other=None)
                    self._under_way.remove(ahead)
                    self._queue.put_first(again)
                if broken is not None:
                    return broken
                if ahead is None:
                    if self._must_stop() or not (self._queue or self._shares):
                        return None
                    ahead = self._plan(None)
                    flight = self._send(ahead)
                now = ahead
        except GeneratorExit:
            # The loop is gone, and the flight with it.
            raise
        except BaseException:
            if flight is not None:
                await end_task(flight)
            raise

    def _note_settled(self, taken: Taken, again: list[Waiting]) -> None:
        """Only what was answered is a measure of what the service does."""
        singles, of_lots = len(taken.singles), len(taken) - len(taken.singles)
        if again:
            answered = sum(waiting.answer.done() for waiting in taken.singles)
            singles, of_lots = answered, max(0, of_lots - len(again) + singles - answered)
        left_some = taken.left_some or bool(again)
        self.patience.settled(self._loop.time(), orders=singles, of_lots=of_lots, left_some=left_some)

    def _goes_on(self, asked: Asked) -> bool:
        """Whether the next batch may be sent before those of the one that was asked are answered."""
        return bool(self._queue or self._shares) and not asked.holds_up and not self._must_stop()

    def _must_stop(self) -> bool:
        return self.exclusive.wanted or self._recovering()

    def _plan(self, other: Planned | None) -> Planned:
        taken = self._take()
        try:
            planned = self._batches.plan(taken, other=other)
        except BaseException as error:
            taken.fail(f"the intake stopped: {error!r}")
            raise
        self._under_way.append(planned)
        return planned

    def _send(self, planned: Planned) -> asyncio.Task[Asked]:
        def beside() -> Planned | None:
            # Only what was planned since: the one before is settled when a reply to this one comes.
            later = self._under_way.index(planned) + 1
            return self._under_way[later] if later < len(self._under_way) else None

        return self._loop.create_task(self._batches.ask(planned, beside))

    async def _sent(self, flight: asyncio.Task[Asked]) -> None:
        """Wait until the store has what was sent, so that it works on that while something else is done here."""
        end_s = self._loop.time() + SEND_S
        for _ in range(SEND_TURNS):
            await asyncio.sleep(0)
            if flight.done() or self._loop.time() > end_s:
                break

    def _put_back(self, planned: Planned) -> None:
        """Undo the plan of a batch that was not sent: its orders come first again."""
        self._batches.abandon(planned)
        self._under_way.remove(planned)
        self._queue.put_first(planned.taken.singles)
        self._shares.put_first(planned.taken.shares)


def _retry_s(seconds: float) -> int:
    return min(RETRY_S_MAX, max(1, ceil(seconds)))
