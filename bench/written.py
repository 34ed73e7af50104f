"""Tables that a command writes into Markdown files, each between a pair of comments that name it."""

from collections.abc import Sequence
from pathlib import Path


class NoMarkers(Exception):
    """A file has not exactly one such pair; the message says what to put where."""


def markers(name: str) -> tuple[str, str]:
    """The comments before and after the table of that name."""
    return f"<!-- {name}: written by its command -->", f"<!-- end of {name} -->"


def replaced(text: str, name: str, body: str) -> str:
    """The text with the body between its markers. Raises NoMarkers."""
    begin, end = markers(name)
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise NoMarkers(
            f"The table {name} goes between the lines\n{begin}\n{end}\nwhich must be there once, in this order."
        )
    before, _, rest = text.partition(begin)
    return f"{before}{begin}\n{body.strip()}\n{end}{rest.partition(end)[2]}"


def write(path: Path, name: str, body: str) -> None:
    """Put a table into a file. Raises NoMarkers, and has then changed nothing."""
    try:
        text = replaced(path.read_text("utf-8"), name, body)
    except NoMarkers as error:
        raise NoMarkers(f"{path}: {error}") from None
    path.write_text(text, "utf-8")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
