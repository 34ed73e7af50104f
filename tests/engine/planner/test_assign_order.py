"""engine.assign_order: optima by HiGHS and of known orders, prices, rules for what goes in, errors that say why."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.single_order import highs_optimum, random_order
from engine import assign_order
from engine.errors import InvalidInput, Unassignable

KNOWN_ORDERS = os.environ.get("STOCKADE_ORDERS_JSONL")
FIXED = np.array([5, 7, 9])
COST = np.array([[1, -1], [3, 2], [0, 0]])
"""Three warehouses, two lines: the last alone costs 9, the second 12."""


@pytest.mark.skipif(KNOWN_ORDERS is None, reason="STOCKADE_ORDERS_JSONL names no file of orders with known optima")
def test_orders_with_a_known_optimum_are_solved_to_it_and_proven() -> None:
    """JSONL of fixed [W], cost [W][L] (null: cannot serve) and optimum, in units of which a thousandth counts."""

    def thousandths(value: float | None) -> int:
        return -1 if value is None else round(1000 * value)

    for row in map(json.loads, Path(KNOWN_ORDERS or "").read_text().splitlines()):
        fixed = [thousandths(value) for value in row["fixed"]]
        cost = [[thousandths(value) for value in costs] for costs in row["cost"]]
        found = assign_order(fixed, cost)
        assert (found.cost, found.bound, found.proven) == (thousandths(row["optimum"]),) * 2 + (True,), row["id"]
        check_cost(np.array(fixed), np.array(cost), found)


def check_cost(fixed: npt.NDArray[Any], cost: npt.NDArray[Any], found: Any) -> None:
    """The warehouses that an Assignment names cost what it says."""
    lines = cost[found.warehouse, np.arange(cost.shape[1])]
    assert (lines >= 0).all()
    assert found.cost == fixed[np.unique(found.warehouse)].sum() + lines.sum()


@pytest.mark.parametrize("per_mile", [0.000541, 0.005])
@pytest.mark.parametrize("lines", [1, 2, 3, 5, 20])
def test_large_networks_are_solved_to_the_optimum_and_proven(lines: int, per_mile: float) -> None:
    """A well-stocked centre per 25 sites, the others thinly: what HiGHS proves, for every number of lines."""
    fixed, cost = random_order(7, lines=lines, warehouses=200, stocked=0.3, per_mile=per_mile, centres=True)
    found = assign_order(fixed, cost)
    optimum, _ = highs_optimum(fixed, cost)
    assert (found.cost, found.bound, found.proven) == (optimum, optimum, True)
    check_cost(fixed, cost, found)


@pytest.mark.parametrize("max_shipments", [None, 2, 4])
@pytest.mark.parametrize("stocked", [0.6, 0.3, 0.08])
@pytest.mark.parametrize(("lines", "warehouses"), [(4, 60), (8, 60), (12, 40)])
def test_highs_finds_nothing_cheaper(lines: int, warehouses: int, stocked: float, max_shipments: int | None) -> None:
    """On orders too large for brute force, with and without a bound on the shipments."""
    for seed, per_mile in ((1, 0.000541), (2, 0.005)):
        fixed, cost = random_order(seed, lines=lines, warehouses=warehouses, stocked=stocked, per_mile=per_mile)
        if max_shipments:
            # Else the last warehouse alone always can.
            cost[-1] = -1
        optimum, _ = highs_optimum(fixed, cost, max_shipments)
        if optimum is None:
            with pytest.raises(Unassignable) as refused:
                assign_order(fixed, cost, max_shipments=max_shipments)
            assert refused.value.proven
        else:
            found = assign_order(fixed, cost, max_shipments=max_shipments)
            assert (found.cost, found.bound, found.proven) == (optimum, optimum, True)
            assert max_shipments is None or len(np.unique(found.warehouse)) <= max_shipments
            check_cost(fixed, cost, found)


def test_prices_choose_and_costs_are_booked() -> None:
    """A price on what would be cheapest turns the choice away; nobody pays it."""
    free = assign_order(FIXED, COST)
    assert (free.warehouse.tolist(), free.warehouse.dtype, free.cost, free.price) == ([2, 2], np.int32, 9, 0)
    priced = assign_order(FIXED, COST, price=[[0, 0], [0, 0], [3, 3]])
    assert (priced.warehouse.tolist(), priced.cost, priced.price, priced.bound) == ([1, 1], 12, 0, 12)
    dear = assign_order(FIXED, COST, warehouse_price=[0, 4, 2], price=np.ones((3, 2), np.int8))
    assert (dear.warehouse.tolist(), dear.cost, dear.price, dear.bound, dear.proven) == ([2, 2], 9, 4, 9, True)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_a_choice_by_prices_is_the_choice_of_the_sums(seed: int, of_prices: int) -> None:
    """And what is booked is less by exactly the prices of what it uses."""
    fixed, cost = random_order(seed, lines=5, warehouses=12, stocked=0.4, per_mile=0.005)
    random = np.random.default_rng(of_prices)
    price = random.integers(0, 4000, cost.shape)
    warehouse_price = random.integers(0, 4000, fixed.shape)
    found = assign_order(fixed, cost, price=price, warehouse_price=warehouse_price)
    sums = assign_order(fixed + warehouse_price, np.where(cost < 0, -1, cost + price))
    assert found.warehouse.tolist() == sums.warehouse.tolist()
    assert (found.cost + found.price, found.bound + found.price) == (sums.cost, sums.bound)
    check_cost(fixed, cost, found)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint64, ">i8"])
def test_any_integers_in_any_layout_are_taken(dtype: Any) -> None:
    """Narrow, unsigned, of the other byte order, turned, with gaps, not to be written."""
    fixed, cost = FIXED.astype(dtype), np.where(COST < 0, 100, COST).astype(dtype)
    expected = assign_order(fixed.tolist(), cost.tolist()).warehouse.tolist()
    gaps = np.zeros((6, 4), dtype)
    gaps[::2, ::2] = cost
    gaps.flags.writeable = False
    for same in (cost, np.asfortranarray(cost), gaps[::2, ::2], cost[::-1, ::-1][::-1, ::-1]):
        assert assign_order(fixed, same).warehouse.tolist() == expected


@pytest.mark.parametrize(
    ("change", "pointer", "words"),
    [
        ({"fixed": [1, 2]}, "/fixed", "3 entries"),
        ({"fixed": [[1, 2, 3]]}, "/fixed", "1 dimensions"),
        ({"fixed": [1, 2, -1]}, "/fixed/2", "0 to 10000000000000, not -1"),
        ({"cost": [1, 2, 3]}, "/cost", "2 dimensions"),
        ({"cost": [[1], [2, 3]]}, "/cost", "array of integers"),
        ({"cost": [[1.0], [2.0], [3.0]]}, "/cost", "integers, not float64"),
        ({"cost": [[True], [True], [True]]}, "/cost", "integers, not bool"),
        ({"cost": [[2**70], [1], [1]]}, "/cost", "integers, not object"),
        ({"cost": np.full((3, 2), 2**64 - 1, np.uint64)}, "/cost", "10**13"),
        ({"cost": [[0, -1], [0, -2], [0, 0]]}, "/cost/1/1", "-1"),
        ({"cost": [[0, 10**13 + 1], [0, 0], [0, 0]]}, "/cost/0/1", "10000000000000"),
        ({"cost": np.zeros((3, 501), np.int64)}, "/cost", "1 to 500 columns"),
        ({"cost": np.zeros((3, 0), np.int64)}, "/cost", "1 to 500 columns"),
        ({"fixed": np.zeros(4097, np.int64), "cost": np.zeros((4097, 1), np.int64)}, "/cost", "1 to 4096 rows"),
        ({"fixed": np.zeros(0, np.int64), "cost": np.zeros((0, 1), np.int64)}, "/cost", "1 to 4096 rows"),
        ({"price": [[0, 0]]}, "/price", "shape of cost"),
        ({"price": [[0, 0], [0, -1], [0, 0]]}, "/price/1/1", "not -1"),
        ({"price": np.full((3, 2), 10**13)}, "/cost/0/0", "with its price"),
        ({"cost": [[-5, 1], [1, 1], [1, 1]], "price": np.full((3, 2), 10)}, "/cost/0/0", "not -5"),
        ({"warehouse_price": [1]}, "/warehouse_price", "3 entries"),
        ({"warehouse_price": [0, 2**62, 0]}, "/warehouse_price/1", "10000000000000"),
        ({"warehouse_price": [0, 0, 10**13]}, "/fixed/2", "with its price"),
        ({"max_shipments": 0}, "/max_shipments", "from 1 on"),
        ({"max_shipments": True}, "/max_shipments", "from 1 on"),
        ({"max_shipments": 1.5}, "/max_shipments", "from 1 on"),
        ({"node_limit": -1}, "/node_limit", "from 0 on"),
    ],
)
def test_what_breaks_a_rule_is_named(change: dict[str, Any], pointer: str, words: str) -> None:
    """The argument, the place in it, and the rule."""
    with pytest.raises(InvalidInput) as refused:
        assign_order(**({"fixed": FIXED, "cost": COST} | change))
    assert refused.value.errors[0].pointer == pointer
    assert words in refused.value.errors[0].message


def test_a_price_counts_only_where_there_is_a_cost() -> None:
    """However high: nobody could pay it."""
    assert assign_order([1, 1], [[-1], [2]], price=[[10**13], [0]]).warehouse.tolist() == [1]


@given(
    st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-1, 10**13), min_size=1, max_size=4),
    st.integers(1, 4),
    st.data(),
)
def test_hostile_numbers_are_assigned_or_refused(fixed: list[int], lines: int, data: st.DataObject) -> None:
    """Never a panic, never a sum that ran over."""
    cells = st.integers(-1, 2) | st.integers(10**13 - 1, 10**13 + 1) | st.integers(-(2**63), 2**63 - 1)
    rows = st.lists(st.lists(cells, min_size=lines, max_size=lines), min_size=len(fixed), max_size=len(fixed))
    cost = np.array(data.draw(rows), np.int64)
    try:
        found = assign_order(np.array(fixed, np.int64), cost)
    except (InvalidInput, Unassignable):
        return
    check_cost(np.array(fixed), cost, found)


def test_an_order_that_nobody_can_serve_says_which_lines() -> None:
    """So that the caller can leave them out."""
    with pytest.raises(Unassignable, match=r"No warehouse serves lines 1, 3") as refused:
        assign_order([1, 1], [[0, -1, 0, -1], [0, -1, -1, -1]])
    assert (refused.value.lines, refused.value.proven) == ((1, 3), True)


def test_too_few_shipments_are_told_from_a_search_that_ended() -> None:
    """One is certain, the other asks for a higher limit."""
    with pytest.raises(Unassignable, match=r"raise max_shipments") as refused:
        assign_order([1, 1], [[0, -1], [-1, 0]], max_shipments=1)
    assert (refused.value.lines, refused.value.max_shipments, refused.value.proven) == ((), 1, True)
    fixed, cost = random_order(3, lines=30, warehouses=60, stocked=0.2, per_mile=0.005)
    cost[-1] = -1
    with pytest.raises(Unassignable, match=r"raise node_limit") as refused:
        assign_order(fixed, cost, max_shipments=4, node_limit=0)
    assert not refused.value.proven


def test_a_search_cut_short_gives_a_choice_and_a_bound() -> None:
    """More nodes, no worse a choice, no lower a bound; the same each time."""
    fixed, cost = random_order(3, lines=30, warehouses=150, stocked=0.08, per_mile=0.005)
    cost[-1] = -1
    found = [assign_order(fixed, cost, node_limit=limit) for limit in (0, 10, 10, 10_000)]
    for one in found:
        check_cost(fixed, cost, one)
        assert one.bound <= found[-1].cost <= one.cost
    assert found[1].warehouse.tolist() == found[2].warehouse.tolist()
    assert not found[0].proven
