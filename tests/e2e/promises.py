"""What an acknowledged answer may have become when it is looked at later."""

from datetime import UTC, datetime, timedelta

import msgspec

from engine.model import Allocation
from engine.model.allocation import Status

HOLDING: frozenset[Status] = frozenset({"reserved", "confirmed", "partially_shipped"})
"""States that hold stock."""

LATER: dict[Status, frozenset[Status]] = {
    "reserved": frozenset({"reserved", "confirmed", "released", "expired", "partially_shipped", "shipped"}),
    "confirmed": frozenset({"confirmed", "released", "partially_shipped", "shipped"}),
    "partially_shipped": frozenset({"partially_shipped", "shipped"}),
}
"""The states that may follow each; those that are not here are the last."""

CLOCK_SLACK = timedelta(milliseconds=50)
"""Between the store's clock and ours, which is of the same machine."""

_decode = msgspec.json.Decoder(Allocation).decode


def allocation_of(body: bytes) -> Allocation:
    """The Allocation in an answer."""
    return _decode(body)


def ran_out(allocation: Allocation) -> bool:
    """Whether its hold is over by now."""
    if allocation.expires_at is None:
        return False
    return datetime.fromisoformat(allocation.expires_at) <= datetime.now(UTC) + CLOCK_SLACK


def broken_promise(earlier: Allocation, later: Allocation) -> str | None:
    """Why `later` cannot be what became of `earlier`; None when it can."""
    if later.version == earlier.version:
        return None if later == earlier else "another answer for the same version"
    if later.version < earlier.version:
        return "an older version came back"
    if later.status not in LATER.get(earlier.status, ()):
        return f"{later.status} cannot follow {earlier.status}"
    if later.status == "expired" and not ran_out(earlier):
        return "expired before its time"
    kept = msgspec.structs.replace(later, status=earlier.status, version=0, expires_at=None)
    if kept != msgspec.structs.replace(earlier, version=0, expires_at=None):
        return "holds something else"
    return None
