"""Keeps refusals from taking the time that orders need: those who ask on and on are answered later.

A refusal costs half as much as an order, and whoever is refused can ask again at once: a thousand connections that do
so leave a service that does nothing else. So after a number of refusals, one for two orders that were taken lately, the
others are held back: their connections ask nothing meanwhile. In each short period as many are told as that number
says, first those who were held back longest, a few at a time so that orders come in between. Whoever is told to come
back in a second has lost nothing by it.
"""

import asyncio
from collections import deque
from collections.abc import Callable

PERIOD_S = 0.25
TICKS = 25
"""Parts of a period in which those that were held back are told."""
AT_ONCE_PER_ORDER = 0.5
AT_ONCE_MIN = 1_000
"""In a period in which few orders were taken: a seventh of a processor's time, at the most."""
AT_ONCE_FIRST = 1_000
"""In a period before which there was no refusal."""
HELD_TOLD_MIN = 1_000
"""Of those that were held back, so many are told in a period, however few orders are taken: somebody waits for each."""


class Refusals:
    """When refusals are told. A connection has one at a time: no more are held back than there are connections."""

    def __init__(self, served: Callable[[], int]) -> None:
        """`served`: orders that were taken since the start."""
        self._served = served
        self._loop = asyncio.get_running_loop()
        self._left = AT_ONCE_FIRST
        self._told = 0
        self._before = 0
        self._held: deque[Callable[[], None]] = deque()
        self._due = 0
        """Of those held back, how many are told in this period."""
        self._a_tick = 0
        """How many of them in one part of it."""
        self._period: asyncio.TimerHandle | None = None
        self._tick: asyncio.TimerHandle | None = None

    @property
    def held(self) -> int:
        """How many are held back."""
        return len(self._held)

    def tell(self, answer: Callable[[], None]) -> None:
        """Call `answer` now, or in one of the next periods."""
        if self._period is None:
            self._before = self._served()
            self._period = self._loop.call_later(PERIOD_S, self._next)
        self._told += 1
        if self._left > 0:
            self._left -= 1
            answer()
        else:
            self._held.append(answer)

    async def turn(self) -> None:
        """Return when a refusal may be told."""
        turn = self._loop.create_future()

        def come() -> None:
            # Whoever waited may have gone.
            if not turn.done():
                turn.set_result(None)

        self.tell(come)
        await turn

    def release(self) -> None:
        """Tell all that are held back: the service stops."""
        self._tell(len(self._held))

    def _tell(self, count: int) -> None:
        # Who is told may ask at once, and be held back again.
        for _ in range(min(count, len(self._held))):
            self._held.popleft()()

    def _next(self) -> None:
        if not self._told and not self._held:
            self._period, self._left = None, AT_ONCE_FIRST
            return
        served = self._served()
        allowed = max(AT_ONCE_MIN, int(AT_ONCE_PER_ORDER * (served - self._before)))
        self._due = min(len(self._held), max(HELD_TOLD_MIN, allowed))
        self._left = max(0, allowed - self._due)
        self._a_tick = -(-self._due // TICKS)
        self._told, self._before = 0, served
        self._period = self._loop.call_later(PERIOD_S, self._next)
        if self._tick is None:
            self._tell_some()

    def _tell_some(self) -> None:
        now = min(self._a_tick, self._due)
        self._due -= now
        self._tell(now)
        self._tick = self._loop.call_later(PERIOD_S / TICKS, self._tell_some) if self._due else None
