"""The empty frame of a plot: axes with round ticks, the one upwards of powers of ten if need be; grid and words."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from pages import amounts
from pages.markup import Markup, element, join, text
from pages.scale import Axis, round_step, rounded_up, ticks

LEFT_PX, TOP_PX, BOTTOM_PX = 60, 30, 46
RIGHT_PX = {"wide": 104, "middle": 100, "narrow": 22}
"""Room at the right for labels of lines; a narrow figure has them in its table alone."""
TICK_GAP_X_PX, TICK_GAP_Y_PX = 74, 46
DECADE = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a plot draws."""

    across: Axis
    up: Axis
    logarithmic: bool
    marks: Markup

    def x(self, value: float) -> float:
        """The column of a value, kept inside."""
        return self.across.at(min(max(value, self.across.low), self.across.high))

    def y(self, value: float) -> float:
        """The row of a value, kept inside."""
        level = math.log10(max(value, 1e-9)) if self.logarithmic else value
        return self.up.at(min(max(level, self.up.low), self.up.high))

    def line(self, spots: list[tuple[float, float]]) -> str:
        """A path through values."""
        return "M" + "L".join(f"{self.x(x):.1f} {self.y(y):.1f}" for x, y in spots)


@dataclass(frozen=True, slots=True)
class Words:
    """What the axes are called."""

    across: str
    up: str


def frame(
    words: Words,
    *,
    layout: str,
    width: int,
    height: int,
    across_max: float,
    up_max: float,
    up_min: float | None = None,
    whole: bool = False,
) -> Frame:
    """From 0; upwards in powers of ten where `up_min`, above 0, is given. `whole`: across there is nothing between."""
    bottom, right = height - BOTTOM_PX, width - RIGHT_PX[layout]
    step = round_step(max(across_max, 1e-9), max(2, (right - LEFT_PX) // TICK_GAP_X_PX))
    step = max(1.0, round(step)) if whole else step
    across = Axis(0.0, max(across_max, step), LEFT_PX, right)
    if up_min is None:
        rise = round_step(max(up_max, 1e-9), max(2, (bottom - TOP_PX) // TICK_GAP_Y_PX))
        up = Axis(0.0, rounded_up(up_max, rise), bottom, TOP_PX)
        levels = [(value, value) for value in ticks(0.0, up.high, rise)]
    else:
        low, high = _around(up_min, up_max)
        up = Axis(math.log10(low), math.log10(high), bottom, TOP_PX)
        levels = [(value, math.log10(value)) for value in _decades(low, high)]
    marks = join((*_levels(levels, up, right, words.up), *_columns(across, step, bottom, words.across)))
    return Frame(across, up, up_min is not None, marks)


def _around(low: float, high: float) -> tuple[float, float]:
    """The nearest 1, 2 or 5 times a power of ten below and above."""
    low, high = max(low, 1e-3), max(high, low * 10, 1e-2)
    power = 10.0 ** math.floor(math.log10(low))
    floor = max(power * factor for factor in DECADE if power * factor <= low * 1.000001)
    power = 10.0 ** math.floor(math.log10(high))
    ceiling = next(power * factor for factor in (*DECADE, 10) if power * factor >= high * 0.999999)
    return floor, ceiling


def _decades(low: float, high: float) -> Iterator[float]:
    power = 10.0 ** math.floor(math.log10(low))
    while power <= high:
        for factor in DECADE:
            if low * 0.999 <= power * factor <= high * 1.001:
                yield power * factor
        power *= 10


def _levels(levels: list[tuple[float, float]], up: Axis, right: float, unit: str) -> list[Markup]:
    parts = [element("text", text(unit), class_="axis", x=0, y=12)]
    for place, (value, level) in enumerate(levels):
        y = up.at(level)
        parts.append(element("path", class_="grid" if place else "base", d=f"M{LEFT_PX} {y:.1f}H{right:.1f}"))
        words = text(f"{value:,.10g}" if value < 1 else amounts.count(value) if value >= 10 else f"{value:g}")
        parts.append(element("text", words, class_="tick", x=LEFT_PX - 8, y=y + 4, text_anchor="end"))
    return parts


def _columns(across: Axis, step: float, bottom: float, unit: str) -> list[Markup]:
    parts = []
    for value in ticks(across.low, across.high, step):
        x = across.at(value)
        parts.append(element("path", class_="base", d=f"M{x:.1f} {bottom}v4"))
        words = text(f"{value:,.10g}")
        parts.append(element("text", words, class_="tick", x=x, y=bottom + 18, text_anchor="middle"))
    words = text(unit)
    parts.append(element("text", words, class_="axis", x=across.high_px, y=bottom + 38, text_anchor="end"))
    return parts
