"""Offsets of time zones as tables, held against the zones themselves."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.policy.zones import YEARS_AHEAD, offsets, zone_named

ZONES = ("UTC", "Asia/Shanghai", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu")


@given(st.sampled_from(ZONES), st.datetimes(datetime(2026, 1, 1), datetime(2025 + YEARS_AHEAD, 12, 31)))
def test_a_table_says_what_the_zone_says(name: str, at: datetime) -> None:
    """At every second, through changes of an hour and of half of one."""
    instant = at.replace(tzinfo=UTC, microsecond=0)
    table = offsets(name, 2026)
    offset_s = next(row[1] for row in reversed(table) if row[0] <= instant.timestamp() * 1000)
    assert instant.astimezone(ZoneInfo(name)).utcoffset() == timedelta(seconds=offset_s)


def test_a_change_is_known_to_the_second() -> None:
    """New York, 2026: the second before 2 o'clock and the one that is 3."""
    changes = [row for row in offsets("America/New_York", 2026) if row[0] < 1_800_000_000_000][1:3]
    assert changes == [(1_772_953_200_000, -4 * 3600), (1_793_512_800_000, -5 * 3600)]


@pytest.mark.parametrize("name", ["", "Shanghai", "../etc/passwd", "Asia/", "a" * 300, "Asia/\0"])
def test_what_is_no_zone_is_none(name: str) -> None:
    """Whatever somebody wrote there."""
    assert zone_named(name) is None
