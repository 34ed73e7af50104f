"""The ground of a map: parallels and meridians, and the names on it. Draws no border."""

from collections.abc import Iterable, Sequence

from pages import amounts
from pages.labels import Box, Wish, place_labels
from pages.markup import Markup, element, join, text
from pages.projection import Projection


def graticule(ground: Projection) -> Markup:
    """The ground with its lines, each named at the edge."""
    left, right, bottom = ground.left, ground.left + ground.width, ground.top + ground.height
    parts = [
        element("rect", class_="ground", x=left, y=ground.top, width=ground.width, height=ground.height, rx=6),
    ]
    parallels, meridians = ground.graticule()
    for lat in parallels:
        y = ground.y(lat)
        parts.append(element("path", class_="grid", d=f"M{left:.1f} {y:.1f}H{right:.1f}"))
        words = text(amounts.latitude(lat))
        parts.append(element("text", words, class_="tick", x=left - 6, y=y + 4, text_anchor="end"))
    for lon in meridians:
        x = ground.x(lon)
        parts.append(element("path", class_="grid", d=f"M{x:.1f} {ground.top:.1f}V{bottom:.1f}"))
        words = text(amounts.longitude(lon))
        parts.append(element("text", words, class_="tick", x=x, y=bottom + 16, text_anchor="middle"))
    return join(parts)


def names(wishes: Sequence[Wish], ground: Projection, *, marks: Iterable[Box]) -> Markup:
    """The names that find room, clear of `marks`, with lines back to those that stand off."""
    placed = place_labels(
        wishes,
        bounds=Box(ground.left, ground.top, ground.left + ground.width, ground.top + ground.height),
        marks=marks,
    )
    leaders = [
        element("path", class_="leader", d=f"M{label.wish.x:.1f} {label.wish.y:.1f}L{label.x:.1f} {label.y - 4:.1f}")
        for label in placed
        if label.leads
    ]
    words = [
        element(
            "text",
            text(label.wish.words),
            class_=label.wish.style,
            font_size=label.wish.size_px,
            x=label.x,
            y=label.y,
            text_anchor=label.anchor,
        )
        for label in placed
    ]
    return join((*leaders, *words))
