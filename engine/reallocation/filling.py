"""Fills orders that wait for stock when some has come, where the settings say so.

Every process hears of stock that comes. One of them has the duty, for a time that the store keeps: it looks at orders
that wait, and moves them as a re-allocation does, some hundreds at a time. Should it die, another takes over, and first
goes on with what was begun.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from time import monotonic

import msgspec
import structlog

from engine.errors import ReallocationState, StockadeError
from engine.intake.clock import StoreClock
from engine.reallocation.model import ReallocationRequest
from engine.reallocation.room import ReallocationRoom
from engine.store import Store
from engine.tasks import end_task, supervised

POLL_S = 0.5
"""How often arrivals are looked for."""

PAUSE_S_MIN = 5.0
"""Between two looks at the orders that wait."""

PAUSE_TIMES = 10.0
"""The same by what the last look took: of a store with millions of orders, others have most of the time."""

DUTY_MS = 30_000
"""How long a process has the duty without taking it again; whoever fills takes it again three times within that."""

ORDERS_MAX = 500
"""Orders filled by one run."""

TIME_LIMIT_S = 2.0

DUTY = "filling"
"""The field that says who has the duty, and until when."""

PREFIX = "fill-"
"""Begins the ids of such runs, which are let go when they are done."""

REASON = "stock came for orders that waited"

log = structlog.get_logger(__name__)


class Filling:
    """The duty of one process."""

    def __init__(self, store: Store, room: ReallocationRoom, *, clock: StoreClock, arrivals: Callable[[], int]) -> None:
        """`arrivals` counts what came; `clock` is the store's."""
        self._store = store
        self._room = room
        self._clock = clock
        self._arrivals = arrivals
        self._had_duty = False
        self._left_some = False
        """Whether runs that nobody goes on with may still be kept."""

    async def follow(self) -> None:
        """Fill whenever stock has come, for ever."""
        seen: int | None = None
        again = False
        while True:
            await asyncio.sleep(POLL_S)
            count = self._arrivals()
            if count == seen and not again and self._had_duty:
                continue
            began_s = monotonic()
            try:
                if not await self._take_duty():
                    continue
                keeping = supervised(self._keep_duty(), lambda: None)
                try:
                    await self._end_what_is_left()
                    # An order that began to wait while stock came may have been missed: it is looked for once more.
                    again = count != seen
                    seen = count
                    await self._fill()
                finally:
                    await end_task(keeping)
            except StockadeError as error:
                again = True
                log.warning("orders that wait could not be filled", error=str(error))
            except Exception:
                # Nobody's orders may wait for this one's flaw.
                again = True
                log.exception("orders that wait could not be filled")
            await asyncio.sleep(max(PAUSE_S_MIN, PAUSE_TIMES * (monotonic() - began_s)))

    async def _keep_duty(self) -> None:
        """Take the duty again and again while orders are filled, which may take longer than it lasts."""
        while True:
            await asyncio.sleep(DUTY_MS / 3_000)
            with contextlib.suppress(StockadeError):
                await self._take_duty()

    async def _take_duty(self) -> bool:
        """Whether this process has the duty. What was begun by who had it before is to be ended then."""
        taken, own = await self._claim_duty()
        self._left_some |= taken and not own
        self._had_duty = taken
        return taken

    async def _claim_duty(self) -> tuple[bool, bool]:
        """Whether this process has the duty, and whether it had it before."""
        plans, now_ms = self._store.partitions[0].plans, self._clock.now_ms()
        (packed,) = await plans.read([DUTY])
        writer, until_ms = msgspec.msgpack.decode(packed, type=tuple[str, int]) if packed else ("", 0)
        own = writer == self._store.writer
        if not own and until_ms > now_ms:
            return False, False
        mine = msgspec.msgpack.encode((self._store.writer, now_ms + DUTY_MS))
        return await plans.keep(DUTY, packed, write={DUTY: mine}), own

    async def _end_what_is_left(self) -> None:
        """Bring to an end what others began who have the duty no more, and what this process could not end."""
        if not self._left_some:
            return
        self._left_some = False
        try:
            for status in await self._room.all():
                if status.id.startswith(PREFIX):
                    if status.state == "applying":
                        await self._room.apply(status.id, None)
                    await self._room.forget(status.id)
        except BaseException:
            self._left_some = True
            raise

    async def _fill(self) -> None:
        while True:
            run_id = f"{PREFIX}{secrets.token_hex(8)}"
            request = ReallocationRequest(
                id=run_id, backordered=True, max_moves=ORDERS_MAX, time_limit_s=TIME_LIMIT_S, reason=REASON
            )
            planned = applied = 0
            try:
                await self._room.begin(request)
                status = await self._room.plan(run_id)
                planned = 0 if status.plan is None else status.plan.orders_moved
                if planned:
                    applied = (await self._room.apply(run_id, None)).applied
                    log.info("filled orders that waited for stock", orders=applied)
            except ReallocationState as error:
                log.warning("a run that fills orders was ended by somebody", run=run_id, error=str(error))
                planned = 0
            finally:
                # Whatever became of it: what is left is planned anew. It may be there even if its beginning failed.
                try:
                    await self._room.forget(run_id)
                except StockadeError:
                    self._left_some = True
            if planned < ORDERS_MAX or not applied or not await self._take_duty():
                return
            await self._end_what_is_left()
