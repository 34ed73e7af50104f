"""The plot of orders per second, under the stock plot and with the same seconds."""

import math
from collections.abc import Sequence
from functools import partial

from loadtest.report.panel import Panel, panel, thinned
from loadtest.result import SaleResult, StockPoint
from pages import amounts
from pages.figure import drawing, figure, tooltip
from pages.markup import EMPTY, Markup, element, text

HEIGHT_PX = 220
LABEL_GAP_PX = 17


def rate_plot(result: SaleResult) -> Markup:
    """The plot in every layout."""
    points = thinned(result.timeline)
    if not any(math.isfinite(point.orders_per_second) for point in points):
        return element("p", text("No rate was measured over time."), class_="empty")
    return figure(partial(_draw, points, result.orders_per_second))


def _draw(points: Sequence[StockPoint], mean: float, layout: str, width: int) -> Markup:
    # A rate over no time at all is no number, and cannot be drawn.
    measured = [point for point in points if math.isfinite(point.orders_per_second)]
    peak = max(measured, key=lambda point: point.orders_per_second)
    high = max(peak.orders_per_second, mean) if math.isfinite(mean) else peak.orders_per_second
    plot = panel(points, layout=layout, width=width, height=HEIGHT_PX, low=0.0, high=high, unit="orders per second")
    peak_words = f"peak {amounts.count(peak.orders_per_second)}/s"
    mean_words = f"mean {amounts.count(mean)}/s"
    return drawing(
        f"rate-{layout}",
        plot.marks,
        *_rates(measured, plot),
        _mean(plot, mean, peak.orders_per_second, mean_words) if math.isfinite(mean) else EMPTY,
        _peak(plot, peak, peak_words),
        width=width,
        height=HEIGHT_PX,
        title="Orders per second over time",
        description=f"{peak_words} at {amounts.seconds(peak.seconds)}, {mean_words}.",
    )


def _rates(points: Sequence[StockPoint], plot: Panel) -> list[Markup]:
    spots = [(plot.time.at(point.seconds), plot.level.at(point.orders_per_second)) for point in points]
    if len(spots) == 1:
        return [element("circle", class_="rate-dot", cx=spots[0][0], cy=spots[0][1], r=4)]
    line = "L".join(f"{x:.1f} {y:.1f}" for x, y in spots)
    floor = f"{plot.level.low_px:.1f}"
    area = f"M{spots[0][0]:.1f} {floor}L{line}L{spots[-1][0]:.1f} {floor}Z"
    return [element("path", class_="rate-area", d=area), element("path", class_="rate", d=f"M{line}")]


def _mean(plot: Panel, mean: float, peak: float, words: str) -> Markup:
    y = plot.level.at(mean)
    # The peak's label stands in the same column; the mean gives way.
    label_y = max(y, plot.level.at(peak) + LABEL_GAP_PX)
    line = element("path", class_="mean", d=f"M{plot.time.low_px:.1f} {y:.1f}H{plot.right:.1f}")
    return element("g", tooltip(words), line, element("text", text(words), x=plot.right + 12, y=label_y + 4))


def _peak(plot: Panel, peak: StockPoint, words: str) -> Markup:
    x, y = plot.time.at(peak.seconds), plot.level.at(peak.orders_per_second)
    leader = element("path", class_="leader", d=f"M{x:.1f} {y:.1f}H{plot.right + 6:.1f}")
    dot = element("circle", class_="rate-dot", cx=x, cy=y, r=4)
    return element("g", tooltip(words), leader, dot, element("text", text(words), x=plot.right + 12, y=y + 4))
