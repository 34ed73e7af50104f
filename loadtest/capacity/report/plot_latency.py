"""The plot of latency over load: medians of the repeats as lines, each repeat as a dot, the objective, and the knee."""

from collections.abc import Sequence
from functools import partial

from loadtest.capacity.knee import by_load
from loadtest.capacity.point import Point
from loadtest.capacity.report.frame import Frame, Words, frame
from loadtest.capacity.result import Session
from loadtest.capacity.spread import median
from pages import amounts
from pages.figure import drawing, figure, tooltip
from pages.markup import EMPTY, Markup, element, join, text

HEIGHT_PX = 340
LINES = (("p999_ms", "p99.9", 2), ("p99_ms", "p99", 1), ("p90_ms", "p90", 6), ("p50_ms", "p50", 3))
"""Field, name and hue, the highest first."""
LABEL_GAP_PX = 16


def latency_plot(session: Session) -> Markup:
    """The plot in every layout."""
    if not session.sweep:
        return element("p", text("No load was measured."), class_="empty")
    return figure(partial(_draw, session))


def _draw(session: Session, layout: str, width: int) -> Markup:
    points, good = session.sweep, by_load(session.sweep)
    waits = [getattr(point, name) for point in points for name, _, _ in LINES if point.requests]
    objective = session.knee.p99_ms if session.knee is not None else None
    high = max([*waits, *([objective] if objective else [])], default=1.0)
    low = min([wait for wait in waits if wait > 0], default=0.1)
    plot = frame(
        Words("orders offered a second", "milliseconds from when due"),
        layout=layout,
        width=width,
        height=HEIGHT_PX,
        across_max=max(point.offered_per_s for point in points) * 1.03,
        up_max=high,
        up_min=low,
    )
    groups = list(good.values())
    return drawing(
        f"latency-{session.workers}-{layout}",
        plot.marks,
        _knee(session, plot),
        _objective(objective, plot),
        *_lines(groups, plot, labelled=layout != "narrow"),
        *(_dot(point, plot) for point in points if point.requests),
        width=width,
        height=HEIGHT_PX,
        title=f"Latency against load, {session.workers} {'worker' if session.workers == 1 else 'workers'}",
        description=_description(session, groups),
    )


def _lines(groups: Sequence[Sequence[Point]], plot: Frame, *, labelled: bool) -> list[Markup]:
    lines, last_y = [], -100.0
    for name, words, hue in LINES:
        spots = [
            (median([one.offered_per_s for one in group]), median([float(getattr(one, name)) for one in group]))
            for group in groups
        ]
        if not spots:
            continue
        label = EMPTY
        if labelled:
            last_y = max(plot.y(spots[-1][1]) + 4, last_y + LABEL_GAP_PX)
            place = plot.x(spots[-1][0]) + 12
            label = element("text", text(words), x=max(place, plot.across.high_px + 10), y=last_y, class_=f"ink-{hue}")
        line = element("path", d=plot.line(spots))
        lines.append(element("g", tooltip(words), line, label, class_=f"hue-{hue}"))
    return [element("g", *lines, class_="lines")]


def _dot(point: Point, plot: Frame) -> Markup:
    bound = bool(point.generator_bound)
    words = f"{amounts.count(point.offered_per_s)}/s offered: p99 {amounts.milliseconds(point.p99_ms)}" + (
        " (limited by the generator: no result)" if bound else ""
    )
    x, y = plot.x(point.offered_per_s), plot.y(point.p99_ms)
    return element("circle", tooltip(words), class_="spot bound" if bound else "spot", cx=x, cy=y, r=3.2)


def _objective(objective: float | None, plot: Frame) -> Markup:
    if objective is None:
        return EMPTY
    y = plot.y(objective)
    words = f"objective: p99 {objective:g} ms"
    line = element("path", class_="wanted", d=f"M{plot.across.low_px:.1f} {y:.1f}H{plot.across.high_px:.1f}")
    return join((line, element("text", text(words), class_="aside", x=plot.across.low_px + 6, y=y - 6)))


def _knee(session: Session, plot: Frame) -> Markup:
    knee = session.knee
    if knee is None or knee.per_s is None:
        return EMPTY
    top, bottom, x = plot.up.high_px, plot.up.low_px, plot.x(knee.per_s)
    parts = []
    if knee.interval is not None:
        left = plot.x(knee.interval.low)
        right = plot.across.high_px if knee.interval_open else plot.x(knee.interval.high)
        parts.append(element("rect", class_="band", x=left, y=top, width=max(1.0, right - left), height=bottom - top))
    parts.append(element("path", class_="knee", d=f"M{x:.1f} {top:.1f}V{bottom:.1f}"))
    words = f"knee {'≥ ' if knee.at_least else ''}{amounts.count(knee.per_s)}/s"
    left_of = x > (plot.across.low_px + plot.across.high_px) / 2
    anchor, shift = ("end", -6) if left_of else ("start", 6)
    parts.append(element("text", text(words), class_="strong", x=x + shift, y=top + 14, text_anchor=anchor))
    return join(parts)


def _description(session: Session, groups: Sequence[Sequence[Point]]) -> str:
    told = [
        f"{amounts.count(median([one.offered_per_s for one in group]))} a second: p99"
        f" {amounts.milliseconds(median([one.p99_ms for one in group]))}"
        for group in groups
    ]
    knee = session.knee
    words = (
        "No point counts." if knee is None or knee.per_s is None else f"Knee at {amounts.count(knee.per_s)} a second."
    )
    return f"{words} {'; '.join(told)}."
