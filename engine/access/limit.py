"""How many requests a key may send."""

from math import ceil

from msgspec import Struct

RATE_PER_S_MAX = 1_000_000.0
BURST_MAX = 1_000_000


class KeyLimit(Struct, frozen=True):
    """So many a second in the long run, and at once."""

    rate_per_s: float
    """0: any number."""
    burst: int = 0
    """0: those of a second."""

    @property
    def burst_or_default(self) -> int:
        """The burst, 1 at the least."""
        return self.burst or max(1, ceil(self.rate_per_s))
