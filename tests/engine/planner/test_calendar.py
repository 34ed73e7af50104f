"""engine.planner.calendar: on which day an order of an instant leaves."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.model import Warehouse
from engine.planner.calendar import CUTOFFS_AHEAD, EPOCH, REFRESH_MS, Calendars, dispatches, has_calendar
from tests.engine.planner.test_planner import quote
from tests.engine.planner.two_warehouses import NEAR, order, small_planner

BERLIN, SHANGHAI = "Europe/Berlin", "Asia/Shanghai"


def ms(text: str, zone: str = "UTC") -> int:
    """An instant, told in local time."""
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def leaves(now_ms: int, **fields: Any) -> date | None:
    """The day on which an order of an instant leaves a warehouse, looked up as the core does."""
    warehouse = Warehouse(id="w", lat=0, lon=0, **fields)
    day = next((day for cutoff_ms, day in dispatches(warehouse, now_ms) if now_ms < cutoff_ms), None)
    return None if day is None else date.fromordinal(EPOCH.toordinal() + day)


def test_before_the_cut_off_it_leaves_that_day_and_at_the_very_instant_the_next() -> None:
    """14:00 in Shanghai is 06:00 UTC."""
    cutoff = ms("2026-11-11T14:00", SHANGHAI)
    assert cutoff == ms("2026-11-11T06:00")
    rules = {"timezone": SHANGHAI, "cutoff": "14:00"}
    assert leaves(cutoff - 1, **rules) == date(2026, 11, 11)
    assert leaves(cutoff, **rules) == date(2026, 11, 12)


def test_days_are_those_of_the_warehouse() -> None:
    """Half past midnight in Shanghai is the day before in UTC."""
    now_ms = ms("2026-11-11T00:30", SHANGHAI)
    assert datetime.fromtimestamp(now_ms / 1000, UTC).day == 10
    assert leaves(now_ms, timezone=SHANGHAI) == date(2026, 11, 11)
    assert leaves(now_ms, cutoff="23:59") == date(2026, 11, 10)


def test_weekends_and_holidays_are_passed_over() -> None:
    """Friday evening before a Monday that is a holiday: Tuesday."""
    week = {"timezone": BERLIN, "cutoff": "12:00", "working_days": (1, 2, 3, 4, 5)}
    friday = ms("2026-11-13T12:00", BERLIN)
    assert leaves(friday - 1, **week) == date(2026, 11, 13)
    assert leaves(friday, **week) == date(2026, 11, 16)
    assert leaves(friday, **week, holidays=(date(2026, 11, 16),)) == date(2026, 11, 17)
    assert leaves(ms("2026-11-14T03:00", BERLIN), **week) == date(2026, 11, 16)


def test_handling_takes_working_days() -> None:
    """Two working days from a Thursday end on a Monday."""
    week = {"cutoff": "12:00", "working_days": (1, 2, 3, 4, 5), "handling_days": 2}
    assert leaves(ms("2026-11-12T11:00"), **week) == date(2026, 11, 16)
    assert leaves(ms("2026-11-12T12:00"), **week) == date(2026, 11, 17)
    assert leaves(ms("2026-11-12T11:00"), handling_days=1) == date(2026, 11, 13)


def test_a_cut_off_is_told_by_local_clocks_through_summer_time() -> None:
    """One UTC hour earlier in summer; Berlin's clocks go back on 2026-10-25 and forward on 2026-03-29."""
    rules = {"timezone": BERLIN, "cutoff": "14:00"}
    assert leaves(ms("2026-10-24T12:00") - 1, **rules) == date(2026, 10, 24)
    assert leaves(ms("2026-10-24T12:00"), **rules) == date(2026, 10, 25)
    assert leaves(ms("2026-10-25T13:00") - 1, **rules) == date(2026, 10, 25)
    assert leaves(ms("2026-10-25T13:00"), **rules) == date(2026, 10, 26)


def test_a_cut_off_that_clocks_skip_or_pass_twice_has_one_instant() -> None:
    """02:30 comes twice on the night when clocks go back: the first counts. It never comes when they go forward."""
    rules = {"timezone": BERLIN, "cutoff": "02:30"}
    assert leaves(ms("2026-10-25T00:30") - 1, **rules) == date(2026, 10, 25)
    assert leaves(ms("2026-10-25T00:30"), **rules) == date(2026, 10, 26)
    assert leaves(ms("2026-03-29T01:30") - 1, **rules) == date(2026, 3, 29)
    assert leaves(ms("2026-03-29T01:30"), **rules) == date(2026, 3, 30)


@pytest.mark.parametrize("now", ["2026-10-24T21:59:59", "2026-03-28T22:59:59", "2026-12-31T22:00"])
def test_a_table_ascends_and_outlasts_its_use(now: str) -> None:
    """Days of 23 and of 25 hours, and the turn of the year, are in it."""
    now_ms = ms(now)
    table = dispatches(Warehouse(id="w", lat=0, lon=0, timezone=BERLIN), now_ms)
    assert table == sorted(set(table))
    assert sum(cutoff_ms > now_ms for cutoff_ms, _ in table) == CUTOFFS_AHEAD
    assert table[0][0] <= now_ms - REFRESH_MS
    assert table[-1][0] > now_ms + 2 * REFRESH_MS


def test_what_never_opens_or_lies_in_no_zone_promises_nothing() -> None:
    """A definition of a machine that knows more time zones must not stop this one."""
    now_ms = ms("2026-11-11T00:00")
    every_day = tuple(date.fromordinal(date(2026, 11, 1).toordinal() + step) for step in range(430))
    assert leaves(now_ms, holidays=every_day) is None
    assert leaves(now_ms, timezone="Mars/Olympus") is None
    assert leaves(now_ms, timezone="../etc/passwd") is None
    assert leaves(2**62, cutoff="12:00") is None


def test_tables_are_made_once_a_day_and_after_a_change() -> None:
    """And when the clock is set back by more than they reach."""
    calendars, now_ms = Calendars(), ms("2026-11-11T00:00")
    assert calendars.due(now_ms)
    same = {"timezone": BERLIN, "cutoff": "12:00"}
    rows = [(4, Warehouse(id="a", lat=0, lon=0, **same)), (2, Warehouse(id="b", lat=0, lon=0))]
    made = calendars.make([*rows, (7, Warehouse(id="c", lat=1, lon=1, **same))], now_ms)
    assert [number for number, _ in made] == [4, 2, 7]
    assert made[0][1] is made[2][1]
    assert made[0][1]
    assert made[1][1] is None
    assert not calendars.due(now_ms)
    assert not calendars.due(now_ms + REFRESH_MS - 1)
    assert calendars.due(now_ms + REFRESH_MS)
    assert calendars.due(now_ms - REFRESH_MS - 1)
    calendars.forget()
    assert calendars.due(now_ms)


def test_a_warehouse_that_says_nothing_has_no_calendar() -> None:
    """Its orders leave on the day they come, UTC."""
    assert not has_calendar(Warehouse(id="w", lat=0, lon=0))
    assert has_calendar(Warehouse(id="w", lat=0, lon=0, working_days=(1,)))


def test_a_quote_promises_what_is_collected_by_the_calendar() -> None:
    """From the warehouse's definition to the day in the answer."""
    planner, now_ms = small_planner(), ms("2026-11-11T14:00", SHANGHAI)
    rules: dict[str, Any] = {"timezone": SHANGHAI, "cutoff": "14:00"}
    wanted = order(pickup_at="near")
    assert "promised_on" not in quote(planner, wanted)
    planner.put_warehouses([(NEAR, Warehouse(id="near", lat=0, lon=0, **rules))])
    for at_ms, day in ((now_ms - 1, "2026-11-11"), (now_ms, "2026-11-12"), (now_ms + 10 * REFRESH_MS, "2026-11-22")):
        planner.keep_calendars(at_ms)
        answer = quote(planner, wanted, now_ms=at_ms)
        assert answer["promised_on"] == answer["shipments"][0]["promised_on"] == day
