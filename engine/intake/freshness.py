"""Measures how old the view of the stock is, and wakes those who wait for events. Does no I/O."""

import asyncio
from collections import deque
from time import monotonic, time

import msgspec

LAGS_KEPT = 10_000
"""Measured ages that are kept, of the latest events."""

LAG_WINDOW_S = 10.0
"""How far back `lag_ms` looks for the worst."""

CLOCK_KEPT_S = 60.0
"""How long a look at the store's clock counts before a worse one may take its place: clocks drift apart."""


class _Clock(msgspec.Struct):
    offset_ms: float
    """The store's clock less ours."""
    round_trip_ms: float
    at: float


class Freshness:
    """How far the view is behind the store. A partition may be on a machine of its own, with a clock of its own."""

    def __init__(self) -> None:
        self.lags: deque[tuple[float, float]] = deque(maxlen=LAGS_KEPT)
        """(monotonic time, age in ms at which an event of others got into the view)."""
        self._clocks: dict[int, _Clock] = {}
        self._applied: dict[int, int] = {}
        self._newest: dict[int, int] = {}
        self._behind_since: dict[int, float] = {}
        self._news = asyncio.Event()

    def loaded(self, numbers: list[int]) -> None:
        """Everything was read anew, as of these events, by partition."""
        self._applied = dict(enumerate(numbers))
        self._newest = {}
        self._behind_since = {}
        self.wake()

    def saw_clock(self, partition: int, *, sent: float, received: float, now_ms: int, newest: int) -> None:
        """The store answered with its clock and the number of its newest event; `sent` and `received` as `time()`."""
        round_trip_ms, now = (received - sent) * 1000, monotonic()
        known = self._clocks.get(partition)
        if known is None or round_trip_ms <= known.round_trip_ms or now - known.at > CLOCK_KEPT_S:
            # The store's clock is told in whole milliseconds: half of one is lost on average.
            offset_ms = now_ms + 0.5 - (sent + received) * 500
            self._clocks[partition] = _Clock(offset_ms, round_trip_ms, now)
        self._newest[partition] = newest
        self._look(partition, now)

    def applied(self, partition: int, n: int, *, oldest_of_others: bytes | None) -> None:
        """Events up to number n are in the view; `oldest_of_others` is the id of the first that was not our own."""
        self._applied[partition] = n
        now, clock = monotonic(), self._clocks.get(partition)
        if oldest_of_others is not None and clock is not None:
            made_ms = int(oldest_of_others.partition(b"-")[0])
            self.lags.append((now, max(0.0, time() * 1000 + clock.offset_ms - made_ms)))
        self._look(partition, now)
        self.wake()

    @property
    def events_behind(self) -> int:
        """Events that the store had at the last look at its clock and that are not in the view."""
        return sum(max(0, newest - self._applied.get(number, 0)) for number, newest in self._newest.items())

    @property
    def lag_ms(self) -> float:
        """The worst age of the last LAG_WINDOW_S seconds, in ms; also of what is not in the view yet."""
        now = monotonic()
        worst = max(((now - since) * 1000 for since in self._behind_since.values()), default=0.0)
        for at, lag in reversed(self.lags):
            if now - at > LAG_WINDOW_S:
                break
            worst = max(worst, lag)
        return round(worst, 1)

    def news(self) -> asyncio.Event:
        """Set when the next event comes. Take it before you look, so that none is missed in between."""
        return self._news

    def wake(self) -> None:
        """Let all who wait for news look."""
        self._news.set()
        self._news = asyncio.Event()

    def _look(self, partition: int, now: float) -> None:
        if self._newest.get(partition, 0) > self._applied.get(partition, 0):
            self._behind_since.setdefault(partition, now)
        else:
            self._behind_since.pop(partition, None)
