"""Axes: maps numbers to pixels and chooses round ticks. Linear only."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

ROUND_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Axis:
    """The straight map of `low`..`high` (any unit, high > low) to `low_px`..`high_px`."""

    low: float
    high: float
    low_px: float
    high_px: float

    def at(self, value: float) -> float:
        """The pixel of `value`."""
        return self.low_px + (value - self.low) / (self.high - self.low) * (self.high_px - self.low_px)


def round_step(span: float, steps: int) -> float:
    """The round step (1, 2, 2.5 or 5 times a power of ten) that cuts `span` into at most about `steps`."""
    if not math.isfinite(span) or span <= 0:
        return 1.0
    rough = span / steps
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * factor for factor in ROUND_STEPS if power * factor >= rough * 0.999)


def ticks(low: float, high: float, step: float) -> Iterator[float]:
    """Every multiple of `step` from `low` to `high`, both included."""
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return (index * step for index in range(first, last + 1))


def rounded_up(value: float, step: float) -> float:
    """The first multiple of `step` at or above `value`, at least one step."""
    return max(step, math.ceil(value / step - 1e-9) * step)
