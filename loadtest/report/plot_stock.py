"""The plot of the hot SKUs' stock over time: one line a SKU, named at its end."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from loadtest.report.panel import LABELS_PX, Panel, panel, thinned
from loadtest.result import SaleResult, StockPoint
from pages import amounts
from pages.figure import clip_to_width, drawing, figure, text_width, tooltip
from pages.markup import Markup, clipped, element, text
from pages.palette import HUES

LINES_DRAWN_MAX = 2 * HUES
"""A hue solid, then the same hue dashed: more lines could not be told apart. The table has them all."""

HEIGHT_PX = {"wide": 360, "middle": 340, "narrow": 320}
LABEL_PX = 12
LABEL_GAP_PX = 18
LEADER_PX, SAMPLE_PX = 22, 16


@dataclass(frozen=True, slots=True)
class Line:
    """Stock of one SKU: (seconds, units) per point. `sold_out_s` is when it reached zero and stayed there."""

    number: int
    sku: str
    points: tuple[tuple[float, int], ...]
    sold_out_s: float | None

    @property
    def ending(self) -> str:
        """What happened to the stock, in a few words."""
        if self.sold_out_s is None:
            return f"{amounts.count(self.points[-1][1])} left"
        return f"out at {amounts.seconds(self.sold_out_s)}"


def stock_lines(result: SaleResult) -> list[Line]:
    """The lines of every hot SKU that has at least one point."""
    points = thinned(result.timeline)
    lines = []
    for number, sku in enumerate(result.hot_skus):
        own = tuple((point.seconds, point.available[number]) for point in points if number < len(point.available))
        if own:
            lines.append(Line(number, sku, own, _sold_out_s(own)))
    return lines


def _sold_out_s(points: Sequence[tuple[float, int]]) -> float | None:
    if points[-1][1] > 0:
        return None
    in_stock = [index for index, (_, units) in enumerate(points) if units > 0]
    return points[in_stock[-1] + 1][0] if in_stock else points[0][0]


def stock_plot(result: SaleResult) -> Markup:
    """The plot in every layout."""
    lines = stock_lines(result)
    if not lines:
        return element("p", text("No stock was watched over time."), class_="empty")
    return figure(partial(_draw, thinned(result.timeline), lines[:LINES_DRAWN_MAX]))


def _draw(points: Sequence[StockPoint], lines: Sequence[Line], layout: str, width: int) -> Markup:
    height = HEIGHT_PX[layout]
    levels = [units for line in lines for _, units in line.points]
    plot = panel(
        points, layout=layout, width=width, height=height, low=min(levels), high=max(levels), unit="units available"
    )
    label_ys = _label_ys(lines, plot)
    drawn = [_line(line, plot, label_y, layout) for line, label_y in zip(lines, label_ys, strict=True)]
    return drawing(
        f"stock-{layout}",
        plot.marks,
        element("g", *drawn, class_="lines"),
        width=width,
        height=height,
        title="Stock of the hot SKUs over time",
        description="; ".join(f"{clipped(line.sku, 40)}: {line.ending}" for line in lines) + ".",
    )


def _label_ys(lines: Sequence[Line], plot: Panel) -> list[float]:
    """Where the labels stand: near their lines' ends, LABEL_GAP_PX apart, the earliest sold out lowest."""
    order = sorted(
        range(len(lines)), key=lambda at: (lines[at].points[-1][1], lines[at].sold_out_s or 0.0, lines[at].number)
    )
    ys = [0.0] * len(lines)
    ceiling = plot.level.low_px
    for at in order:
        ys[at] = min(ceiling, plot.level.at(lines[at].points[-1][1]))
        ceiling = ys[at] - LABEL_GAP_PX
    # Pushed out at the top, they move down again as far as needed.
    floor = plot.level.high_px
    for at in reversed(order):
        ys[at] = max(floor, ys[at])
        floor = ys[at] + LABEL_GAP_PX
    return ys


def _line(line: Line, plot: Panel, label_y: float, layout: str) -> Markup:
    # Sold out for good, a line ends there: a dozen lines along zero would say nothing.
    until = math.inf if line.sold_out_s is None else line.sold_out_s
    spots = [(plot.time.at(seconds), plot.level.at(units)) for seconds, units in line.points if seconds <= until]
    (end_x, end_y), in_stock = spots[-1], line.sold_out_s is None
    style = f"hue-{line.number % HUES + 1}" + (" dashed" if line.number % (2 * HUES) >= HUES else "")
    parts = [tooltip(f"{clipped(line.sku, 40)}: {line.ending}")]
    if len(spots) > 1:
        parts.append(element("path", d="M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in spots)))
    if not in_stock or len(spots) == 1:
        parts.append(element("circle", cx=end_x, cy=end_y, r=3.5))
    words_x = plot.right + LEADER_PX + SAMPLE_PX + 8
    room = LABELS_PX[layout] - (words_x - plot.right)
    ending = "" if layout == "narrow" else f"  {line.ending}"
    name = clip_to_width(line.sku, LABEL_PX, room - text_width(ending, LABEL_PX))
    sample_x = plot.right + LEADER_PX
    parts.append(element("path", d=f"M{sample_x:.1f} {label_y:.1f}h{SAMPLE_PX}"))
    if in_stock:
        leader = f"M{plot.right + 3:.1f} {end_y:.1f}L{sample_x - 2:.1f} {label_y:.1f}"
        parts.append(element("path", class_="leader", d=leader))
    else:
        parts.append(element("circle", cx=sample_x + SAMPLE_PX, cy=label_y, r=3))
    label = element("tspan", text(ending), class_="aside")
    parts.append(element("text", text(name), label, x=words_x, y=label_y + 4))
    return element("g", *parts, class_=style)
