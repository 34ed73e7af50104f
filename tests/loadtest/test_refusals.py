"""What can be told of a refusal, by what was free while the order was under way, whatever the clocks say."""

from math import inf

import pytest

from loadtest.audit.feed import Change
from loadtest.audit.refusals import Clocks, Free, Judged, Wanted, judge, judge_by_the_end, wanted_of

AHEAD_MS = 1_000_000
"""The store's clock is so much later than the generator's."""


def clocks(spread_ms: int = 4) -> Clocks:
    """As an order tells that was answered within `spread_ms`."""
    one = Clocks()
    one.note(sent_ms=10, done_ms=10 + spread_ms, decided_ms=AHEAD_MS + 12)
    return one


def wanted(sent_ms: int, done_ms: int, units: int = 1) -> Wanted:
    """An order of tea."""
    return Wanted("o", sent_ms, done_ms, {"tea": units})


def judged(one: Wanted, changes: list[tuple[int, int]], *, free: int = 5, left: int | None = None) -> Judged:
    """Of a SKU that had so many free units and these changes, by the generator's clock."""
    levels = Free({"W": free}, [Change(AHEAD_MS + at_ms, "W", taken) for at_ms, taken in changes])
    return judge([one], {"tea": levels}, {"tea": levels.last if left is None else left}, clocks())


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ([], "false"),
        ([(50, 4)], "false"),
        ([(50, 5)], "true"),
        ([(50, 5), (60, -1), (300, 1)], "false"),
        # Within the time, or so close to it that the clocks do not tell.
        ([(150, 5)], "doubtful"),
        ([(50, 5), (150, -1)], "doubtful"),
        ([(50, 5), (110, -1), (120, 1)], "doubtful"),
        ([(50, 5), (203, -1)], "doubtful"),
        ([(97, 5)], "doubtful"),
        # Far from it.
        ([(50, 5), (220, -5)], "true"),
        ([(220, 5)], "false"),
    ],
)
def test_a_refusal_is_false_only_if_it_was_at_every_moment(changes: list[tuple[int, int]], word: str) -> None:
    """An order that was under way from 100 to 200 ms, for a unit of five."""
    found = judged(wanted(100, 200), changes)
    assert (len(found.false), found.true, found.doubtful) == tuple(word == one for one in ("false", "true", "doubtful"))


def test_what_does_not_add_up_proves_nothing() -> None:
    """Events that do not lead to what is left, and a clock that was set in the middle."""
    assert judged(wanted(100, 200), [], left=4).doubtful == 1
    torn = clocks()
    torn.note(sent_ms=500, done_ms=504, decided_ms=AHEAD_MS + 900)
    assert not torn.agree
    free = Free({"W": 5}, [])
    assert judge([wanted(1, 2)], {"tea": free}, {"tea": 5}, torn).doubtful == 1
    by_the_end = judge_by_the_end([wanted(1, 2), wanted(1, 2, units=6)], {"tea": 5})
    assert (by_the_end.doubtful, by_the_end.unknown, by_the_end.false) == (1, 1, [])


def test_units_at_several_warehouses_serve_one_order_and_a_lack_at_one_takes_none_from_another() -> None:
    """Orders may be split; a cell below zero has nothing."""
    levels = Free({"W1": 2, "W2": 1}, [Change(5, "W1", 4), Change(9, "W3", -7)])
    assert levels.between(-inf, inf) == (1, 8)
    assert levels.between(-inf, 3) == (3, 3)
    assert levels.last == 8


def test_an_order_with_terms_of_its_own_is_not_judged() -> None:
    """Stock may be there that it may not have."""
    plain = b'{"order_id":"o","lines":[{"sku":"tea","quantity":1},{"sku":"tea","quantity":2}],"payment":"paid"%s}'
    assert wanted_of(plain % b"", 7, 3) == Wanted("o", 7, 10, {"tea": 3})
    for terms in (b',"channel":"web"', b',"allow_split":false', b',"warehouses":["W"]', b',"policy":"nearest"'):
        assert wanted_of(plain % terms, 7, 3) is None
    assert wanted_of(b"no order", 7, 3) is None
