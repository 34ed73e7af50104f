"""Plots of a season's course: a line a policy over the orders so far."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from engine.season import PolicyOutcome
from pages import amounts
from pages.figure import drawing, figure, tooltip
from pages.markup import Markup, element, text
from pages.palette import HUES
from pages.scale import Axis, round_step, ticks

HEIGHT_PX = {"wide": 360, "middle": 330, "narrow": 280}
LEFT_PX, TOP_PX, BOTTOM_PX = 64, 28, 42
LABELS_PX = {"wide": 210, "middle": 180, "narrow": 128}
LABEL_GAP_PX = 18
TICK_GAP_X_PX, TICK_GAP_Y_PX = 70, 48


@dataclass(frozen=True, slots=True)
class Course:
    """A policy's line: orders so far, and the value there."""

    name: str
    points: Sequence[tuple[int, float]]
    number: int
    """Which hue it has, the same in all plots."""


def extra_cost(policies: Sequence[PolicyOutcome], beside: PolicyOutcome, per_major: int) -> list[Course]:
    """What each has cost so far beyond another one."""
    base = {orders: cost for orders, cost, _ in beside.course}
    return [
        Course(one.policy, [(orders, (cost - base[orders]) / per_major) for orders, cost, _ in one.course], place)
        for place, one in enumerate(policies)
    ]


def unserved(policies: Sequence[PolicyOutcome]) -> list[Course]:
    """Units that each has not served so far."""
    return [
        Course(one.policy, [(orders, float(lacking)) for orders, _, lacking in one.course], place)
        for place, one in enumerate(policies)
    ]


def course_plot(name: str, courses: Sequence[Course], *, title: str, unit: str) -> Markup:
    """The plot in every layout. `name` must be unique in the page."""
    return figure(partial(_draw, name, courses, title, unit))


def _draw(name: str, courses: Sequence[Course], title: str, unit: str, layout: str, width: int) -> Markup:
    height = HEIGHT_PX[layout]
    bottom, right = height - BOTTOM_PX, width - LABELS_PX[layout]
    values = [value for course in courses for _, value in course.points]
    low, high = min(0.0, *values), max(0.0, *values)
    step = round_step(max(high - low, 1.0), max(2, (bottom - TOP_PX) // TICK_GAP_Y_PX))
    level = Axis(step * (low // step), max(step, -step * (-high // step)), bottom, TOP_PX)
    orders = Axis(0.0, float(max(count for course in courses for count, _ in course.points)), LEFT_PX, right)
    ends = _apart([level.at(course.points[-1][1]) for course in courses], TOP_PX, bottom)
    return drawing(
        f"{name}-{layout}",
        *_levels(level, right, step, unit),
        *_orders(orders, bottom),
        element(
            "g",
            *(_line(course, orders, level, y) for course, y in zip(courses, ends, strict=True)),
            class_="lines",
        ),
        width=width,
        height=height,
        title=title,
        description="; ".join(f"{one.name} ends at {amounts.count(one.points[-1][1])} {unit}" for one in courses) + ".",
    )


def _line(course: Course, orders: Axis, level: Axis, label_y: float) -> Markup:
    spots = [(orders.at(count), level.at(value)) for count, value in course.points]
    ends = f"{course.name} {amounts.count(course.points[-1][1])}"
    x, y = spots[-1]
    return element(
        "g",
        tooltip(ends),
        element("path", d="M" + "L".join(f"{at:.1f} {up:.1f}" for at, up in spots)),
        element("path", class_="leader", d=f"M{x + 3:.1f} {y:.1f}L{x + 16:.1f} {label_y:.1f}"),
        element("text", text(ends), x=x + 22, y=label_y + 4),
        class_=f"hue-{course.number % HUES + 1}",
    )


def _apart(wanted: Sequence[float], top: float, bottom: float) -> list[float]:
    """Places near the wanted ones, from bottom to top LABEL_GAP_PX apart."""
    order = sorted(range(len(wanted)), key=lambda at: -wanted[at])
    found = [0.0] * len(wanted)
    room = bottom
    for at in order:
        found[at] = min(room, wanted[at])
        room = found[at] - LABEL_GAP_PX
    room = top
    for at in reversed(order):
        found[at] = max(room, found[at])
        room = found[at] + LABEL_GAP_PX
    return found


def _levels(level: Axis, right: float, step: float, unit: str) -> list[Markup]:
    parts = [element("text", text(unit), class_="axis", x=0, y=12)]
    for value in ticks(level.low, level.high, step):
        y = level.at(value)
        style = "base" if abs(value) < step / 2 else "grid"
        parts.append(element("path", class_=style, d=f"M{LEFT_PX} {y:.1f}H{right:.1f}"))
        words = text(f"{value:,.10g}")
        parts.append(element("text", words, class_="tick", x=LEFT_PX - 8, y=y + 4, text_anchor="end"))
    return parts


def _orders(orders: Axis, bottom: float) -> list[Markup]:
    step = max(1.0, round_step(orders.high, max(2, int((orders.high_px - orders.low_px) // TICK_GAP_X_PX))))
    parts = []
    for value in ticks(0.0, orders.high, step):
        x = orders.at(value)
        parts.append(element("path", class_="base", d=f"M{x:.1f} {bottom}v4"))
        parts.append(element("text", text(f"{value:,.0f}"), class_="tick", x=x, y=bottom + 18, text_anchor="middle"))
    words = text("orders so far")
    parts.append(element("text", words, class_="axis", x=orders.high_px, y=bottom + 36, text_anchor="end"))
    return parts
