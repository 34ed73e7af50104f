"""A bulk over aiohttp: lines go out while results come in."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Mapping

import aiohttp
from yarl import URL

from api.client.calls import BULK, Reply
from api.client.results import BulkResult
from api.client.retry import Retry
from api.client.window import BULK_HEADERS, LOT_ORDERS, Window, bulk_attempts
from engine.model import Order

BROKEN = (aiohttp.ClientError, asyncio.TimeoutError, OSError)


class _EndedEarly(OSError):
    """The answer was whole, and lacked results."""


async def send_bulk(
    session: aiohttp.ClientSession,
    url: str,
    headers: Mapping[str, str],
    orders: Iterable[Order] | AsyncIterable[Order],
    retry: Retry,
) -> AsyncGenerator[BulkResult, None]:
    """What became of each order. Raises as AsyncStockade.bulk does; what `orders` raises, after all results."""
    outbox = _Outbox(orders)
    attempts = bulk_attempts(retry)
    try:
        # Only once there is something to send: nobody keeps a silent connection.
        while await outbox.anything():
            attempts.begin()
            try:
                async with session.post(
                    URL(url + BULK, encoded=True),
                    data=outbox.lines(),
                    headers={**headers, **BULK_HEADERS},
                    timeout=aiohttp.ClientTimeout(total=None, sock_connect=retry.attempt_s),
                    allow_redirects=False,
                ) as response:
                    if response.status != 200:
                        reply = Reply(
                            response.status, await response.read(), False, response.headers.get("Retry-After")
                        )
                        pause_s = attempts.pause_after(reply)
                    else:
                        while data := await outbox.read(response, retry.attempt_s):
                            for result in outbox.take(data):
                                attempts.progressed()
                                yield result
                        if not outbox.done:
                            raise _EndedEarly("the answer ended early")
                        continue
            except BROKEN as error:
                if outbox.idle:
                    # It was closed because nothing came.
                    attempts.progressed()
                    continue
                pause_s = attempts.pause_after_break(error, sent=True)
            await asyncio.sleep(pause_s)
        outbox.raise_failure()
    finally:
        await outbox.close()


class _Outbox:
    """Takes orders as their source gives them, and hands them out as lines."""

    def __init__(self, orders: Iterable[Order] | AsyncIterable[Order]) -> None:
        self._window = Window()
        self._queue: asyncio.Queue[Order | None] = asyncio.Queue(LOT_ORDERS)
        self._room = asyncio.Event()
        self._failure: Exception | None = None
        self._exhausted = False
        # Apart from the sender, which dies with its connection: a source must not.
        self._pump = asyncio.create_task(self._fill(orders))

    @property
    def idle(self) -> bool:
        """Whether every order so far has its result."""
        return len(self._window) == 0

    @property
    def done(self) -> bool:
        """Whether every order there is has its result."""
        return self._exhausted and self.idle

    async def anything(self) -> bool:
        """Wait until there is something to send; False when there will be nothing any more."""
        if self.idle and not self._exhausted:
            self._keep(await self._queue.get())
        return not self.done

    async def lines(self) -> AsyncIterator[bytes]:
        """A body: what has no result yet, and then what comes."""
        if again := self._window.again():
            yield again
        while not self._exhausted:
            self._room.clear()
            if self._window.full:
                await self._room.wait()
                continue
            lot = [await self._queue.get()]
            while not self._queue.empty() and len(lot) < LOT_ORDERS:
                lot.append(self._queue.get_nowait())
            yield self._keep(*lot)

    async def read(self, response: aiohttp.ClientResponse, seconds: float) -> bytes:
        """The next piece of an answer. Raises TimeoutError when results are due and do not come."""
        while True:
            waits = not self.idle
            try:
                async with asyncio.timeout(seconds):
                    return await response.content.readany()
            except TimeoutError:
                if waits:
                    raise

    def take(self, data: bytes) -> list[BulkResult]:
        """The results in a piece."""
        results = self._window.feed(data)
        self._room.set()
        return results

    def raise_failure(self) -> None:
        """Raise what the source raised."""
        if self._failure is not None:
            raise self._failure

    async def close(self) -> None:
        """Ask the source for nothing more."""
        self._pump.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._pump

    def _keep(self, *lot: Order | None) -> bytes:
        self._exhausted = self._exhausted or lot[-1] is None
        return self._window.add(order for order in lot if order is not None)

    async def _fill(self, orders: Iterable[Order] | AsyncIterable[Order]) -> None:
        try:
            if isinstance(orders, AsyncIterable):
                async for order in orders:
                    await self._queue.put(order)
            else:
                for order in orders:
                    await self._queue.put(order)
        except Exception as error:
            self._failure = error
        await self._queue.put(None)
