"""Tables for people: no word and no number is cut, however narrow the terminal."""

import io

import pytest
from rich.console import Console

from api.cli import table
from api.cli.table import print_table

COLUMNS = ("", "warehouse", "km", "arrives", "freight", "note")
ROWS = [
    ("*", "HANGZHOU-1", 1_280, "2026-11-13", "12.50", "post, near, own cost"),
    ("", "[b]W", 7, "-", "7.00", ""),
]


def printed(monkeypatch: pytest.MonkeyPatch, width: int) -> list[str]:
    """The lines of a table on a terminal of a width."""
    console = Console(width=width, file=io.StringIO(), highlight=False)
    monkeypatch.setattr(table, "out", console)
    with console.capture() as captured:
        print_table(COLUMNS, ROWS, numbers=("km", "freight"), under=("arrives", "note"))
    return captured.get().splitlines()


@pytest.mark.parametrize("width", [120, 80, 64, 48, 40, 30])
def test_everything_is_there_and_fits(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    """A cut number is a wrong one."""
    lines = printed(monkeypatch, width)
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    for piece in ("HANGZHOU-1", "[b]W", "1,280", "2026-11-13", "12.50", "7.00", "post,", "near,", "own", "cost"):
        assert piece in text


def test_columns_go_below_another_before_the_table_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The numbers stay under each other as long as they can."""
    wide, narrow, narrower = (printed(monkeypatch, width) for width in (100, 60, 30))
    assert "arrives" in wide[0]
    assert len(wide) == 4
    assert "arrives" not in narrow[0]
    assert "freight" in narrow[0]
    assert any(line.strip().startswith("│   2026-11-13, post, near") for line in narrow)
    assert narrower[0].strip() == "* HANGZHOU-1"
    assert "  km 1,280, freight 12.50" in (line.rstrip() for line in narrower)
