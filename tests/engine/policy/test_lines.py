"""The line of every key of a TOML text, held against one key a line."""

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine.policy.lines import lines_of
from engine.sample import POLICIES_TOML

STRANGE = '''# a comment = 1
a = 1 # another = 2

"b c" = "x # y = 3" # b
d.e = [
  1, # one
  "]",
  { f = """
g = 5
\\""" """ , h = 'i = ["'},
]
[j."k.l"]
m = \'\'\'
[n]
\'\'\'
[[o]]
p = {q = [ [ ], [1] ], r.s = 2026-11-11T00:00:00+08:00}
[o.t]
u = -1.5e3
[[o]]
v = """a""\\"""""
w = true
'''


def test_every_key_and_item_has_its_line() -> None:
    """Through comments, quoted keys, strings of several lines, arrays, and tables in one another."""
    lines = lines_of(STRANGE)
    assert {path: lines[path] for path in lines if path[-1] not in ("d", "o")} == {
        ("a",): 2,
        ("b c",): 4,
        ("d", "e"): 5,
        ("d", "e", 0): 6,
        ("d", "e", 1): 7,
        ("d", "e", 2): 8,
        ("d", "e", 2, "f"): 8,
        ("d", "e", 2, "h"): 10,
        ("j", "k.l"): 12,
        ("j", "k.l", "m"): 13,
        ("o", 0): 16,
        ("o", 0, "p"): 17,
        ("o", 0, "p", "q"): 17,
        ("o", 0, "p", "q", 0): 17,
        ("o", 0, "p", "q", 1): 17,
        ("o", 0, "p", "q", 1, 0): 17,
        ("o", 0, "p", "r"): 17,
        ("o", 0, "p", "r", "s"): 17,
        ("o", 0, "t"): 18,
        ("o", 0, "t", "u"): 19,
        ("o", 1): 20,
        ("o", 1, "v"): 21,
        ("o", 1, "w"): 22,
    }


def paths(value: Any, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    """Every path of what the reader made of a text."""
    items: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    return {path} | {found for key, inner in items for found in paths(inner, (*path, key))}


def test_no_path_of_the_sample_is_missed() -> None:
    """The reader and the finder of lines agree on what there is."""
    text = POLICIES_TOML.read_text("utf-8")
    assert paths(tomllib.loads(text)) - {()} <= set(lines_of(text)) | {("policies",)}


@given(st.text(alphabet="ab=.[]{}\"'#\\\n, 1", max_size=60))
def test_whatever_the_reader_takes_the_finder_follows(text: str) -> None:
    """It neither loops nor raises, and misses no path but that of a table which only its parts name."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    lines = lines_of(text)
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())
    named = {path[:length] for path in lines for length in range(len(path) + 1)}
    assert len(paths(values) | {()}) == len({path for path in paths(values) if path in named} | {()}) or "\\" in text
