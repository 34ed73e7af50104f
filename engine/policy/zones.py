"""Offsets of time zones, for a core that knows no zones. The data are the platform's, or the tzdata package's."""

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

YEARS_AHEAD = 10
"""How far a table reaches from when it was made: a service that runs longer must be given its file anew."""

_STEP = timedelta(days=7)
"""Offsets change less often than this; two changes nearer to each other would be missed."""


def zone_named(name: str) -> ZoneInfo | None:
    """The zone of an IANA name, None where there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


@cache
def offsets(name: str, year: int) -> tuple[tuple[int, int], ...]:
    """From which instant (milliseconds since 1970) a zone is how many seconds east of UTC, from a year on."""
    zone = ZoneInfo(name)
    at, last = datetime(year, 1, 1, tzinfo=UTC), datetime(year + YEARS_AHEAD, 1, 1, tzinfo=UTC)
    rows = [(_ms(at), _offset_s(zone, at))]
    while at < last:
        after = at + _STEP
        if _offset_s(zone, after) != rows[-1][1]:
            change = _change(zone, at, after)
            rows.append((_ms(change), _offset_s(zone, change)))
        at = after
    return tuple(rows)


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first second at which the offset is not that of `before`."""
    old = _offset_s(zone, before)
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=int((after - before).total_seconds()) // 2)
        if _offset_s(zone, middle) == old:
            before = middle
        else:
            after = middle
    return after


def _offset_s(zone: ZoneInfo, at: datetime) -> int:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None, "a zone has one"
    return int(offset.total_seconds())


def _ms(at: datetime) -> int:
    return int(at.timestamp()) * 1000
