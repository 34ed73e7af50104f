"""Opportunity prices: plans are chosen by cost and price together, and book the cost."""

import numpy as np
import pytest

from engine.errors import InvalidInput
from engine.planner import Planner, Prices
from tests.engine.planner.test_planner import quote, warehouse_of
from tests.engine.planner.two_warehouses import order, small_planner

WAY = 111
"""What the way from the far warehouse costs more."""


def chosen(planner: Planner) -> str:
    """Where two units of a ship from."""
    return warehouse_of(planner, order(quantity=2))


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        (None, "near"),
        (Prices({("a", "near"): WAY // 2}), "near"),
        (Prices({("a", "near"): WAY // 2 + 1}), "far"),
        (Prices({("b", "near"): 9_999}), "near"),
        (Prices({}, {"near": WAY + 1}), "far"),
        (Prices({("a", "near"): np.int64(56)}, {"far": 1}), "far"),
        (Prices({("a", "near"): 56}, {"far": 2}), "near"),
    ],
)
def test_the_least_sum_of_cost_and_price_is_chosen_and_its_cost_is_booked(prices: Prices, expected: str) -> None:
    planner = small_planner()
    planner.set_prices(prices)
    assert chosen(planner) == expected
    assert quote(planner, order(quantity=2))["cost"] == {"near": 220, "far": 220 + WAY}[expected]


def test_an_explanation_shows_prices_beside_the_cost() -> None:
    planner = small_planner()
    planner.set_prices(Prices({("a", "near"): 30}, {"near": 5}))
    rows = {row["warehouse"]: row for row in quote(planner, order(quantity=2))["explanation"]["warehouses"]}
    assert rows["near"]["score"] == {"cost": 220, "price": 65, "total": 285}
    assert rows["far"]["score"] == {"cost": 220 + WAY, "total": 220 + WAY}
    assert rows["near"]["cost"]["total"] == 220


def test_prices_are_taken_back() -> None:
    planner = small_planner()
    planner.set_prices(Prices({("a", "near"): 9_999}))
    planner.set_prices(None)
    assert chosen(planner) == "near"


def test_prices_outlive_a_reload() -> None:
    """A planner that loads everything anew, from another store even, has the prices of what is still known."""
    planner, other = small_planner(), small_planner()
    planner.set_prices(Prices({("a", "near"): 9_999, ("b", "near"): 1}, {"near": 1}))
    planner.become(other)
    assert chosen(planner) == "far"


def test_prices_outlive_a_store_that_was_emptied_for_a_while() -> None:
    planner = small_planner()
    planner.set_prices(Prices({("a", "near"): 9_999}, {"near": 1}))
    planner.become(planner.blank())
    planner.become(small_planner())
    assert chosen(planner) == "far"


@pytest.mark.parametrize(
    ("prices", "pointers"),
    [
        (Prices({("ghost", "near"): 1, ("a", "ghost"): 1}), ["/cells/ghost/near", "/cells/a/ghost"]),
        (Prices({("a", "near"): -1}), ["/cells/a/near"]),
        (Prices({("a", "near"): 1.5}), ["/cells/a/near"]),  # type: ignore[dict-item]
        (Prices({("a", "near"): True}), ["/cells/a/near"]),
        (Prices({("a", "near"): 10**14}), ["/cells/a/near"]),
        (Prices({}, {"ghost": 1, "near": -5}), ["/warehouses/ghost", "/warehouses/near"]),
    ],
)
def test_every_wrong_price_is_named_and_the_former_ones_stay(prices: Prices, pointers: list[str]) -> None:
    planner = small_planner()
    planner.set_prices(Prices({("a", "near"): 9_999}))
    with pytest.raises(InvalidInput) as raised:
        planner.set_prices(prices)
    assert [error.pointer for error in raised.value.errors] == pointers
    assert chosen(planner) == "far"


@pytest.mark.parametrize(
    ("prices", "pointer", "rule"),
    [
        (Prices({"a": 5}), "/cells/a", "must be of a SKU and a warehouse"),  # type: ignore[dict-item]
        (Prices({("a", "near", "x"): 5}), "/cells/", "must be of a SKU and a warehouse"),  # type: ignore[dict-item]
        (Prices([("a", "near", 5)]), "/cells", "must be a mapping of prices, not list"),  # type: ignore[arg-type]
        (Prices({}, 5), "/warehouses", "must be a mapping of prices, not int"),  # type: ignore[arg-type]
    ],
)
def test_prices_of_a_wrong_shape_are_told_with_field_and_rule(prices: Prices, pointer: str, rule: str) -> None:
    """Not by the error of whatever happens to meet them first."""
    with pytest.raises(InvalidInput) as refused:
        small_planner().set_prices(prices)
    assert refused.value.errors[0].pointer.startswith(pointer)
    assert rule in refused.value.errors[0].message
