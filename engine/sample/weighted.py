"""Draws values by weight. Does no I/O."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

Value = TypeVar("Value")


class WeightedDraw(Generic[Value]):
    """Values with weights, drawn in O(log n). Raises ValueError where no weight is above 0."""

    def __init__(self, values: Sequence[Value], weights: Sequence[float]) -> None:
        if len(values) != len(weights) or not any(weight > 0 for weight in weights):
            raise ValueError(f"{len(values)} values need as many weights, one above 0; got {len(weights)}")
        self._values = values
        # Added up one by one: sum() rounds otherwise from Python 3.12 on, and one seed must mean one draw everywhere.
        self._bounds = list(accumulate(weights))
        self._total = self._bounds[-1]
        self._last = max(place for place, weight in enumerate(weights) if weight > 0)

    def draw(self, random: Random) -> Value:
        """One value; each call takes exactly one `random.random()`."""
        return self._values[bisect_right(self._bounds, random.random() * self._total, 0, self._last)]
