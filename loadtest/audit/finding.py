"""What the audit of a run found, as plain data."""

from typing import Literal

from msgspec import Struct

LieKind = Literal[
    "oversold",
    "missing",
    "double",
    "booked-wrong",
    "changed",
    "contradicted",
    "unreadable",
    "held-after-no",
    "false-refusal",
    "store",
]
"""In the order in which they are told:

    oversold       a cell has more reserved than is on hand, or sold its safety stock
    missing        an order that was acknowledged is not there, or no longer holds what it was told to hold
    double         an order was decided more than once
    booked-wrong   a cell reserves other units than the orders of the run hold of it
    changed        an order is there with another allocation than it was told
    contradicted   two answers to one order do not go together
    unreadable     a 2xx answer is no allocation of its order
    held-after-no  an order that was refused or turned away is there
    false-refusal  an order was refused for stock although there was enough of it all the time that it was under way
    store          the store's own books do not balance
"""

EXAMPLES_MAX = 5


class Lie(Struct, frozen=True, kw_only=True):
    """One way in which the service did not do what it told."""

    kind: LieKind
    count: int
    """Orders; of `oversold` and `booked-wrong` cells; of `store` differences."""
    detail: str
    examples: list[str]


class RunAudit(Struct, frozen=True, kw_only=True):
    """What was looked at, what was wrong, and what could not be told."""

    acknowledged: int = 0
    """Orders of the run that were answered with 2xx."""
    read: int = 0
    """Orders of the run that were looked up, refused ones included."""
    unread: int = 0
    """Those of which the service told nothing."""
    left_out: int = 0
    """Those beyond the bound, for which a sample stands."""
    lost: int = 0
    """Orders of which no answer tells what became of them. Either is right."""
    lost_held: int = 0
    """Those of them that are there."""
    units_held: int = 0
    """Units that the run's orders hold, where all of them were read."""
    cells: int = 0
    """Cells whose reserved units before and after were held against that."""
    events: int = 0
    """Events of the feed that were read, of the run and since."""
    refused_for_stock: int = 0
    """Orders that were refused because stock was short."""
    refusals_judged: int = 0
    """Those of which could be told whether stock was free."""
    refusals_false: int = 0
    """Those for which there was enough all the time that they were under way: the refusal is untrue."""
    refusals_doubtful: int = 0
    """Those for which there was enough for some of that time, or at the end, and no more can be told."""
    store: bool | None = None
    """Whether the store's own books balance; None where they were not looked at."""
    lies: list[Lie] = []
    notes: list[str] = []
    """What could not be looked at, and why."""
    skipped: str | None = None
    """Why there was to be none."""
    broken: str | None = None
    """Why it could not be done."""
    seconds: float = 0.0
    """How long it took."""


def lie(kind: LieKind, examples: list[str], detail: str, count: int | None = None) -> list[Lie]:
    """One, if there is any."""
    found = len(examples) if count is None else count
    return [Lie(kind=kind, count=found, detail=detail, examples=examples[:EXAMPLES_MAX])] if found else []
