"""A figure is drawn once for each of a few widths, and the style shows the one that fits: text keeps its size."""

from collections.abc import Callable

from pages.markup import Markup, element, join, text

WIDTHS_PX = {"wide": 1080, "middle": 700, "narrow": 368}
"""Layout to drawing width. style.py switches at the same widths."""

LETTER_EM, CAPITAL_EM, WIDE_EM = 0.56, 0.7, 1.0
"""Widths of a small letter, of a capital or digit, and of an East Asian sign, in the widest usual page font."""


def figure(draw: Callable[[str, int], Markup]) -> Markup:
    """`draw(layout, width_px)` for every layout, in one wrapper each."""
    return join(element("div", draw(layout, width), class_=f"only-{layout}") for layout, width in WIDTHS_PX.items())


def drawing(name: str, *content: Markup, width: int, height: float, title: str, description: str) -> Markup:
    """An SVG picture with its accessible name and description. `name` must be unique in the page."""
    return element(
        "svg",
        element("title", text(title), id=f"{name}-title"),
        element("desc", text(description), id=f"{name}-desc"),
        *content,
        viewBox=f"0 0 {width} {height:.0f}",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
        class_="drawing",
    )


def tooltip(words: str) -> Markup:
    """What a browser shows on hover over the element that holds it."""
    return element("title", text(words))


def text_width(words: str, size_px: float) -> float:
    """About how wide `words` are, in pixels: good enough to keep labels apart, not to justify lines."""
    return sum(_letter_em(letter) for letter in words) * size_px


def clip_to_width(words: str, size_px: float, width_px: float) -> str:
    """`words`, cut with an ellipsis where they would be wider than `width_px`."""
    if text_width(words, size_px) <= width_px:
        return words
    kept = words
    while kept and text_width(kept, size_px) + size_px > width_px:
        kept = kept[:-1]
    return kept.rstrip() + "…"


def _letter_em(letter: str) -> float:
    if letter > "\u2e7f":
        return WIDE_EM
    return CAPITAL_EM if letter.isupper() or letter.isdigit() else LETTER_EM
