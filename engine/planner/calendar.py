"""When orders leave warehouses: their cut-off times, working days and holidays as a table of instants.

Python knows time zones and the core does not: it only looks up by the instant at which it plans.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.model import Warehouse

CUTOFFS_AHEAD = 16
"""Cut-offs that a table has: more than lie between two refreshes, whatever is open."""

REFRESH_MS = 24 * 3_600_000
"""How long a table is used."""

DAYS_BACK = 2
"""Days before now that a table has too: clocks may be set back."""

DAYS_AHEAD_MAX = 400
"""Days that are searched for open ones: a warehouse that is closed for longer promises nothing."""

EPOCH = date(1970, 1, 1)

Dispatches = list[tuple[int, int]]
"""Cut-off instants (ms since 1970), and the day since 1970 on which what comes before each leaves."""


def has_calendar(warehouse: Warehouse) -> bool:
    """Whether a warehouse says anything of when orders leave; if not, they leave on the day they come, UTC."""
    return bool(
        warehouse.timezone
        or warehouse.cutoff
        or warehouse.working_days is not None
        or warehouse.holidays
        or warehouse.handling_days
    )


def dispatches(warehouse: Warehouse, now_ms: int) -> Dispatches:
    """The cut-offs around an instant, the earliest first; empty for a time zone that is not known here.

    An order at the very instant of a cut-off goes with the next. A cut-off that clocks pass twice is the first of the
    two; one that they skip is as long after the last hour as ever. `handling_days` are working days.
    """
    try:
        zone: tzinfo = ZoneInfo(warehouse.timezone) if warehouse.timezone else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return []
    try:
        first = datetime.fromtimestamp(now_ms / 1000, zone).date() - timedelta(days=DAYS_BACK)
        days = _open_days(warehouse, first)
    except (OverflowError, ValueError, OSError):
        return []
    found: Dispatches = []
    ahead = 0
    # The last days have no day yet on which what they take in leaves.
    for day, leaves in zip(days, days[warehouse.handling_days :], strict=False):
        cutoff_ms = _cutoff_ms(warehouse, day, zone)
        found.append((cutoff_ms, (leaves - EPOCH).days))
        ahead += cutoff_ms > now_ms
        if ahead == CUTOFFS_AHEAD:
            break
    return found


def _open_days(warehouse: Warehouse, first: date) -> Sequence[date]:
    weekdays = frozenset(warehouse.working_days if warehouse.working_days is not None else range(1, 8))
    closed = frozenset(warehouse.holidays)
    wanted = DAYS_BACK + 1 + CUTOFFS_AHEAD + warehouse.handling_days
    days: list[date] = []
    for step in range(DAYS_AHEAD_MAX):
        day = first + timedelta(days=step)
        if day.isoweekday() in weekdays and day not in closed:
            days.append(day)
            if len(days) == wanted:
                break
    return days


def _cutoff_ms(warehouse: Warehouse, day: date, zone: tzinfo) -> int:
    if warehouse.cutoff is None:
        # Until the day is over.
        local = datetime.combine(day + timedelta(days=1), time.min, zone)
    else:
        local = datetime.combine(day, time.fromisoformat(warehouse.cutoff), zone)
    return round(local.timestamp()) * 1000


class Calendars:
    """Makes the tables of warehouses, once for all of one calendar, and knows when they are to be made anew."""

    def __init__(self) -> None:
        self._made_ms: int | None = None

    def forget(self) -> None:
        """A warehouse changed, or whoever had the tables has them no more."""
        self._made_ms = None

    def due(self, now_ms: int) -> bool:
        """Whether what was made is of no use any more."""
        made_ms = self._made_ms
        return made_ms is None or not made_ms - REFRESH_MS <= now_ms < made_ms + REFRESH_MS

    def make(self, warehouses: Sequence[tuple[int, Warehouse]], now_ms: int) -> list[tuple[int, Dispatches | None]]:
        """The tables of warehouses by number; None for one that has no calendar."""
        known: dict[object, Dispatches] = {}
        rows: list[tuple[int, Dispatches | None]] = []
        for number, row in warehouses:
            if not has_calendar(row):
                rows.append((number, None))
                continue
            alike = (row.timezone, row.cutoff, row.working_days, row.holidays, row.handling_days)
            if alike not in known:
                known[alike] = dispatches(row, now_ms)
            rows.append((number, known[alike]))
        self._made_ms = now_ms
        return rows
