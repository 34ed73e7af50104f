"""Builds real tables: a caption, headed columns, headed rows; wide ones scroll inside their own box."""

from collections.abc import Sequence
from dataclasses import dataclass

from pages.markup import EMPTY, Markup, element, text


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading. A numeric one is set flush right."""

    heading: str
    numeric: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row's cells, the first of which heads it. `alarming` rows stand out; their words must say why."""

    cells: tuple[Markup, ...]
    alarming: bool = False


def table(caption: str, columns: Sequence[Column], rows: Sequence[Row]) -> Markup:
    """The table, in a box that scrolls and can be reached with the keyboard."""
    headings = [
        element("th", text(column.heading), scope="col", class_="number" if column.numeric else None)
        for column in columns
    ]
    whole = element(
        "table",
        element("caption", text(caption)),
        element("thead", element("tr", *headings)),
        element("tbody", *(_row(columns, row) for row in rows)),
    )
    return element("div", whole, class_="scroll", role="region", aria_label=caption, tabindex=0)


def bar(share: float, words: str, *, style: str = "") -> Markup:
    """A bar `share` (0..1) of its cell's width with its value beside it. The value stays legible for every share."""
    percent = max(0.0, min(1.0, share)) * 100
    fill = element("span", class_=f"bar-fill {style}".strip(), style=f"width:{percent:.1f}%")
    track = element("span", fill, class_="bar-track", aria_hidden="true")
    return element("span", track, element("span", text(words), class_="bar-words"), class_="bar")


def folded(summary: str, content: Markup) -> Markup:
    """Content that opens on demand, without a script."""
    return element("details", element("summary", text(summary)), content)


def note(words: str) -> Markup:
    """A quiet line under a figure or a table; nothing for no words."""
    return element("p", text(words), class_="note") if words else EMPTY


def _row(columns: Sequence[Column], row: Row) -> Markup:
    cells = [
        element(
            "td" if at else "th",
            cell,
            scope=None if at else "row",
            class_="number" if column.numeric else None,
        )
        for at, (column, cell) in enumerate(zip(columns, row.cells, strict=True))
    ]
    return element("tr", *cells, class_="alarming" if row.alarming else None)
