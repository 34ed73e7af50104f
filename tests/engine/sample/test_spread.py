"""Shares into whole units, and draws by weight."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.sample.spread import pick_distinct, split_units
from engine.sample.weighted import WeightedDraw

WEIGHTS = st.lists(st.one_of(st.just(0.0), st.floats(0.001, 1e9)), min_size=1, max_size=40).filter(any)


@given(units=st.integers(0, 1_000_000), weights=WEIGHTS)
def test_split_units_add_up_and_leave_zero_weights_empty(units: int, weights: list[float]) -> None:
    """A unit lost or made here is stock that nobody counted."""
    split = split_units(units, weights)
    assert sum(split) == units
    assert all(count == 0 for count, weight in zip(split, weights, strict=True) if weight == 0)
    assert min(split) >= 0


@given(seed=st.integers(0, 1000), weights=WEIGHTS)
def test_a_weight_of_zero_is_never_drawn(seed: int, weights: list[float]) -> None:
    """A SKU without demand is one that nobody sells."""
    assert weights[WeightedDraw(range(len(weights)), weights).draw(Random(seed))] > 0


def test_picked_places_are_distinct_and_ascending() -> None:
    """A dc picked twice would make the SKU rarer than its share says."""
    picked = pick_distinct([1.0, 5.0, 2.0, 9.0], 3, Random(1))
    assert picked == sorted(set(picked))
    assert len(picked) == 3


@pytest.mark.parametrize("weights", [[], [0.0, 0.0], [1.0]])
def test_weights_that_cannot_be_drawn_from_are_refused(weights: list[float]) -> None:
    """An index error in the midst of a sale says nothing about the table that caused it."""
    with pytest.raises(ValueError, match="2 values need as many weights"):
        WeightedDraw(["a", "b"], weights)
