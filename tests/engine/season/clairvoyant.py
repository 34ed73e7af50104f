"""The cost below which nobody can be who knows every order of a season: the linear relaxation, by HiGHS."""

import highspy
import numpy as np

from engine.season import Season


def linear_bound(season: Season) -> float:
    """In the season's units. Orders of one kind and region are one column: x[line, w] units, y[w] shipments."""
    p = season.orders
    kinds: dict[tuple[int, tuple[int, ...]], int] = {}
    for order in range(p.orders):
        lines = slice(p.line_start[order], p.line_start[order + 1])
        assert (p.quantity[lines] == 1).all()
        key = (int(p.region[order]), tuple(p.sku[lines].tolist()))
        kinds[key] = kinds.get(key, 0) + 1
    warehouses = season.warehouses
    model = highspy.Highs()
    model.setOptionValue("output_flag", False)
    model.setOptionValue("threads", 1)
    cost: list[float] = []
    rows: list[tuple[float, float, list[tuple[int, float]]]] = []
    of_cell: dict[tuple[int, int], list[tuple[int, float]]] = {}
    infinity = highspy.kHighsInf
    for (region, skus), count in kinds.items():
        opens = len(cost)
        cost += [*p.fixed.tolist(), float(p.unserved_fixed)]
        for sku in skus:
            first = len(cost)
            cost += [*p.unit_cost[region].tolist(), float(p.unserved_unit[region])]
            rows.append((count, count, [(first + at, 1.0) for at in range(warehouses + 1)]))
            rows += [(-infinity, 0, [(first + at, 1.0), (opens + at, -1.0)]) for at in range(warehouses + 1)]
            for at in range(warehouses):
                of_cell.setdefault((sku, at), []).append((first + at, 1.0))
    rows += [(-infinity, int(p.stock[cell]), columns) for cell, columns in of_cell.items()]
    model.addVars(len(cost), np.zeros(len(cost)), np.full(len(cost), infinity))
    model.changeColsCost(len(cost), np.arange(len(cost), dtype=np.int32), np.array(cost))
    starts = np.concatenate([[0], np.cumsum([len(columns) for _, _, columns in rows])]).astype(np.int32)
    index = np.array([column for _, _, columns in rows for column, _ in columns], np.int32)
    value = np.array([weight for _, _, columns in rows for _, weight in columns])
    lower = np.array([low for low, _, _ in rows], np.float64)
    upper = np.array([high for _, high, _ in rows], np.float64)
    model.addRows(len(rows), lower, upper, len(index), starts[:-1], index, value)
    model.run()
    assert model.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return float(model.getInfo().objective_function_value)
