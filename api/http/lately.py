"""What was asked a moment ago, for all who ask again: paths that take no key must not cost the store a call each."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")

KEPT_S = 0.5


class Lately(Generic[T]):
    """The answer to one question."""

    def __init__(self, ask: Callable[[], Awaitable[T]]) -> None:
        self._ask = ask
        self._asking: asyncio.Task[T] | None = None
        self._asked = 0.0

    async def get(self) -> T:
        """The answer, begun KEPT_S ago at the most; who asks while it is under way gets it, too. Raises as it does."""
        now = asyncio.get_running_loop().time()
        if self._asking is None or (self._asking.done() and now - self._asked >= KEPT_S):
            self._asked = now
            self._asking = asyncio.ensure_future(self._answer())
        return await asyncio.shield(self._asking)

    async def _answer(self) -> T:
        return await self._ask()
