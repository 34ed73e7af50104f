"""The generic cell rate algorithm (ITU-T I.371, annex A) in its virtual scheduling form: one number a key.

That number is the time at which the next request would arrive if all came evenly (the theoretical arrival time). One
that comes no earlier than a tolerance before it conforms, and moves it on by the interval; the tolerance is that of a
burst. No timer refills anything, and a key that sends nothing costs nothing.
"""

from collections.abc import Callable
from math import inf
from time import monotonic

from msgspec import Struct

from api.rate_limit.times import Numbers, Times
from engine.access import KeyLimit, Principal

KEYS_MAX = 4_096
"""Keys that are known at once; more than a store has. Beyond, all are looked up anew."""
DEBTS_MAX = 64
"""Bursts that a number may be ahead: by more, it is of a former start of the machine, or of a former limit."""
PART = 4
"""Orders in bulk are let through by this part of a burst."""
BULK_PART = 2
"""They may be this part of a burst ahead, less two, before their next part: with that one they stay below the whole, so
that there is always something left for the key's other requests."""


class _Held(Struct):
    """Of one key: where its number is, and its limit as times."""

    limit: KeyLimit
    times: Numbers
    place: int
    interval_s: float
    tolerance_s: float
    bulk_tolerance_s: float
    part: int


class Limiter:
    """Counts the requests of all keys."""

    def __init__(self, times: Times, default: KeyLimit | None, clock: Callable[[], float] = monotonic) -> None:
        """`default`: of keys that have no limit of their own, and of who has no key, all together."""
        self._clock = clock
        self._times = times
        self._default = default
        self._held: dict[str | None, _Held] = {}
        self.refused = 0
        """Requests, since the start."""

    def take(self, principal: Principal) -> float:
        """Count a request: 0, or in how many seconds one would conform; then it is not counted."""
        limit = principal.limit or self._default
        if limit is None:
            return 0.0
        held = self._held.get(principal.key_id)
        if held is None or held.limit is not limit:
            held = self._hold(principal.key_id, limit)
        now_s = self._clock()
        times, place = held.times, held.place
        next_s = times[place]
        early_s = next_s - now_s - held.tolerance_s
        if early_s > 0:
            self.refused += 1
            return early_s
        times[place] = (next_s if next_s > now_s else now_s) + held.interval_s
        return 0.0

    def debit(self, principal: Principal, count: int) -> float:
        """Count so many that are let in anyhow; returns after how many seconds, so that who waits for that long each
        time keeps to the rate, and leaves a part of the burst."""
        limit = principal.limit or self._default
        if limit is None:
            return 0.0
        held = self._hold(principal.key_id, limit)
        now_s = self._clock()
        next_s = max(held.times[held.place], now_s) + count * held.interval_s
        held.times[held.place] = next_s
        return max(0.0, next_s - held.interval_s - held.bulk_tolerance_s - now_s)

    def part(self, principal: Principal) -> int | None:
        """How many orders in bulk are let through at once; None: any number."""
        limit = principal.limit or self._default
        return None if limit is None or not limit.rate_per_s else self._hold(principal.key_id, limit).part

    def _hold(self, key_id: str | None, limit: KeyLimit) -> _Held:
        held = self._held.get(key_id)
        if held is not None and held.limit is limit:
            return held
        if len(self._held) >= KEYS_MAX:
            self._held.clear()
        times, place = (held.times, held.place) if held is not None else self._times.place_of(key_id or "")
        burst = limit.burst_or_default
        interval_s = 1 / limit.rate_per_s if limit.rate_per_s else 0.0
        tolerance_s = (burst - 1) * interval_s if limit.rate_per_s else inf
        if times[place] > self._clock() + DEBTS_MAX * burst * interval_s:
            times[place] = 0.0
        # Below zero where a burst is three or less: then there are gaps between parts, in which others conform.
        bulk_tolerance_s = (burst // BULK_PART - 2) * interval_s
        held = _Held(limit, times, place, interval_s, tolerance_s, bulk_tolerance_s, max(1, burst // PART))
        self._held[key_id] = held
        return held
