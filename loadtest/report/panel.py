"""The empty panel of a plot over time: its axes, grid and words. Both plots share it, so that their seconds align."""

from collections.abc import Sequence
from dataclasses import dataclass

from loadtest.result import StockPoint
from pages import amounts
from pages.markup import Markup, element, join, text
from pages.scale import Axis, round_step, rounded_up, ticks

POINTS_DRAWN_MAX = 240
"""Points of the timeline that are drawn; more are thinned evenly, and the last is always kept."""

LEFT_PX, TOP_PX, BOTTOM_PX = 56, 28, 42
LABELS_PX = {"wide": 240, "middle": 215, "narrow": 112}
"""Room at the right for the labels at the lines' ends."""

TICK_GAP_X_PX, TICK_GAP_Y_PX = 48, 48


@dataclass(frozen=True, slots=True)
class Panel:
    """Where a plot draws. `time` maps seconds, `level` maps what the plot shows."""

    time: Axis
    level: Axis
    marks: Markup

    @property
    def right(self) -> float:
        """The column where the plot ends and the labels begin."""
        return self.time.high_px


def thinned(timeline: Sequence[StockPoint]) -> list[StockPoint]:
    """At most POINTS_DRAWN_MAX points, in time order."""
    points = sorted(timeline, key=lambda point: point.seconds)
    if len(points) <= POINTS_DRAWN_MAX:
        return points
    last = len(points) - 1
    return [points[round(index * last / (POINTS_DRAWN_MAX - 1))] for index in range(POINTS_DRAWN_MAX)]


def panel(
    points: Sequence[StockPoint], *, layout: str, width: int, height: int, low: float, high: float, unit: str
) -> Panel:
    """A panel from the sale's begin to the last point, and from `low` (at most 0) to a round number above `high`."""
    bottom = height - BOTTOM_PX
    until = max((point.seconds for point in points), default=0.0)
    right = width - LABELS_PX[layout]
    time = Axis(0.0, until if until > 0 else 1.0, LEFT_PX, right)
    step = max(1.0, round_step(max(high, 1.0) - min(low, 0.0), max(2, (bottom - TOP_PX) // TICK_GAP_Y_PX)))
    floor = -rounded_up(-low, step) if low < 0 else 0.0
    level = Axis(floor, rounded_up(high, step), bottom, TOP_PX)
    return Panel(time, level, join((*_levels(level, right, step, unit), *_times(time, bottom))))


def _levels(level: Axis, right: float, step: float, unit: str) -> list[Markup]:
    parts = [element("text", text(unit), class_="axis", x=0, y=12)]
    for value in ticks(level.low, level.high, step):
        y = level.at(value)
        style = "base" if abs(value) < step / 2 else "grid"
        parts.append(element("path", class_=style, d=f"M{LEFT_PX} {y:.1f}H{right:.1f}"))
        words = text(amounts.count(value))
        parts.append(element("text", words, class_="tick", x=LEFT_PX - 8, y=y + 4, text_anchor="end"))
    return parts


def _times(time: Axis, bottom: float) -> list[Markup]:
    step = round_step(time.high - time.low, max(2, int((time.high_px - time.low_px) // TICK_GAP_X_PX)))
    parts = []
    for value in ticks(time.low, time.high, step):
        x = time.at(value)
        parts.append(element("path", class_="base", d=f"M{x:.1f} {bottom}v4"))
        words = text(f"{value:.10g}")
        parts.append(element("text", words, class_="tick", x=x, y=bottom + 18, text_anchor="middle"))
    words = text("seconds since the sale began")
    parts.append(element("text", words, class_="axis", x=time.high_px, y=bottom + 36, text_anchor="end"))
    return parts
