"""The plot of the run over time: what was due and what was accepted in each second, point by point."""

from collections.abc import Sequence
from functools import partial

from loadtest.capacity.point import Point
from loadtest.capacity.report.frame import Frame, Words, frame
from loadtest.capacity.result import CapacityResult
from pages.figure import drawing, figure, tooltip
from pages.markup import Markup, element, text

HEIGHT_PX = 260


def time_plot(result: CapacityResult) -> Markup:
    """The plot in every layout."""
    points = sorted(
        (point for session in result.sessions for point in (*session.ramp, *session.sweep) if point.timeline),
        key=lambda point: point.number,
    )
    if not points:
        return element("p", text("No whole second was measured."), class_="empty")
    return figure(partial(_draw, result, points))


def _draw(result: CapacityResult, points: Sequence[Point], layout: str, width: int) -> Markup:
    seconds = [second for point in points for second in point.timeline]
    plot = frame(
        Words("minutes since the begin", "orders a second"),
        layout=layout,
        width=width,
        height=HEIGHT_PX,
        across_max=max(seconds[-1].at_s + 1, result.seconds) / 60,
        up_max=max(max(second.due, second.ok) for second in seconds),
    )
    return drawing(
        f"time-{layout}",
        plot.marks,
        *(_stretch(point, plot) for point in points),
        *_labels(plot, layout),
        width=width,
        height=HEIGHT_PX,
        title="The run over time",
        description=f"{len(points)} points in their order, each with what was due and what was accepted.",
    )


def _stretch(point: Point, plot: Frame) -> Markup:
    """One point: steps of a second."""
    due, accepted = [], []
    for second in point.timeline:
        from_, to = second.at_s / 60, (second.at_s + 1) / 60
        due += [(from_, second.due), (to, second.due)]
        accepted += [(from_, second.ok), (to, second.ok)]
    floor = plot.up.low_px
    area = f"{plot.line(accepted)}V{floor:.1f}H{plot.x(accepted[0][0]):.1f}Z"
    kind = "closed loop" if point.share is None else f"{point.share:.0%} of the peak"
    words = f"{kind}: {point.goodput_per_s:,.0f} a second accepted"
    style = "rate-area bound" if point.generator_bound else "rate-area"
    return element(
        "g",
        tooltip(words),
        element("path", class_=style, d=area),
        element("path", class_="rate", d=plot.line(accepted)),
        element("path", class_="due", d=plot.line(due)),
    )


def _labels(plot: Frame, layout: str) -> list[Markup]:
    if layout == "narrow":
        return []
    x, y = plot.across.high_px + 12, plot.up.high_px + 8
    return [
        element("path", class_="due", d=f"M{x:.1f} {y:.1f}h18"),
        element("text", text("due"), x=x + 24, y=y + 4),
        element("path", class_="rate", d=f"M{x:.1f} {y + 20:.1f}h18"),
        element("text", text("accepted"), x=x + 24, y=y + 24),
    ]
