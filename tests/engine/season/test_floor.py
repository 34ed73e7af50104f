"""One order at a time from what is left, at the least cost."""

import numpy as np

from engine import BatchProblem
from engine.season import Season
from engine.season.floor import Floor


def test_what_a_shared_line_has_opened_is_paid_once() -> None:
    """The first line needs two warehouses; then the second is cheapest from one of these, not from a cheaper third."""
    orders = BatchProblem(
        line_start=[0, 2],
        sku=[0, 1],
        quantity=[2, 1],
        region=[0],
        fixed=[1000, 1000, 990],
        unit_cost=[[1, 1, 1]],
        stock=[[1, 1, 0], [5, 5, 5]],
        unserved_fixed=5000,
        unserved_unit=[5000],
    )
    floor = Floor(Season("one", orders, np.zeros(1), 1.0))
    floor.place_cheapest(0, None)
    assert floor.cost.tolist() == [2_003]
    assert {warehouse for _, warehouse, _ in floor.pieces[0]} == {0, 1}
