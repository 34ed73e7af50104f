"""Orders that come by a stream of the store: read in batches by a consumer group, each finished with one result.

A message may be read more than once: after a crash, or when its consumer took too long. Its order is held once all the
same, by its id, and its result is written once, together with the end of the message. A message that cannot be an
order, or that nobody finished in DELIVERIES_MAX deliveries, ends as a dead letter with the reason.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence

import msgspec
import structlog

from engine.engine import Engine
from engine.errors import EngineClosed, StoreError
from engine.intake import Broken, Contended, Invalid, Lot, Overloaded, Unavailable, end_task
from engine.intake.lot import Told
from engine.store.scan import Entry
from engine.store.stream import Claimed, Result

FIELD = b"order"
"""The field of a message that holds the order as JSON."""

SOURCE = "stream"
"""Whose its orders are, where sources take turns: no API key has such an id."""
MESSAGES_MAX = 1_000
"""Messages read at once."""
LOTS_AHEAD_MAX = 4
BLOCK_MS = 1_000
RETRY_S = 1.0
DELIVERIES_MAX = 5
ALONE_FROM = 3
"""From this delivery on a message is taken alone: should it be one that ends its consumer, it takes no other along."""
CLAIMS_PER_TERM = 4
"""Looks for what others left lie so many times in the term after which it may be taken over."""

log = structlog.get_logger(__name__)

_MORE_TRIES = (Unavailable, Overloaded, Contended)
_NO_JSON = b"!"


class StreamIntake:
    """Takes orders from the stream as long as it runs; `async with StreamIntake(engine, line_of=...)`."""

    def __init__(
        self, engine: Engine, *, line_of: Callable[[Told, str], bytes], count: Callable[[Lot], None] | None = None
    ) -> None:
        """`line_of` writes what became of an order that was not simply reserved; the text names the message.

        `count` is told of each lot that is done.
        """
        self._engine = engine
        self._calls = engine.store.stream
        self._consumer = engine.store.writer
        self._line_of = line_of
        self._count = count
        self._ahead = asyncio.Semaphore(LOTS_AHEAD_MAX)
        self._finishing: set[asyncio.Task[None]] = set()
        self._claims_s = 0.0
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "StreamIntake":
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Read no more, and finish what was read."""
        if self._task is not None:
            await end_task(self._task)
        if self._finishing:
            await asyncio.wait(self._finishing, timeout=self._engine.settings.drain_s)

    async def _run(self) -> None:
        while True:
            try:
                await self._calls.open()
                while True:
                    await self._turn()
            except StoreError as error:
                log.warning("the stream of orders cannot be read", error=str(error))
            except EngineClosed:
                return
            except Exception:
                log.exception("the stream of orders could not be served")
            await asyncio.sleep(RETRY_S)

    async def _turn(self) -> None:
        """One read of what is new, or of what others left."""
        now_s = time.monotonic()
        if now_s >= self._claims_s:
            self._claims_s = now_s + self._engine.settings.stream_claim_ms / 1000 / CLAIMS_PER_TERM
            await self._claim()
        entries = await self._calls.read(self._consumer, messages_max=MESSAGES_MAX, block_ms=BLOCK_MS)
        if entries:
            await self._take(entries)

    async def _claim(self) -> None:
        idle_ms = self._engine.settings.stream_claim_ms
        found = await self._calls.claim(self._consumer, idle_ms=idle_ms, messages_max=MESSAGES_MAX)
        if not found:
            return
        log.info("messages are taken over that were not finished", messages=len(found))
        given_up = [one for one in found if one.deliveries >= DELIVERIES_MAX]
        if given_up:
            await self._give_up(given_up)
        together = [(one.message, one.fields) for one in found if one.deliveries < ALONE_FROM]
        if together:
            await self._take(together)
        for one in found:
            if ALONE_FROM <= one.deliveries < DELIVERIES_MAX:
                alone = [(one.message, one.fields)]
                await self._finish(await self._submit(alone), alone)

    async def _take(self, entries: Sequence[Entry]) -> None:
        await self._ahead.acquire()
        try:
            lot = await self._submit(entries)
        except BaseException:
            self._ahead.release()
            raise
        finish = self._finish(lot, entries)
        self._finishing.add(task := asyncio.create_task(finish))
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._ahead.release()
        self._finishing.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Its messages are still open: they are taken over in time.
            log.warning("messages could not be finished", error=repr(error))

    async def _submit(self, entries: Sequence[Entry]) -> Lot:
        return await self._engine.submit_lot(b"\n".join(_line(fields) for _, fields in entries), source=SOURCE)

    async def _finish(self, lot: Lot, entries: Sequence[Entry]) -> None:
        await lot.done
        if self._count is not None:
            self._count(lot)
        results = []
        for place, (message, fields) in enumerate(entries):
            told = lot.told.get(place)
            if told is None:
                line = lot.core.answer(place)
                results.append(Result(message, lot.core.order_id(place) or "", "reserved", line[:-1]))
            elif not isinstance(told.outcome, _MORE_TRIES):
                results.append(self._result(message, told, fields))
        await self._write(results)

    async def _write(self, results: Sequence[Result]) -> None:
        settings = self._engine.settings
        await self._calls.finish(results, results_max=settings.stream_results_max, dead_max=settings.stream_dead_max)

    def _result(self, message: bytes, told: Told, fields: dict[bytes, bytes]) -> Result:
        line = self._line_of(told, message.decode())[:-1]
        outcome = msgspec.json.decode(line, type=_Line)
        if FIELD not in fields:
            reason: str | None = f"The message has no field `{FIELD.decode()}`."
        else:
            poison = isinstance(told.outcome, Broken | Invalid)
            reason = outcome.detail if poison else None
        return Result(message, told.order_id or "", outcome.outcome, line, reason, fields.get(FIELD, b""))

    async def _give_up(self, found: Sequence[Claimed]) -> None:
        reason = f"Not finished in {DELIVERIES_MAX} deliveries. Whether the order is held is not known: ask for it."
        line = msgspec.json.encode({"outcome": "unknown", "detail": reason})
        await self._write(
            [Result(one.message, "", "unknown", line, reason, one.fields.get(FIELD, b"")) for one in found]
        )


class _Line(msgspec.Struct):
    outcome: str
    detail: str = ""


def _line(fields: dict[bytes, bytes]) -> bytes:
    """The order of a message as one line; what cannot be one is a line that is no JSON."""
    order = fields.get(FIELD, b"")
    if b"\n" in order:
        # Between two names a line end is a blank; within a text it is a mistake, which must not be mended.
        with contextlib.suppress(msgspec.DecodeError):
            return msgspec.json.format(order, indent=-1)
        return _NO_JSON
    return order if order.strip() else _NO_JSON
