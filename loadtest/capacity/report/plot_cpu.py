"""The plot of processors over load: what service, store and generator took, one on the other, and what others took."""

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

from loadtest.capacity.point import Point
from loadtest.capacity.report.frame import Frame, Words, frame
from loadtest.capacity.result import Session
from loadtest.capacity.spread import median
from pages import amounts
from pages.figure import drawing, figure, tooltip
from pages.markup import Markup, element, text

HEIGHT_PX = 280
PARTS = (("service", "service", 1), ("store", "store", 2), ("generator", "generator", 3), ("others", "all else", 4))
"""Key, name and hue, the lowest first."""
BAR_SHARE = 0.62
"""Of the room that a bar has."""
BAR_PX_MAX = 46.0


def cpu_plot(session: Session) -> Markup:
    """The plot in every layout."""
    groups = [points for points in _by_load(session).values() if any(point.processes for point in points)]
    if not groups:
        return element("p", text("No processes were seen."), class_="empty")
    return figure(partial(_draw, session, groups))


def taken(points: Sequence[Point]) -> dict[str, float]:
    """Processors by part, the middle of the points."""
    roles = {"service": ("service", "worker"), "store": ("store",), "generator": ("generator",)}
    found = {
        part: median([sum(one.cpu_cores for one in point.processes if one.role in names) for point in points])
        for part, names in roles.items()
    }
    others = [point.others_cores for point in points if point.others_cores is not None]
    return found | ({"others": median(others)} if others else {})


def _by_load(session: Session) -> dict[float, list[Point]]:
    found: dict[float, list[Point]] = {}
    for point in session.sweep:
        found.setdefault(point.share or 0.0, []).append(point)
    return dict(sorted(found.items()))


def _draw(session: Session, groups: Sequence[Sequence[Point]], layout: str, width: int) -> Markup:
    loads = [median([point.offered_per_s for point in points]) for points in groups]
    parts = [taken(points) for points in groups]
    plot = frame(
        Words("orders offered a second", "processors"),
        layout=layout,
        width=width,
        height=HEIGHT_PX,
        across_max=max(loads) * 1.06,
        up_max=max(sum(one.values()) for one in parts),
    )
    gaps = [after - before for before, after in pairwise(loads) if after > before]
    room = plot.across.at(min(gaps)) - plot.across.at(0.0) if gaps else BAR_PX_MAX
    wide = max(4.0, min(BAR_PX_MAX, room * BAR_SHARE))
    return drawing(
        f"cpu-{session.workers}-{layout}",
        plot.marks,
        *(_bar(plot, load, one, wide) for load, one in zip(loads, parts, strict=True)),
        *(_labels(plot, parts) if layout != "narrow" else ()),
        width=width,
        height=HEIGHT_PX,
        title=f"Processors by process, {session.workers} {'worker' if session.workers == 1 else 'workers'}",
        description="; ".join(
            f"{amounts.count(load)} a second: "
            + ", ".join(f"{name} {one[key]:.2f}" for key, name, _ in PARTS if key in one)
            for load, one in zip(loads, parts, strict=True)
        ),
    )


def _bar(plot: Frame, load: float, parts: dict[str, float], wide: float) -> Markup:
    total, pieces = 0.0, []
    for key, name, hue in PARTS:
        cores = parts.get(key, 0.0)
        top, bottom = plot.y(total + cores), plot.y(total)
        total += cores
        words = f"{amounts.count(load)}/s: {name} {cores:.2f}"
        left = plot.across.at(load) - wide / 2
        pieces.append(
            element(
                "rect",
                tooltip(words),
                class_=f"fill-{hue}",
                x=left,
                y=top,
                width=wide,
                height=max(0.0, bottom - top),
            )
        )
    return element("g", *pieces)


def _labels(plot: Frame, parts: Sequence[dict[str, float]]) -> list[Markup]:
    found: list[Markup] = []
    x = plot.across.high_px + 12
    shown = [(name, hue) for key, name, hue in PARTS if any(key in one for one in parts)]
    for place, (name, hue) in enumerate(reversed(shown)):
        y = plot.up.high_px + 4 + 20 * place
        found.append(element("rect", class_=f"fill-{hue}", x=x, y=y - 4, width=12, height=12))
        found.append(element("text", text(name), x=x + 20, y=y + 6))
    return found
