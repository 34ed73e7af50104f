"""The intake flow: gathers orders, plans them together, commits them in one call, answers each caller.

No timer: while one batch is with the store the next one gathers, and goes as soon as the reply is there. A caller
that is alone waits for nobody. Where orders came in lots, the next batch is planned while the store works on one; those
that came alone go before those of lots. Bounded: the queue by `queue_orders_max`, lots by LOTS_MAX, a batch by
`batch_orders_max`, or `bulk_batch_orders_max` where it is of lots alone.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import structlog

from engine.errors import EngineClosed
from engine.intake import outcome as oc
from engine.intake.acknowledged import Acknowledged
from engine.intake.batches import Asked, Batches, Planned
from engine.intake.lot import Lot
from engine.intake.waiting import Share, Taken, Waiting
from engine.model import Order
from engine.planner import Planner, canonical_bytes
from engine.slices import Slices
from engine.store import Store

OVERLOAD_RETRY_S = 1
CANCEL_POLL_S = 0.2

BATCH_BYTES_MAX = 128 * 1024
"""Canonical bytes of one batch: 500 orders of two lines fit, but few of a hundred lines, which take longer to plan."""

BULK_BATCH_BYTES_MAX = 512 * 1024
"""The same of a batch of lots alone."""

LOTS_MAX = 32
"""Lots under way, whoever they are of; the next wait."""

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
        recover: Callable[[], Awaitable[bool]],
        recovering: Callable[[], bool],
        loads: Callable[[], int],
        acknowledged: Acknowledged,
    ) -> None:
        """`recover` is called, with `exclusive` free, when the store broke off; it says whether the store is back.

        `loads` counts how often the planner was loaded: levels that were read before the last time are no proof.
        `acknowledged` is told of every commit.
        """
        self._batches = Batches(planner, store, loads=loads, acknowledged=acknowledged)
        self._partitions = len(store.partitions)
        self._queue: deque[Waiting] = deque()
        self._shares: deque[Share] = deque()
        self._lots_room = asyncio.Semaphore(LOTS_MAX)
        self._slices = Slices()
        self._queue_orders_max = queue_orders_max
        self._batch_orders_max = batch_orders_max
        self._bulk_batch_orders_max = bulk_batch_orders_max
        self._recover = recover
        self._recovering = recovering
        self._loop = asyncio.get_running_loop()
        self._worker: asyncio.Task[None] | None = None
        self._under_way: list[Planned] = []
        self._closed = False
        self.exclusive = Exclusive()
        """Held while a batch is under way: whoever sets levels of the view takes it, so that no take is overwritten."""
        self.unreachable: str | None = None
        """Why the store cannot be had, while it cannot: then orders are refused at once."""
        self.failed = False
        """Whether a bug or a panic stopped the intake."""
        self.clock = self._batches.clock
        self.stages = self._batches.stages

    @property
    def queued(self) -> int:
        """Orders that wait for the next batch."""
        return len(self._queue) + sum(share.end - share.start for share in self._shares)

    @property
    def batches(self) -> int:
        """Batches that were settled."""
        return self._batches.batches

    @property
    def replans(self) -> int:
        """Orders that were planned again."""
        return self._batches.replans

    def submit(self, order: Order) -> asyncio.Future[oc.Outcome]:
        """Reserve an order. The future always gets an outcome, or EngineClosed; cancelling it cancels nothing else."""
        answer: asyncio.Future[oc.Outcome] = self._loop.create_future()
        if self._closed:
            answer.set_exception(EngineClosed(self._why_closed()))
        elif self.unreachable is not None:
            answer.set_result(oc.Unavailable(self.unreachable, certain=True))
        elif len(self._queue) >= self._queue_orders_max:
            answer.set_result(oc.Overloaded(OVERLOAD_RETRY_S))
        else:
            self._queue.append(Waiting(order.order_id, canonical_bytes(order), answer))
            self._wake()
        return answer

    async def submit_lot(self, lines: bytes, *, channel: str | None = None) -> Lot:
        """Reserve orders that come as whole lines of JSON; waits while LOTS_MAX lots are under way. `channel`: see Lot.

        The lot's `done` is set when each order has its outcome, or gets EngineClosed. Raises EngineClosed.
        """
        await self._lots_room.acquire()
        try:
            if self._closed:
                raise EngineClosed(self._why_closed())
            lot = Lot(lines, partitions=self._partitions, channel=channel)
            await lot.read(self._slices)
            if self._closed:
                raise EngineClosed(self._why_closed())
        except BaseException:
            self._lots_room.release()
            raise
        lot.done.add_done_callback(self._lot_done)
        share = Share(lot, 0, len(lot))
        if self.unreachable is not None:
            share.tell_unavailable(self.unreachable)
        lot.look()
        if not lot.done.done():
            self._shares.append(share)
            self._wake()
        return lot

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
        if self._batches.telling is not None:
            _, late = await asyncio.wait([self._batches.telling], timeout=drain_s)
            for telling in late:
                await end_task(telling)

    def fail(self) -> None:
        """Take no more orders: something that they rely on is broken beyond a recovery."""
        self.failed |= not self._closed
        self._closed = True

    def _why_closed(self) -> str:
        return "the service failed and takes no orders: restart it" if self.failed else "the service is shutting down"

    def _lot_done(self, done: asyncio.Future[None]) -> None:
        self._lots_room.release()
        if not done.cancelled():
            # Whoever waited for it may have gone: then nobody else asks.
            done.exception()

    def _wake(self) -> None:
        if self._worker is None:
            self._worker = self._loop.create_task(self._work())

    async def _work(self) -> None:
        try:
            while self._queue or self._shares:
                # What is loaded may be of another store: plan nothing by it.
                if self._recovering() and not await self._recover():
                    self._give_up(self.unreachable or "The store is out of reach.")
                    continue
                async with self.exclusive:
                    broken = await self._run()
                if broken is not None and not await self._recover():
                    self._give_up(self.unreachable or broken)
        except BaseException as error:
            # A bug, or a panic of the core: whoever waits must hear of it, and nothing more may be promised.
            self.fail()
            if self.failed:
                log.exception("the intake stopped")
            rest = Taken(list(self._queue), list(self._shares))
            for taken in [*(planned.taken for planned in self._under_way), rest]:
                taken.fail(f"the intake stopped: {error!r}")
            self._queue.clear()
            self._shares.clear()
            raise
        finally:
            self._worker = None

    def _give_up(self, detail: str) -> None:
        """Tell all who wait that the store does not come back: they waited as long as it was given."""
        for waiting in self._queue:
            waiting.tell_unavailable(detail)
        for share in self._shares:
            share.tell_unavailable(detail)
        self._queue.clear()
        self._shares.clear()

    def _take(self) -> Taken:
        """The next batch. A twin of an order in it stays behind: the store will tell it from the first one's record.

        Twins in lots do not: there are few, and the store tells them as well.
        """
        taken: list[Waiting] = []
        ids: set[str] = set()
        twins: list[Waiting] = []
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
        return Taken(taken, self._take_shares(len(taken), size))

    def _take_shares(self, count: int, size: int) -> list[Share]:
        """What lots add to a batch of so many orders and bytes: less where somebody waits for one of these."""
        orders_max = self._batch_orders_max if count else self._bulk_batch_orders_max
        bytes_max = BATCH_BYTES_MAX if count else BULK_BATCH_BYTES_MAX
        shares: list[Share] = []
        while self._shares and count < orders_max and size < bytes_max:
            share = self._shares.popleft()
            if share.lot.done.done():
                # All that is left of it was told, or it was abandoned.
                continue
            end, bytes_taken = share.lot.core.end_of(share.start, share.end, orders_max - count, bytes_max - size)
            shares.append(Share(share.lot, share.start, end))
            count += end - share.start
            size += bytes_taken
            if end < share.end:
                self._shares.appendleft(Share(share.lot, end, share.end))
        return shares

    async def _run(self) -> str | None:
        """Run batches, one after the other, while there are orders and nobody else wants the view.

        Returns, when the store broke off, what to tell those who wait if it does not come back.
        """
        flight: asyncio.Task[Asked] | None = None
        try:
            now = self._plan(None)
            flight = self._send(now)
            while True:
                # It is sent before anything else is done.
                await asyncio.sleep(0)
                # Those who came alone wait for all who come while the store works; lots are there already.
                ahead = self._plan(now) if self._shares and not self._must_stop() else None
                asked = await flight
                if ahead is not None and (asked.failed or self._must_stop()):
                    self._put_back(ahead)
                    ahead = None
                if ahead is not None:
                    flight = self._send(ahead)
                    await asyncio.sleep(0)
                again, broken = await self._batches.settle(now, asked, other=ahead)
                self._under_way.remove(now)
                self._queue.extendleft(reversed(again))
                if broken is not None and ahead is not None:
                    again, _ = await self._batches.settle(ahead, await flight, other=None)
                    self._under_way.remove(ahead)
                    self._queue.extendleft(reversed(again))
                if broken is not None:
                    return broken
                if ahead is None:
                    if self._must_stop() or not (self._queue or self._shares):
                        return None
                    ahead = self._plan(None)
                    flight = self._send(ahead)
                now = ahead
        finally:
            if flight is not None and not flight.done():
                await end_task(flight)

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

    def _put_back(self, planned: Planned) -> None:
        """Undo the plan of a batch that was not sent: its orders come first again."""
        self._batches.abandon(planned)
        self._under_way.remove(planned)
        self._queue.extendleft(reversed(planned.taken.singles))
        self._shares.extendleft(reversed(planned.taken.shares))


async def end_task(task: asyncio.Task[Any]) -> None:
    """Cancel a task until it has ended: a client library in the midst of connecting can swallow a cancellation."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=CANCEL_POLL_S)
