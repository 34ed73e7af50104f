"""The knee lies where p99 reaches the objective; what does not count is not counted, and what is not known is said."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtest.capacity.knee import knee_of
from loadtest.capacity.point import Point
from loadtest.capacity.spread import rising
from tests.loadtest.capacity.results import point, session

LOADS = (0.2, 0.4, 0.6, 0.8, 1.0)


def sweep(*waits: float, repeats: int = 3, wobble: float = 0.0) -> list[Point]:
    """Loads of 200, 400... a second, and the p99 of each."""
    return [
        point(offered=1_000 * load, p99_ms=wait * (1 + wobble * (repeat - 1)), share=load, repeat=repeat)
        for repeat in range(repeats)
        for load, wait in zip(LOADS, waits, strict=False)
    ]


def test_the_knee_lies_between_the_loads_that_meet_and_miss() -> None:
    """On a scale of factors: 40 is the middle of 20 and 80."""
    knee = knee_of(sweep(10, 10, 20, 80, 200), 40.0, 1)
    assert knee is not None
    assert knee.per_s == pytest.approx(700)
    assert (knee.met_per_s, knee.missed_per_s) == (600, 800)
    assert not knee.at_least
    assert knee.interval is not None
    assert knee.interval.low == pytest.approx(700)
    assert knee.interval.high == pytest.approx(700)
    assert not knee.interval_open


def test_all_and_none() -> None:
    """Where every load meets it the knee is at least the last; where none does there is none."""
    most, none = knee_of(sweep(1, 2, 3, 4, 5), 50.0, 1), knee_of(sweep(60, 70, 80, 90, 100), 50.0, 1)
    assert most is not None
    assert none is not None
    assert (most.per_s, most.at_least, most.interval_open, most.missed_per_s) == (1_000, True, True, None)
    assert (none.per_s, none.at_least, none.met_per_s, none.missed_per_s) == (None, False, None, 200)


def test_what_the_generator_limited_is_no_result() -> None:
    """Such points are left out, however good they look; a sweep of nothing else has no knee."""
    points = sweep(10, 10, 10, 10, 10)
    bound = [point(offered=9_000, p99_ms=1.0, share=9.0, generator_bound=["cpu"])]
    knee = knee_of(points + bound, 50.0, 1)
    assert knee is not None
    assert knee.per_s == 1_000
    assert knee_of(bound, 50.0, 1) is None
    assert knee_of([point(offered=1, p99_ms=1, share=None)], 50.0, 1) is None


@pytest.mark.parametrize(
    "wrong", [{"overloaded_share": 0.02}, {"failed_share": 0.001}, {"behind": True}, {"requests": 0}]
)
def test_quick_refusals_are_no_capacity(wrong: dict[str, object]) -> None:
    """A load that is met by turning others away is missed."""
    points = [*sweep(5, 5, 5), *(point(offered=800, p99_ms=1, share=0.8, repeat=at, **wrong) for at in range(3))]
    knee = knee_of(points, 50.0, 1)
    assert knee is not None
    assert knee.missed_per_s == 800
    assert knee.per_s is not None
    assert 600 <= knee.per_s < 800


def test_one_bad_second_is_no_knee() -> None:
    """Neither at a low load, of which the other repeats were good, nor a good one beyond."""
    points = sweep(10, 10, 10, 100, 300)
    points[1] = point(offered=400, p99_ms=900, share=0.4, repeat=0)
    points[4] = point(offered=1_000, p99_ms=2, share=1.0, repeat=0)
    knee = knee_of(points, 50.0, 1)
    assert knee is not None
    assert knee.per_s is not None
    assert 600 < knee.per_s < 800


def test_repeats_that_differ_widen_the_interval() -> None:
    """And a single one has none."""
    narrow, wide, single = (
        knee_of(sweep(5, 10, 20, 40, 80, repeats=times, wobble=wobble), 30.0, 1)
        for times, wobble in ((5, 0.01), (5, 0.2), (1, 0.0))
    )
    assert narrow is not None
    assert wide is not None
    assert single is not None
    assert narrow.interval is not None
    assert wide.interval is not None
    assert wide.interval.high - wide.interval.low > 3 * (narrow.interval.high - narrow.interval.low) > 0
    assert (single.interval, single.repeats) == (None, 1)


@settings(max_examples=30)
@given(st.lists(st.floats(0.01, 1e5), min_size=1, max_size=5), st.floats(0.01, 1e5), st.integers(1, 3))
def test_a_knee_is_within_what_was_measured(waits: list[float], objective: float, repeats: int) -> None:
    """Whatever the waits; its interval, too."""
    points = sweep(*waits, repeats=repeats, wobble=0.1)
    knee = knee_of(points, objective, 1)
    assert knee is not None
    assert knee.repeats == repeats
    if knee.per_s is not None:
        assert 200 <= knee.per_s <= 1_000
    if knee.interval is not None:
        assert 0 <= knee.interval.low <= knee.interval.high <= 1_000


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30))
def test_what_is_made_to_rise_rises_and_keeps_its_sum(values: list[float]) -> None:
    """The nearest such sequence has the same mean."""
    found = rising(values)
    assert len(found) == len(values)
    assert all(one <= other + 1e-6 for one, other in pairwise(found))
    assert sum(found) == pytest.approx(sum(values), rel=1e-6, abs=1e-3)
    if values == sorted(values):
        assert found == values


def test_a_whole_session_has_its_knee() -> None:
    """p99 is 10 ms over what is left of the peak: 50 ms at 80 % of it."""
    found = session(1, 1_000).knee
    assert found is not None
    assert found.per_s == pytest.approx(800, rel=0.02)
