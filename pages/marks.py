"""The marks of the map and their sizes: city circles, warehouse symbols, flow curves. Pixels in, SVG out."""

import math

from pages.figure import tooltip
from pages.markup import EMPTY, Markup, element

CIRCLE_PX_MIN = 1.3
FLOW_PX_MIN, FLOW_PX_MAX = 0.8, 8.0

FLOW_BEND = 0.16
"""How far a flow's curve leaves the straight line, over its length."""

SYMBOL_SHAPES = {
    "dc": ((-0.88, -0.88), (0.88, -0.88), (0.88, 0.88), (-0.88, 0.88)),
    "store": ((0, -1.15), (1.1, 0.8), (-1.1, 0.8)),
    "supplier": ((0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)),
    "third_party": tuple(
        (math.sin(turn * math.pi / 5) * reach, -math.cos(turn * math.pi / 5) * reach)
        for turn, reach in enumerate((1.45, 0.68) * 5)
    ),
    "other": tuple((math.cos(turn * math.pi / 4) * 1.1, math.sin(turn * math.pi / 4) * 1.1) for turn in range(8)),
}
"""Outline of each kind's symbol about (0, 0), in symbol radii: square, triangle, diamond, star; else an octagon."""

KIND_WORDS = {
    "dc": "distribution centre",
    "store": "store",
    "supplier": "supplier",
    "third_party": "third-party warehouse",
    "other": "other warehouse",
}


def known_kind(kind: str) -> str:
    """The kind whose symbol and style a warehouse gets."""
    return kind if kind in SYMBOL_SHAPES else "other"


def circle_px(units: int, *, units_max: int, radius_max: float) -> float:
    """Radius of a city: its area grows with its units."""
    return max(CIRCLE_PX_MIN, radius_max * math.sqrt(max(0, units) / max(1, units_max)))


def flow_px(shipments: int, *, shipments_max: int) -> float:
    """Width of a flow: grows with the root of its shipments, so that the many small ones stay visible."""
    return max(FLOW_PX_MIN, FLOW_PX_MAX * math.sqrt(max(0, shipments) / max(1, shipments_max)))


def circle(x: float, y: float, *, radius: float, words: str = "", style: str = "city") -> Markup:
    """A city, or whatever else has the style."""
    return element("circle", _tip(words), class_=style, cx=x, cy=y, r=radius)


def cross(x: float, y: float, *, radius: float, words: str = "") -> Markup:
    """What is out of use."""
    way = f"M{x - radius:.1f} {y - radius:.1f}L{x + radius:.1f} {y + radius:.1f}M{x + radius:.1f} {y - radius:.1f}"
    return element("path", _tip(words), class_="down", d=f"{way}L{x - radius:.1f} {y + radius:.1f}")


def symbol(x: float, y: float, *, kind: str, radius: float, words: str = "") -> Markup:
    """A warehouse."""
    corners = " ".join(f"{x + east * radius:.1f},{y + south * radius:.1f}" for east, south in SYMBOL_SHAPES[kind])
    return element("polygon", _tip(words), class_=f"site site-{kind}", points=corners)


def flow(
    start: tuple[float, float], end: tuple[float, float], *, width: float, words: str = "", style: str = "flow"
) -> Markup:
    """A curve that bends to the left of its way, so that the two ways between two places stay apart."""
    (x1, y1), (x2, y2) = start, end
    bend_x = (x1 + x2) / 2 + (y2 - y1) * FLOW_BEND
    bend_y = (y1 + y2) / 2 - (x2 - x1) * FLOW_BEND
    way = f"M{x1:.0f} {y1:.0f}Q{bend_x:.0f} {bend_y:.0f} {x2:.0f} {y2:.0f}"
    return element("path", _tip(words), class_=style, d=way, stroke_width=width)


def _tip(words: str) -> Markup:
    return tooltip(words) if words else EMPTY
