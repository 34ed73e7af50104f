"""The report of a re-allocation: it needs no network, says what came of the run, and stands whatever a run brings."""

import re

import pytest
from msgspec.structs import replace

from api.cli.console import StoreOptions
from api.cli.reallocation_table import exit_code, print_run
from api.reallocation_report import render_reallocation
from api.reallocation_report.flows import flows_of
from api.reallocation_report.judging import judge
from api.reallocation_report.words import REASONS, STATES, asked, reason
from engine.reallocation.model import ReallocationRequest, ReallocationStatus, State, Told, Why
from engine.reallocation.moves import Moves
from pages.sheet import Tone
from tests.api.reallocation.drawn_run import drawn_run
from tests.loadtest.test_report import Page

PAGE_BYTES_MAX = 300_000


def page_of(status: ReallocationStatus, moves: Moves) -> Page:
    """The page, read: its tags are closed as they were opened."""
    source = render_reallocation(status, moves)
    assert len(source.encode()) < PAGE_BYTES_MAX
    page = Page(source)
    assert page.open == []
    return page


def test_a_page_needs_no_network_and_no_script() -> None:
    """It is mailed, and opened on a train."""
    page = page_of(*drawn_run())
    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in page.tags}
    assert not page.having("href")
    assert not page.having("src")
    assert not [style for style in page.styles if "url(" in style or "@import" in style]
    assert len(page.having("id")) == len(set(page.having("id")))


def test_a_page_tells_cost_moves_and_what_stays_unserved() -> None:
    """By warehouse and region, with why."""
    status, moves = drawn_run()
    page = page_of(status, moves)
    plan = status.plan
    assert plan is not None
    for words in (
        f"{plan.orders_moved} orders would move.",
        "It costs CNY",
        "6 orders stay unserved.",
        "nothing that its terms allow has the stock",
        "the stock went to orders that come first",
        "a part has left already",
        *(one.warehouse for one in plan.by_warehouse),
        *(one.region for one in plan.by_region if one.region),
        "is down",
    ):
        assert words in page.text, words
    assert sum(flow.units for flow in flows_of(moves)) == plan.units_moved


def test_maps_are_drawn_for_every_width() -> None:
    """Before and after, each with every warehouse, and the ways between them after."""
    status, moves = drawn_run()
    page = page_of(status, moves)
    stocks = [attributes for _, attributes in page.tags if attributes.get("class") == "stock"]
    assert status.plan is not None
    # Three layouts of two maps, and the legend's sample.
    assert len(stocks) == 3 * (2 * len(status.plan.by_warehouse) + 1)
    ways = [attributes for _, attributes in page.tags if attributes.get("class") == "moved"]
    assert len(ways) == 3 * (len(flows_of(moves)) + 1)


def test_hostile_names_stay_text() -> None:
    """Ids come from outside."""
    status, moves = drawn_run()
    assert status.plan is not None
    hostile = "<script>alert(1)</script>\u202e"
    first, *rest = status.plan.by_warehouse
    plan = replace(status.plan, by_warehouse=(replace(first, warehouse=hostile), *rest))
    request = ReallocationRequest(warehouse_down=hostile, reason=hostile, regions=(hostile,))
    page = page_of(replace(status, id=hostile[:60], plan=plan, request=request), moves)
    assert "script" not in {tag for tag, _ in page.tags}
    assert "<script>alert(1)</script>\ufffd" in page.text


@pytest.mark.parametrize("state", STATES)
def test_every_state_has_a_page_and_a_table(state: State, capsys: pytest.CaptureFixture[str]) -> None:
    """Also of a run that is not planned yet, moved nothing, or failed."""
    status, moves = drawn_run(state=state)
    assert status.plan is not None
    nothing = replace(status.plan, orders_moved=0, moves=0, units_moved=0, by_warehouse=(), by_region=(), cost_before=0)
    for one, rows in (
        (status, moves),
        (replace(status, plan=None), Moves()),
        (replace(status, plan=nothing), Moves()),
        (replace(status, error="the store was away"), moves),
    ):
        page_of(one, rows)
        for json in (False, True):
            print_run(one, StoreOptions(), json=json)
    assert status.id in capsys.readouterr().out


def test_what_was_not_done_is_a_finding() -> None:
    """And is told as such."""
    status, _ = drawn_run(state="applied")
    assert (exit_code(status), judge(status).tone) == (0, Tone.WARN)
    assert status.plan is not None
    clean = replace(status, plan=replace(status.plan, unserved=()), applied=status.plan.orders_moved)
    assert judge(clean).tone is Tone.GOOD
    skipped = replace(clean, skipped=(Told(why="version", orders=2),))
    assert (exit_code(skipped), judge(skipped).reasons) == (
        1,
        ("2 orders were skipped: something had changed since the plan.",),
    )
    assert judge(replace(clean, state="failed", error="no")).tone is Tone.ALARM


def test_every_reason_has_words() -> None:
    """One of a later release stays as it is."""
    assert set(REASONS) == set(Why.__args__)  # type: ignore[attr-defined]
    assert set(STATES) == set(State.__args__)  # type: ignore[attr-defined]
    assert reason("some_new_one") == "some new one"


def test_what_was_asked_for_is_told() -> None:
    """In words, long lists cut short."""
    status, _ = drawn_run()
    request = ReallocationRequest(
        warehouses=("A", "B", "C", "D", "E"), countries=("CN",), skus=("tea",), older_than_s=7_200, backordered=True
    )
    told = asked(replace(status, request=request))
    assert told == "at A, B, C and 2 more; to CN; with tea; older than 7,200 s; waiting for stock"
    assert re.match(r"\S+ is down$", asked(status))
