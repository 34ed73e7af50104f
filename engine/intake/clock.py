"""The store's clock as this process reckons it: by it records say when they were made, and warehouses' days begin.

So all processes on a store change day together. Before the first reply this machine's clock tells it. Does no I/O.
"""

import time
from collections.abc import Sequence

from engine.intake.commit import Reply

DAY_MS = 86_400_000


class StoreClock:
    """The store's clock, kept by how far it is ahead of this machine's."""

    def __init__(self) -> None:
        self.ahead_ms = 0.0

    def hear(self, replies: Sequence[Reply]) -> None:
        """Learn the store's time from replies that have just come."""
        for _, now_ms, *_ in replies:
            self.ahead_ms = now_ms - time.time() * 1000

    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        return max(0, int(time.time() * 1000 + self.ahead_ms))

    def day(self) -> int:
        """Days since 1970, UTC."""
        return self.now_ms() // DAY_MS
