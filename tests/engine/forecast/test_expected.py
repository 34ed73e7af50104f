"""Orders to be expected: the kinds that were seen, as often as expected demand allows, and the rest alone."""

import numpy as np
import pytest

from engine.forecast import expected_orders
from engine.forecast.kinds import Kinds


def seen() -> Kinds:
    """SKU 0 alone, and 0 with two of 1, in region 0; SKU 1 in region 1."""
    kinds = Kinds()
    for _ in range(4):
        kinds.add(0, [(0, 1)])
    for _ in range(2):
        kinds.add(0, [(1, 2), (0, 1)])
    kinds.add(1, [(1, 1)])
    return kinds


def test_expected_units_are_met_exactly() -> None:
    """Whatever was seen: what kinds do not cover comes by itself."""
    random = np.random.default_rng(3)
    units = random.random((3, 2)) * 50
    found = expected_orders(seen().baskets(), units, rest_rows_max=100)
    np.testing.assert_allclose(found.units(3, 2), units)


def test_what_is_bought_together_is_expected_together() -> None:
    """As often as it was, where demand goes on as it was."""
    baskets = seen().baskets()
    found = expected_orders(baskets, baskets.units(2, 2), rest_rows_max=100)
    np.testing.assert_allclose(found.weight, baskets.weight)
    np.testing.assert_array_equal(found.sku, baskets.sku)


def test_nothing_seen_is_single_units() -> None:
    """And of too many rows the greatest are kept."""
    units = np.array([[3.0, 0.0], [1.0, 2.0]])
    found = expected_orders(Kinds().baskets(), units, rest_rows_max=2)
    assert list(zip(found.sku, found.region, found.weight, strict=True)) == [(0, 0, 3.0), (1, 1, 2.0)]


def test_kinds_are_bounded_and_the_seldom_are_forgotten() -> None:
    """The frequent stay."""
    kinds = Kinds(kinds_max=10)
    for number in range(500):
        kinds.add(0, [(0, 1)])
        kinds.add(0, [(number + 1, 1)])
    assert len(kinds) <= 10
    baskets = kinds.baskets()
    assert baskets.weight[list(baskets.sku).index(0)] == pytest.approx(baskets.weight.max())


def test_of_kinds_that_came_once_the_latest_stay() -> None:
    """However many there are: half of them at the least."""
    kinds = Kinds(kinds_max=10)
    for number in range(25):
        kinds.add(0, [(number, 1)])
        assert 5 <= len(kinds) <= 10 or number < 5
        assert number in kinds.baskets().sku


def test_a_sku_twice_in_an_order_is_one_line() -> None:
    """With the units of both, whatever their sequence."""
    kinds = Kinds()
    kinds.add(0, [(2, 1), (1, 1), (2, 3)])
    kinds.add(0, [(1, 1), (2, 4)])
    baskets = kinds.baskets()
    assert (baskets.sku.tolist(), baskets.quantity.tolist(), baskets.weight.tolist()) == ([1, 2], [1, 4], [2.0])
