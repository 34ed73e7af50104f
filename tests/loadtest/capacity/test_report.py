"""The page needs no network, names every figure for those who do not see it, and stands whatever a run brings."""

import re
from pathlib import Path

import msgspec
import pytest

from loadtest.audit.finding import RunAudit, lie
from loadtest.capacity.findings import findings
from loadtest.capacity.report import render_capacity_report, write_capacity_report
from tests.loadtest.capacity.results import point, result, session
from tests.loadtest.test_report import Page

WHOLE = result(session(1, 4_000), session(2, 7_000), session(4, 9_000))
BYTES_MAX = 2_000_000


def test_the_page_is_whole_and_alone() -> None:
    """Well-formed, no script, no address; every drawing has a name and a description; ids are unique."""
    source = render_capacity_report(WHOLE)
    page = Page(source)
    assert page.open == []
    assert len(source) < BYTES_MAX
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in page.tags}
    assert not page.having("src") + page.having("href")
    assert "http" not in re.sub(r'http-equiv="[^"]*"', "", source)
    ids = page.having("id")
    assert len(ids) == len(set(ids))
    drawings = [attributes for tag, attributes in page.tags if tag == "svg" and "aria-hidden" not in attributes]
    assert len(drawings) >= 3 * 8
    for one in drawings:
        assert set((one["aria-labelledby"] or "").split()) <= set(ids)


def test_the_first_words_are_the_answer() -> None:
    """Knees first; machine, seed and the command that does it again at the end; a table beside each plot."""
    page = Page(render_capacity_report(WHOLE))
    assert "1 worker: 3,200 orders a second with p99 within 50 ms." in page.text
    for words in ("Test 9000", "stockade capacity run --minutes 10", "seed 1", "extrapolated 10 times", "sigma"):
        assert words in page.text
    assert sum(tag == "table" for tag, _ in page.tags) >= 3 + 1 + 3 + 1
    for table in ("caption", "th"):
        assert any(tag == table for tag, _ in page.tags)


def test_a_lie_is_said_first() -> None:
    """Whatever the figures are."""
    lied = RunAudit(lies=lie("oversold", ["A at B"], "cells are oversold"))
    one = msgspec.structs.replace(session(1, 4_000), audit=lied)
    page = Page(render_capacity_report(result(one)))
    assert "The service did not do what it told." in page.text
    assert "Alarm" in page.text


def test_a_run_of_nothing_but_the_generator_is_none() -> None:
    """It is said as loudly."""
    assert findings(WHOLE) == []
    (told,) = findings(result(BOUND))
    assert "generator limited every load" in told
    assert told in Page(render_capacity_report(result(BOUND))).text


BARE = msgspec.structs.replace(session(1, 4_000), sweep=[], knee=None, peak=None, audit=None)
BOUND = msgspec.structs.replace(
    session(1, 4_000), sweep=[point(offered=100, p99_ms=5, generator_bound=["cpu"])], knee=None
)
EMPTY = msgspec.structs.replace(
    session(1, 4_000),
    sweep=[point(offered=0, p99_ms=0, goodput=0, requests=0, processes=[], disk=None, timeline=[], queue_mean=None)],
)


@pytest.mark.parametrize(
    "odd",
    [
        result(),
        result(BARE, growth=None, restart=None),
        result(BOUND),
        result(EMPTY),
        result(session(64, 1e9)),
        msgspec.structs.replace(WHOLE, sessions=[BARE]),
        msgspec.structs.replace(WHOLE, sessions=[session(8, 5)]),
        result(session(1, 0.001)),
        result(session(1, 4_000), incomplete="It was interrupted.", notes=["<script>alert(1)</script>" * 40]),
        result(session(1, 4_000, repeats=1)),
    ],
    ids=range(10),
)
def test_the_page_stands_whatever_came(odd: object, tmp_path: Path) -> None:
    """Nothing measured, nothing but the generator, numbers of any size, names that are code."""
    file = tmp_path / "index.html"
    write_capacity_report(odd, file)  # type: ignore[arg-type]
    source = file.read_text("utf-8")
    page = Page(source)
    assert page.open == []
    assert not re.search(r"\b(nan|inf)\b", source.lower())
    assert not any(tag == "script" for tag, _ in page.tags)
