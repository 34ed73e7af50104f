"""What a plan is asked, and one of its answers with its mark.

`measured`: that load, or that number, was there. `interpolated`: less and more of it was. `extrapolated`: a line or the
law was followed beyond it, `beyond` times as far. `not-measured`: nobody knows, and no number is made up.
"""

import math
from collections.abc import Sequence
from typing import Literal, TypedDict

from msgspec import Struct

Basis = Literal["measured", "interpolated", "extrapolated", "not-measured"]


class Wanted(Struct, frozen=True, kw_only=True):
    """What is asked."""

    peak_per_s: float
    """Orders."""
    p99_ms: float
    headroom: float
    """Share of what could be done that the peak leaves free, below 1."""
    orders_kept: float
    """In the store."""
    cells: float | None
    """Of stock; None: those of the run."""

    @property
    def needed_per_s(self) -> float:
        """What must be possible."""
        return self.peak_per_s / (1 - self.headroom)


class Answer(Struct, frozen=True, kw_only=True):
    """One line."""

    what: str
    value: float | None
    unit: str
    basis: Basis
    beyond: float | None = None
    """How many times farther than what was measured."""
    how: str


class Mark(TypedDict):
    basis: Basis
    beyond: float | None


def mark(needed: float, load: float) -> Mark:
    """The mark of what is needed at a load, where another one was there."""
    return far([needed / load if load else math.inf])


def far(times: Sequence[float]) -> Mark:
    """The mark of something that lies so many times as far as what was measured."""
    most = max(times, default=1.0)
    if most <= 1:
        return Mark(basis="measured", beyond=None)
    return Mark(basis="extrapolated", beyond=most if math.isfinite(most) else None)


def unknown(what: str, unit: str, how: str) -> Answer:
    """What was not seen, and why."""
    return Answer(what=what, value=None, unit=unit, basis="not-measured", how=how)
