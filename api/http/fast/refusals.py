"""Keeps refusals from taking the time that orders need: those who ask on and on are answered later.

A refusal is cheap, but whoever is refused can ask again at once, and a thousand connections that do so leave a service
that does nothing else. So after a number of refusals, some for each order that was taken lately, the others are held
back to the end of a short period: their connections ask nothing meanwhile. An overload by several times what the
service can do is told at once.
"""

import asyncio
from collections.abc import Callable

PERIOD_S = 0.25
AT_ONCE_PER_ORDER = 4
AT_ONCE_MIN = 64
"""In a period in which no order was taken."""
AT_ONCE_FIRST = 1_000
"""In a period before which there was no refusal."""


class Refusals:
    """When refusals are told. A connection has one at a time: no more are held back than there are connections."""

    def __init__(self, served: Callable[[], int]) -> None:
        """`served`: orders that were taken since the start."""
        self._served = served
        self._loop = asyncio.get_running_loop()
        self._left = AT_ONCE_FIRST
        self._told = 0
        self._before = 0
        self._held: list[Callable[[], None]] = []
        self._period: asyncio.TimerHandle | None = None

    def tell(self, answer: Callable[[], None]) -> None:
        """Call `answer` now, or at the end of the period."""
        if self._period is None:
            self._before = self._served()
            self._period = self._loop.call_later(PERIOD_S, self._next)
        self._told += 1
        if self._left > 0:
            self._left -= 1
            answer()
        else:
            self._held.append(answer)

    def release(self) -> None:
        """Tell all that are held back: the service stops."""
        held, self._held = self._held, []
        for answer in held:
            answer()

    def _next(self) -> None:
        if not self._told:
            self._period, self._left = None, AT_ONCE_FIRST
            return
        served = self._served()
        self._left = max(AT_ONCE_MIN, AT_ONCE_PER_ORDER * (served - self._before))
        self._told, self._before = 0, served
        self._period = self._loop.call_later(PERIOD_S, self._next)
        self.release()
