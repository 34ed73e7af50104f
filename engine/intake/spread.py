"""Counts how values spread over bounds."""

from bisect import bisect_left
from collections.abc import Sequence


class Spread:
    """How many values are at each bound or below it, and above the one before; the last count is of all above."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        """`bounds` rise."""
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0
        """Of all values together."""

    def add(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value
