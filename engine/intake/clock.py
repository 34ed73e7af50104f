"""The store's clock as this process reckons it: by it records say when they were made, and warehouses' days begin.

So all processes on a store change day together. Before the first reply this machine's clock tells it. Does no I/O.
"""

import time
from collections.abc import Sequence

from engine.intake.commit import Reply

DAY_MS = 86_400_000


class StoreClock:
    """What the last reply showed, and what went by since.

    What goes by is told by a clock that nobody sets: when this machine's is set right, or wrong, no order hears of it.
    """

    def __init__(self) -> None:
        self.ahead_ms = time.time_ns() // 1_000_000 - _passing_ms()

    def hear(self, replies: Sequence[Reply]) -> None:
        """Learn the store's time from replies that have just come."""
        for _, now_ms, *_ in replies:
            self.ahead_ms = now_ms - _passing_ms()

    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        return _passing_ms() + self.ahead_ms

    def day(self) -> int:
        """Days since 1970, UTC."""
        return self.now_ms() // DAY_MS


def _passing_ms() -> int:
    return time.monotonic_ns() // 1_000_000
