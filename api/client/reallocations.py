"""Re-allocations of a service, for threads and for asyncio: begun, waited for, looked at, applied, taken back."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

from api.client import reallocation_calls as calls
from engine.reallocation.model import ReallocationRequest, ReallocationStatus
from engine.reallocation.moves import Move

WAIT_S = 300.0
PAUSE_S, PAUSE_MAX_S = 0.05, 1.0
"""Between two looks: twice as long each time, up to the most."""

UNDER_WAY = ("planning", "applying", "rolling_back")


class Reallocations:
    """`stockade.reallocations`: every method raises as those of the client."""

    def __init__(self, do: Callable[[Any], Any]) -> None:
        """`do` makes a call."""
        self._do = do

    def begin(self, request: ReallocationRequest | None = None, **fields: Any) -> ReallocationStatus:
        """Have a run planned, by a request or its fields; nothing moves before it is applied."""
        return self._status(calls.begin(request or ReallocationRequest(**fields)))

    def get(self, run_id: str) -> ReallocationStatus:
        """How a run stands. Raises NotFound."""
        return self._status(calls.get(run_id))

    def wait(self, run_id: str, *, seconds: float = WAIT_S) -> ReallocationStatus:
        """How a run stands once it is not planned, applied or rolled back any more. Raises TimeoutError, NotFound."""
        deadline_s, pause_s = time.monotonic() + seconds, PAUSE_S
        while (status := self.get(run_id)).state in UNDER_WAY:
            if time.monotonic() >= deadline_s:
                raise TimeoutError(_late(status, seconds))
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, PAUSE_MAX_S)
        return status

    def all(self) -> list[ReallocationStatus]:
        """The last runs, the newest first."""
        found: list[ReallocationStatus] = self._do(calls.every())
        return found

    def apply(self, run_id: str) -> ReallocationStatus:
        """Have it move what was planned; `wait` for the end. Raises ProblemError where its state forbids it."""
        return self._status(calls.act(run_id, "apply"))

    def cancel(self, run_id: str) -> ReallocationStatus:
        """Have it move nothing more."""
        return self._status(calls.act(run_id, "cancel"))

    def rollback(self, run_id: str) -> ReallocationStatus:
        """Have it take back what it moved and what has not left; `wait` for the end."""
        return self._status(calls.act(run_id, "rollback"))

    def moves(self, run_id: str) -> Iterator[Move]:
        """What it moves, page by page."""
        return self._pages(lambda cursor: calls.moves_page(run_id, cursor))

    def unserved(self, run_id: str) -> Iterator[tuple[str, str]]:
        """Orders that nothing serves, and why."""
        return self._pages(lambda cursor: calls.orders_page(run_id, "unserved", cursor))

    def skipped(self, run_id: str) -> Iterator[tuple[str, str]]:
        """Orders that were not moved as something had changed, and why."""
        return self._pages(lambda cursor: calls.orders_page(run_id, "skipped", cursor))

    def _status(self, call: Any) -> ReallocationStatus:
        status: ReallocationStatus = self._do(call)
        return status

    def _pages(self, page_of: Callable[[str | None], Any]) -> Iterator[Any]:
        cursor: str | None = None
        while True:
            page = self._do(page_of(cursor))
            yield from page.rows
            cursor = page.cursor
            if cursor is None:
                return


class AsyncReallocations:
    """The same for asyncio."""

    def __init__(self, do: Callable[[Any], Awaitable[Any]]) -> None:
        self._do = do

    async def begin(self, request: ReallocationRequest | None = None, **fields: Any) -> ReallocationStatus:
        """Have a run planned, by a request or its fields; nothing moves before it is applied."""
        return await self._status(calls.begin(request or ReallocationRequest(**fields)))

    async def get(self, run_id: str) -> ReallocationStatus:
        """How a run stands. Raises NotFound."""
        return await self._status(calls.get(run_id))

    async def wait(self, run_id: str, *, seconds: float = WAIT_S) -> ReallocationStatus:
        """How a run stands once it is not planned, applied or rolled back any more. Raises TimeoutError, NotFound."""
        deadline_s, pause_s = time.monotonic() + seconds, PAUSE_S
        while (status := await self.get(run_id)).state in UNDER_WAY:
            if time.monotonic() >= deadline_s:
                raise TimeoutError(_late(status, seconds))
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, PAUSE_MAX_S)
        return status

    async def all(self) -> list[ReallocationStatus]:
        """The last runs, the newest first."""
        found: list[ReallocationStatus] = await self._do(calls.every())
        return found

    async def apply(self, run_id: str) -> ReallocationStatus:
        """Have it move what was planned; `wait` for the end. Raises ProblemError where its state forbids it."""
        return await self._status(calls.act(run_id, "apply"))

    async def cancel(self, run_id: str) -> ReallocationStatus:
        """Have it move nothing more."""
        return await self._status(calls.act(run_id, "cancel"))

    async def rollback(self, run_id: str) -> ReallocationStatus:
        """Have it take back what it moved and what has not left; `wait` for the end."""
        return await self._status(calls.act(run_id, "rollback"))

    def moves(self, run_id: str) -> AsyncIterator[Move]:
        """What it moves, page by page."""
        return self._pages(lambda cursor: calls.moves_page(run_id, cursor))

    def unserved(self, run_id: str) -> AsyncIterator[tuple[str, str]]:
        """Orders that nothing serves, and why."""
        return self._pages(lambda cursor: calls.orders_page(run_id, "unserved", cursor))

    def skipped(self, run_id: str) -> AsyncIterator[tuple[str, str]]:
        """Orders that were not moved as something had changed, and why."""
        return self._pages(lambda cursor: calls.orders_page(run_id, "skipped", cursor))

    async def _status(self, call: Any) -> ReallocationStatus:
        status: ReallocationStatus = await self._do(call)
        return status

    async def _pages(self, page_of: Callable[[str | None], Any]) -> AsyncIterator[Any]:
        cursor: str | None = None
        while True:
            page = await self._do(page_of(cursor))
            for row in page.rows:
                yield row
            cursor = page.cursor
            if cursor is None:
                return


def _late(status: ReallocationStatus, seconds: float) -> str:
    return f'"{status.id}" is {status.state} after {seconds:g} s; it may go on: look again'
