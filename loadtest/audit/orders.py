"""Holds what orders were told against what the service has of them. Pure."""

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from loadtest.audit.finding import Lie, lie
from loadtest.ledger import (
    ACKNOWLEDGED,
    CONTRADICTED,
    LOST,
    REFUSED,
    STATES,
    STEP_LOST,
    TURNED_AWAY,
    UNREADABLE,
    Entries,
)

RESERVED, CONFIRMED, PARTLY, SHIPPED, BACKORDERED, EXPIRED = (
    STATES.index(word) for word in ("reserved", "confirmed", "partially_shipped", "shipped", "backordered", "expired")
)
NO_STATUSES = (409, 429, 503)
"""Refusals after which nothing may be there; another order may be under an id that is refused as taken."""

Mask = npt.NDArray[np.bool_]


def order_lies(ids: Sequence[str], told: Entries, found: Entries, moved: Collection[str] = ()) -> list[Lie]:
    """What does not fit; all three in the same order. Of orders that were `moved` the allocation may be another one."""
    marks = told["marks"]
    acknowledged, there = _has(marks, ACKNOWLEDGED), is_there(found)
    gone = acknowledged & (found["status"] == 404)
    readable = acknowledged & there & ~_has(marks, UNREADABLE) & ~_has(found["marks"], UNREADABLE)
    other = readable & (told["digest"] != found["digest"])
    if moved:
        other &= np.array([order_id not in moved for order_id in ids], bool)
    changed = readable & ~_may_become(told, found["state"])
    no = ~_has(marks, ACKNOWLEDGED | LOST) & _has(marks, REFUSED | TURNED_AWAY) & np.isin(told["status"], NO_STATUSES)
    states = [
        f"{ids[at]}: told {STATES[told['state'][at]]}, found {STATES[found['state'][at]] or 'in no known state'}"
        for at in np.flatnonzero(changed).tolist()
    ]
    return [
        *lie("missing", _named(ids, gone), "orders were acknowledged and are not there"),
        *lie("missing", states, "orders are no longer what they were acknowledged to be"),
        *lie("changed", _named(ids, other), "orders are there with another allocation than they were told"),
        *lie(
            "contradicted",
            _named(ids, _has(marks, CONTRADICTED)),
            "orders were given two answers that do not go together",
        ),
        *lie(
            "unreadable",
            _named(ids, acknowledged & _has(marks, UNREADABLE)),
            "orders were acknowledged by an answer that is no allocation of them",
        ),
        *lie("held-after-no", _named(ids, no & there), "orders were refused and are there all the same"),
    ]


def is_there(found: Entries) -> Mask:
    """Orders that the service has."""
    there: Mask = found["status"] == 200
    return there


def is_lost(told: Entries) -> Mask:
    """Orders of which no answer tells what became of them."""
    return _has(told["marks"], LOST) & ~_has(told["marks"], ACKNOWLEDGED)


def is_acknowledged(told: Entries) -> Mask:
    """Orders that were answered with 2xx."""
    return _has(told["marks"], ACKNOWLEDGED)


def has_mark(told: Entries, mark: int) -> Mask:
    """Orders with any of these marks."""
    return _has(told["marks"], mark)


def _may_become(told: Entries, state: npt.NDArray[np.uint8]) -> Mask:
    """Whether an order that was told to be in one state may be found in the other: a hold ends, what is paid ships."""
    was = told["state"]
    may: Mask = (
        (was == state)
        | (was == 0)
        | (was == BACKORDERED)
        | ((was == RESERVED) & (state == EXPIRED))
        | (np.isin(was, (CONFIRMED, PARTLY)) & np.isin(state, (PARTLY, SHIPPED)))
        | _has(told["marks"], STEP_LOST)
    )
    return may


def _has(marks: npt.NDArray[np.uint8], mark: int) -> Mask:
    found: Mask = (marks & np.uint8(mark)) != 0
    return found


def _named(ids: Sequence[str], which: Mask) -> list[str]:
    return [ids[at] for at in np.flatnonzero(which).tolist()]
