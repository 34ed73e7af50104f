"""Random single orders of a continent's retailer, and HiGHS as the judge of what they cost at the least."""

from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]

SITES_PER_CENTRE = 25
CENTRE_STOCKED = 0.92


def random_order(
    seed: int, *, lines: int, warehouses: int, stocked: float, per_mile: float, centres: bool = False
) -> tuple[Int64, Int64]:
    """Fixed costs [W] and costs [W, L] in thousandths, -1 where not in stock; the last warehouse serves all, dearly."""
    random = np.random.default_rng(seed)
    sites = warehouses - 1
    miles = np.hypot(*((random.random((2, sites)) - random.random((2, 1))) * np.array([[2800.0], [1400.0]])))
    weight = 0.2 + 2.0 * random.random(lines)
    share = np.where(np.arange(sites) % SITES_PER_CENTRE == 0, CENTRE_STOCKED, stocked) if centres else stocked
    way = np.outer(0.423 + per_mile * miles, weight)
    in_stock = random.random((sites, lines)) < np.reshape(share, (-1, 1))
    cost = np.full((warehouses, lines), -1, np.int64)
    cost[:-1][in_stock] = np.rint(1000 * way)[in_stock]
    cost[-1] = np.rint(2250 * weight * (0.423 + per_mile * miles.max()))
    fixed = np.append(np.rint(8759 * (0.9 + 0.2 * random.random(sites))), 17_518).astype(np.int64)
    return fixed, cost


def highs_optimum(fixed: Int64, cost: Int64, max_shipments: int | None = None) -> tuple[int | None, float]:
    """The proven optimum of an order, None when it is infeasible, and the seconds that HiGHS solved for."""
    import highspy

    warehouses, lines = cost.shape
    cells = np.argwhere(cost >= 0)
    columns = warehouses + len(cells)
    place = np.arange(len(cells)) + warehouses
    # Each line once, then no line from a warehouse that is not used, then the shipments.
    rows: list[tuple[float, float, Any, Any]] = [
        (1.0, 1.0, place[cells[:, 1] == line], np.ones(np.count_nonzero(cells[:, 1] == line))) for line in range(lines)
    ]
    rows += [
        (-highspy.kHighsInf, 0.0, np.array([column, warehouse]), np.array([1.0, -1.0]))
        for column, warehouse in zip(place, cells[:, 0], strict=True)
    ]
    if max_shipments is not None:
        rows.append((0.0, float(max_shipments), np.arange(warehouses), np.ones(warehouses)))
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 1)
    highs.setOptionValue("mip_rel_gap", 0.0)
    highs.setOptionValue("mip_abs_gap", 0.5)
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = columns, len(rows)
    model.col_cost_ = np.concatenate([fixed, cost[cells[:, 0], cells[:, 1]]]).astype(np.float64)
    model.col_lower_, model.col_upper_ = np.zeros(columns), np.ones(columns)
    model.row_lower_ = np.array([row[0] for row in rows])
    model.row_upper_ = np.array([row[1] for row in rows])
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = np.concatenate([[0], np.cumsum([len(row[2]) for row in rows])]).astype(np.int32)
    model.a_matrix_.index_ = np.concatenate([row[2] for row in rows]).astype(np.int32)
    model.a_matrix_.value_ = np.concatenate([row[3] for row in rows]).astype(np.float64)
    # Whole warehouses make whole lines.
    whole, part = highspy.HighsVarType.kInteger, highspy.HighsVarType.kContinuous
    model.integrality_ = [whole] * warehouses + [part] * len(cells)
    highs.passModel(model)
    start = perf_counter()
    highs.run()
    seconds = perf_counter() - start
    if highs.getModelStatus() == highspy.HighsModelStatus.kInfeasible:
        return None, seconds
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise RuntimeError(f"HiGHS ended with {highs.getModelStatus()}")
    return round(highs.getInfo().objective_function_value), seconds
