"""The legend of the map: a strip of samples with words, wrapped to the width of the map."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pages.figure import text_width
from pages.markup import Markup, element, join, text

ENTRY_GAP_PX = 20
WORDS_GAP_PX = 7
TEXT_PX = 12


@dataclass(frozen=True, slots=True)
class Entry:
    """One sample `width` pixels wide; `draw(x, y)` draws it about that centre."""

    words: str
    width: float
    draw: Callable[[float, float], Markup]


def legend(entries: Sequence[Entry], *, left: float, top: float, width: float, row_px: float) -> tuple[Markup, float]:
    """The strip and its height in pixels."""
    x, y, parts = left, top + row_px / 2, []
    for entry in entries:
        wide = entry.width + WORDS_GAP_PX + text_width(entry.words, TEXT_PX)
        if x > left and x + wide > left + width:
            x, y = left, y + row_px
        parts.append(entry.draw(x + entry.width / 2, y))
        start = x + entry.width + WORDS_GAP_PX
        parts.append(element("text", text(entry.words), class_="legend", x=start, y=y + TEXT_PX * 0.35))
        x += wide + ENTRY_GAP_PX
    return join(parts), y + row_px / 2 - top
