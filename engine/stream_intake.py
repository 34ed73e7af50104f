"""Orders that come by a stream of the store: read in batches by a consumer group, each finished with one result.

A message may be read more than once: after a crash, or when its consumer took too long. Its order is held once all the
same, by its id, and its result is written once, together with the end of the message. A message that cannot be an
order, or that nobody finished in DELIVERIES_MAX deliveries, ends as a dead letter with the reason.

Bounded: HANDFULS_MAX of MESSAGES_MAX in hand. While the store decides nothing, they are kept, and nothing else is read.
"""

import asyncio
import time
from collections.abc import Sequence

import structlog

from engine.engine import Engine
from engine.errors import EngineClosed, StoreError
from engine.slices import Slices
from engine.store.stream import Claimed
from engine.stream_handful import Count, Handful, LineOf
from engine.tasks import end_task

MESSAGES_MAX = 1_000
"""Messages read at once."""
HANDFULS_MAX = 4
BLOCK_MS = 1_000
RETRY_S = 1.0
CLAIMS_PER_TERM = 4
"""Looks for what others left lie so many times in the term after which it may be taken over."""

log = structlog.get_logger(__name__)


class StreamIntake:
    """Takes orders from the stream as long as it runs; `async with StreamIntake(engine, line_of=...)`."""

    def __init__(self, engine: Engine, *, line_of: LineOf, count: Count | None = None) -> None:
        """`line_of` writes what became of an order that was not simply reserved; the text names the message.

        `count` is told of orders whose results are written.
        """
        self._engine = engine
        self._calls = engine.store.stream
        self._consumer = engine.store.writer
        self._line_of = line_of
        self._count = count
        self._slices = Slices()
        self._room = asyncio.Semaphore(HANDFULS_MAX)
        self._finishing: set[asyncio.Task[None]] = set()
        self._closing = asyncio.Event()
        self._claims_s = 0.0
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "StreamIntake":
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Read no more, and finish what was read; what the store does not decide in time is left for who comes next."""
        if self._task is not None:
            await end_task(self._task)
        self._closing.set()
        if self._finishing:
            late = (await asyncio.wait(self._finishing, timeout=self._engine.settings.drain_s))[1]
            for unfinished in late:
                await end_task(unfinished)

    async def _run(self) -> None:
        while not self._closing.is_set():
            try:
                await self._calls.open()
                while not self._closing.is_set():
                    await self._turn()
            except StoreError as error:
                log.warning("the stream of orders cannot be read", error=str(error))
            except Exception:
                log.exception("the stream of orders could not be served")
            await asyncio.sleep(RETRY_S)

    async def _turn(self) -> None:
        """One read of what is new, or of what others left, once there is room for it and a store to decide it."""
        await self._room.acquire()
        given: Sequence[Claimed] = ()
        try:
            if self._engine.intake.unreachable is not None:
                await asyncio.sleep(RETRY_S)
                return
            given = await self._claim()
            if not given:
                given = await self._calls.read(self._consumer, messages_max=MESSAGES_MAX, block_ms=BLOCK_MS)
        finally:
            if not given:
                self._room.release()
        handful = Handful(
            self._engine,
            given,
            line_of=self._line_of,
            count=self._count,
            slices=self._slices,
            closing=self._closing,
        )
        self._finishing.add(task := asyncio.create_task(handful.finish()))
        task.add_done_callback(self._finished)

    async def _claim(self) -> Sequence[Claimed]:
        """What others left, if it is time to look; while there is more than is taken at once, it is."""
        now_s, idle_ms = time.monotonic(), self._engine.settings.stream_claim_ms
        if now_s < self._claims_s:
            return ()
        found = await self._calls.claim(self._consumer, idle_ms=idle_ms, messages_max=MESSAGES_MAX)
        if len(found) < MESSAGES_MAX:
            self._claims_s = now_s + idle_ms / 1000 / CLAIMS_PER_TERM
        if found:
            log.info("messages are taken over that were not finished", messages=len(found))
        return found

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._room.release()
        self._finishing.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Its messages are still open: they are taken over in time.
            log.warning("messages could not be finished", error=repr(error))
            if isinstance(error, EngineClosed):
                # Whatever else were read would only be left as well.
                self._closing.set()
