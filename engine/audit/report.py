"""What an audit and a repair have to say. Shape only."""

from typing import Literal

from msgspec import Struct

Kind = Literal[
    "reserved",
    "oversold",
    "negative",
    "limit",
    "capacity",
    "beyond",
    "record",
    "unreadable",
    "hold",
    "lease",
    "part",
    "total",
    "event",
]
"""Which rule is broken:

    reserved    what a cell says is reserved is not what reservations hold of it
    oversold    reservations hold, or pools offer, more than is on hand
    negative    units that cannot be below zero are
    limit       a purchase limit's counter is not what reservations count
    capacity    a warehouse's counter of a day is not
    beyond      reservations count more than the catalogue allows: no difference, as a limit may be lowered after a sale
    record      an order's record, or an attempt, cannot be read
    unreadable  another value cannot be read
    hold        the list of holds is not what records say
    lease       stock is held for an undecided order without a lease or long after it, or a lease for nothing
    part        what a partition holds of an order is not what its home says
    total       cells do not sum up to what events lead to: a change without its event, or an event without its change
    event       events are missing from the middle or the end of the stream
"""


class Difference(Struct, frozen=True, kw_only=True):
    """One thing that does not add up, in units unless the detail says otherwise."""

    kind: Kind
    where: str
    partition: int = 0
    expected: int
    found: int
    detail: str


class AuditReport(Struct, frozen=True, kw_only=True):
    """What was compared, and every difference."""

    orders: int
    holding: int
    """Orders that hold stock."""
    cells: int
    units_on_hand: int
    units_reserved: int
    partitions: int = 1
    following: int = 0
    """Orders whose other partitions have yet to follow their homes, and are on the list to do so: no difference."""
    difference_count: int
    differences: tuple[Difference, ...]
    notices: tuple[Difference, ...] = ()
    """What is worth a look and breaks no rule of the books: `beyond`."""

    @property
    def balanced(self) -> bool:
        """Whether nothing differs."""
        return self.difference_count == 0


class RepairStep(Struct, frozen=True, kw_only=True):
    """One value that a repair sets. None: no such entry. Of a part, the units that it holds."""

    what: Literal["free", "counter", "hold", "lease", "part", "total"]
    where: str
    partition: int
    seen: int | None
    set: int | None
    detail: str


class RepairReport(Struct, frozen=True, kw_only=True):
    """What a repair set, or would set, and what it leaves to a human."""

    dry_run: bool
    audit: AuditReport
    """Before; where something was set, what is left after it is `left`."""
    steps: tuple[RepairStep, ...]
    left: tuple[Difference, ...]
    """Differences that no certain value mends."""
    left_count: int
