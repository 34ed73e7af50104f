"""Places labels on a map so that none covers another: greedy, the first wish first. What finds no room is left out."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from pages.figure import text_width

DIRECTIONS = ((1, 0), (-1, 0), (0, -1), (0, 1), (0.7, -0.7), (0.7, 0.7), (-0.7, -0.7), (-0.7, 0.7))
"""Where a label may stand, best first: east, west, north, south, then the corners."""

REACH_PX = (0, 14, 28, 44)
"""How far a label may move away; beyond the first it needs a leader line."""

GAP_PX = 3
LINE_EM = 1.15


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: "Box") -> bool:
        """Whether the two share any area."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def holds(self, other: "Box") -> bool:
        """Whether `other` lies wholly inside."""
        return (
            self.left <= other.left
            and other.right <= self.right
            and self.top <= other.top
            and other.bottom <= self.bottom
        )


@dataclass(frozen=True, slots=True)
class Wish:
    """A label for the mark at (x, y) of `radius` pixels. Only one with `may_lead` may stand off with a leader line."""

    x: float
    y: float
    radius: float
    words: str
    size_px: float
    style: str
    may_lead: bool


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a wish came to stand: text anchor and baseline, and whether it needs a leader back to its mark."""

    wish: Wish
    box: Box
    x: float
    y: float
    anchor: str
    leads: bool


def around(x: float, y: float, radius: float) -> Box:
    """The square about a mark."""
    return Box(x - radius, y - radius, x + radius, y + radius)


def place_labels(wishes: Iterable[Wish], *, bounds: Box, marks: Iterable[Box]) -> list[Placed]:
    """The labels that found room inside `bounds`, clear of `marks` and of each other."""
    taken, placed = list(marks), []
    for wish in wishes:
        for candidate in _candidates(wish):
            if bounds.holds(candidate.box) and not any(candidate.box.overlaps(box) for box in taken):
                taken.append(candidate.box)
                placed.append(candidate)
                break
    return placed


def _candidates(wish: Wish) -> Iterable[Placed]:
    width, height = text_width(wish.words, wish.size_px), wish.size_px * LINE_EM
    for reach in REACH_PX if wish.may_lead else REACH_PX[:1]:
        for east, south in DIRECTIONS:
            away = wish.radius + GAP_PX + reach
            x, y = wish.x + east * away, wish.y + south * away
            left = x if east > 0 else x - width if east < 0 else x - width / 2
            middle = y + math.copysign(height / 2, south) if not east else y
            box = Box(left, middle - height / 2, left + width, middle + height / 2)
            anchor = "start" if east > 0 else "end" if east < 0 else "middle"
            yield Placed(wish, box, x, middle + wish.size_px * 0.35, anchor, leads=reach > 0)
