"""Prints tables for people, each as wide as the terminal allows: columns give way before a word or a number is cut."""

from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from api.cli.console import out

BETWEEN = 3
"""Characters between two columns."""


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    title: str | None = None,
    numbers: Sequence[str] = (),
    under: Sequence[str] = (),
) -> None:
    """A table; the columns named in `numbers` are set to the right.

    Where it is wider than the terminal, the columns `under` go below the first one that has a name; then columns of
    text are wrapped between words. Where that does not do either, each row is told in a few lines.
    """
    names = list(columns)
    cells = [[f"{cell:,}" if type(cell) is int else str(cell) for cell in row] for row in rows]
    if under and _width(names, cells) > out.width:
        names, cells = _stacked(names, cells, under)
    if _width(names, cells, wrapped=[name for name in names if name not in numbers]) > out.width:
        _print_rows(title, names, cells)
        return
    table = Table(title=title, title_justify="left", show_edge=False, pad_edge=False, header_style="bold")
    for name in names:
        is_number = name in numbers
        table.add_column(name, justify="right" if is_number else "left", overflow="fold", no_wrap=is_number)
    for column, name in zip(table.columns, names, strict=True):
        column.min_width = None if name in numbers else _column_width(name, cells, names.index(name), by_word=True)
    for row in cells:
        # As Text: a name may hold brackets, which would be read as markup.
        table.add_row(*map(Text, row))
    out.print(table)


def _width(names: Sequence[str], cells: Sequence[Sequence[str]], *, wrapped: Sequence[str] = ()) -> int:
    """Of the table, where the columns named in `wrapped` are as narrow as their longest word."""
    widths = (_column_width(name, cells, place, by_word=name in wrapped) for place, name in enumerate(names))
    return sum(widths) + BETWEEN * (len(names) - 1)


def _column_width(name: str, cells: Sequence[Sequence[str]], place: int, *, by_word: bool) -> int:
    texts = (name, *(row[place] for row in cells))
    pieces = (piece for text in texts for piece in (text.split() if by_word else text.splitlines()))
    return max(map(cell_len, pieces), default=0)


def _stacked(
    names: Sequence[str], cells: Sequence[Sequence[str]], under: Sequence[str]
) -> tuple[list[str], list[list[str]]]:
    """The table with some columns below another."""
    upper = next(place for place, name in enumerate(names) if name)
    lower = [place for place, name in enumerate(names) if name in under]
    kept = [place for place in range(len(names)) if place not in lower]

    def cell(row: Sequence[str], place: int) -> str:
        below = ", ".join(row[one] for one in lower if row[one] not in ("", "-")) if place == upper else ""
        return f"{row[place]}\n  {below}" if below else row[place]

    return [names[place] for place in kept], [[cell(row, place) for place in kept] for row in cells]


def _print_rows(title: str | None, names: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    """Each row by itself: what it is called, and the rest by name below it."""
    if title:
        out.print(title, markup=False)
    for row in cells:
        told = list(zip(names, row, strict=True))
        place = next(place for place, (name, _) in enumerate(told) if name)
        first = " ".join(cell for _, cell in told[: place + 1] if cell)
        rest = [f"{name} {cell}".strip() for name, cell in told[place + 1 :] if cell]
        out.print(Text(first))
        out.print(Padding(Text(", ".join(rest)), (0, 0, 0, 2)))
