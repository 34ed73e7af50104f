"""Small batches to the optimum, by HiGHS as a mixed-integer program. Needs the extra `exact`; knows no core."""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from engine.arrays import invalid
from engine.batch_problem import BatchProblem
from engine.errors import StockadeError

SIZE_MAX = 20_000
"""Lines and cells that may serve them, together, at the most: some thousand lines take seconds to minutes."""

_Int = npt.NDArray[np.int64]
_Ended = Literal["complete", "time_limit"]


class _Rows:
    """Rows of a sparse matrix, added by many at once."""

    def __init__(self) -> None:
        self.parts: list[tuple[_Int, _Int, npt.NDArray[np.float64]]] = []
        self.lower: list[npt.NDArray[np.float64]] = []
        self.upper: list[npt.NDArray[np.float64]] = []
        self.count = 0

    def add(self, lower: Any, upper: Any, entries: list[tuple[Any, Any, Any]], rows: int) -> None:
        """So many rows with these bounds; entries are (row from 0, column, value)."""
        for row, column, value in entries:
            at, to, factor = np.broadcast_arrays(row, column, value)
            self.parts.append((at.astype(np.int64) + self.count, to.astype(np.int64), factor.astype(np.float64)))
        self.lower.append(np.broadcast_to(np.asarray(lower, np.float64), rows))
        self.upper.append(np.broadcast_to(np.asarray(upper, np.float64), rows))
        self.count += rows


def solve_exactly(
    problem: BatchProblem, *, time_limit_s: float
) -> tuple[_Int, npt.NDArray[np.int32], npt.NDArray[np.int32], int, int, _Ended]:
    """(line, warehouse, quantity, cost, bound, why it ended). Raises InvalidInput without HiGHS, or if too large."""
    try:
        import highspy
    except ImportError:
        raise invalid("exact", "needs HiGHS: pip install 'stockade[exact]'") from None
    p = problem
    orders, lines, warehouses = p.orders, p.lines, len(p.fixed)
    order = np.repeat(np.arange(orders), np.diff(p.line_start))
    channel, have = _within_reach(p, order)
    may = have > 0
    frozen = np.full(lines, -1) if p.frozen is None else p.frozen.astype(np.int64)
    kept = frozen >= 0
    may[kept] = np.arange(warehouses) == frozen[kept, None]
    line, warehouse = np.nonzero(may)
    cells = len(line)
    if lines + cells > SIZE_MAX:
        raise invalid("exact", f"takes up to {SIZE_MAX} lines and cells that may serve them, not {lines + cells}")
    if not lines:
        return line, warehouse.astype(np.int32), line.astype(np.int32), 0, 0, "complete"
    region, quantity = p.region[order], p.quantity.astype(np.int64)
    priority = np.ones(orders, np.int64) if p.priority is None else p.priority.astype(np.int64)
    placed = np.full(lines, -1) if p.placed is None else p.placed.astype(np.int64)
    moved = np.where(placed[line] >= 0, placed[line] != warehouse, False) * p.move_penalty
    unit = p.unit_cost[region[line], warehouse] + moved
    unserved = p.unserved_unit[region] * priority[order] + (placed >= 0) * p.move_penalty
    # Columns: units of lines at cells, units not served, warehouses that orders use, orders with something not served,
    # units that channels take beyond their pools.
    pair, of_cell = np.unique(order[line] * warehouses + warehouse, return_inverse=True)
    used, missing = cells + lines, cells + lines + len(pair)
    cost = np.concatenate([unit, unserved, p.fixed[pair % warehouses], p.unserved_fixed * priority])
    room = np.minimum(quantity[line], have[line, warehouse])
    upper = np.concatenate([room, np.where(kept, 0, quantity), np.ones(len(pair) + orders, np.int64)])
    every, infinity = np.arange(cells), highspy.kHighsInf
    rows = _Rows()
    rows.add(quantity, quantity, [(line, every, 1), (np.arange(lines), cells + np.arange(lines), 1)], lines)
    rows.add(-infinity, 0, [(every, every, 1), (every, used + of_cell, -room)], cells)
    each = np.arange(lines)
    rows.add(-infinity, 0, [(each, cells + each, 1), (each, missing + order, -quantity)], lines)
    beyond = _add_stock(rows, p, p.sku[line].astype(np.int64) * warehouses + warehouse, channel[line], len(upper))
    columns = np.concatenate([cost, np.zeros(len(beyond), np.int64)]), np.concatenate([upper, beyond])
    if p.max_shipments is not None:
        rows.add(0, p.max_shipments, [(pair // warehouses, used + np.arange(len(pair)), 1)], orders)
    if p.capacity is not None:
        rows.add(0, p.capacity, [(pair % warehouses, used + np.arange(len(pair)), 1)], warehouses)
    found, dual_bound, optimal = _run_highs(highspy, *columns, rows, time_limit_s)
    if found is None:
        # Nothing in time: what is frozen is all that is served.
        taken = np.concatenate([np.where(kept[line], quantity[line], 0), np.where(kept, 0, quantity)])
    else:
        taken = np.rint(found[:used]).astype(np.int64)
    opened = np.unique(order[line[taken[:cells] > 0]] * warehouses + warehouse[taken[:cells] > 0]) % warehouses
    short = np.unique(order[taken[cells:] > 0])
    total = int(taken @ cost[:used]) + int(p.fixed[opened].sum()) + int((p.unserved_fixed * priority)[short].sum())
    bound = total if optimal else max(0, min(total, dual_bound))
    return *_pieces(line, warehouse, taken), total, bound, "complete" if optimal else "time_limit"


def _within_reach(p: BatchProblem, order: _Int) -> tuple[_Int, _Int]:
    """The channel of each line, -1 for none, and the units that are there for it at every warehouse: [N, W]."""
    have = p.stock[p.sku]
    if p.channel is None or p.pool is None:
        return np.full(p.lines, -1), have
    channel = p.channel[order].astype(np.int64)
    own = channel >= 0
    have[own] += p.pool[channel[own], p.sku[own]]
    return channel, have


def _add_stock(rows: _Rows, p: BatchProblem, cell: _Int, channel: _Int, first: int) -> _Int:
    """Rows by which columns from 0 on, each of a cell of the stock and of a channel, take no more than there is.

    What channels take beyond their pools is in columns of its own, from `first` on. Returns the most that these may be.
    """
    (own,) = np.nonzero(channel >= 0)
    (others,) = np.nonzero(channel < 0)
    pool = np.zeros(0, np.int64) if p.pool is None else p.pool.reshape(-1)
    stock = p.stock.reshape(-1)
    pooled, of_pooled = np.unique(channel[own] * stock.size + cell[own], return_inverse=True)
    beyond = np.arange(len(pooled))
    rows.add(-np.inf, pool[pooled], [(of_pooled, own, 1), (beyond, first + beyond, -1)], len(pooled))
    shared = pooled % max(stock.size, 1)
    place, of_place = np.unique(np.concatenate([cell[others], shared]), return_inverse=True)
    rows.add(0, stock[place], [(of_place, np.concatenate([others, first + beyond]), 1)], len(place))
    most: _Int = stock[shared]
    return most


def _pieces(line: _Int, warehouse: _Int, taken: _Int) -> tuple[_Int, npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Lines, warehouses and units of all that is taken: cells first, then each line's units that are not served."""
    lines = len(taken) - len(line)
    at = np.concatenate([line, np.arange(lines)])
    to = np.concatenate([warehouse, np.full(lines, -1)])
    sequence = np.lexsort((to, at))
    sequence = sequence[taken[sequence] > 0]
    return at[sequence], to[sequence].astype(np.int32), taken[sequence].astype(np.int32)


def _run_highs(
    highspy: Any, cost: _Int, upper: _Int, rows: _Rows, time_limit_s: float
) -> tuple[npt.NDArray[np.float64] | None, int, bool]:
    """What each column is (None where nothing was found in time), the bound, whether it is the optimum."""
    at, to, value = (np.concatenate(part) for part in zip(*rows.parts, strict=True))
    sequence = np.lexsort((to, at))
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(cost), rows.count
    model.col_cost_ = cost.astype(np.float64)
    model.col_lower_, model.col_upper_ = np.zeros(len(cost)), upper.astype(np.float64)
    model.row_lower_, model.row_upper_ = np.concatenate(rows.lower), np.concatenate(rows.upper)
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = np.concatenate([[0], np.cumsum(np.bincount(at, minlength=rows.count))]).astype(np.int32)
    model.a_matrix_.index_, model.a_matrix_.value_ = to[sequence].astype(np.int32), value[sequence]
    model.integrality_ = [highspy.HighsVarType.kInteger] * len(cost)
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    # HiGHS keeps the number of its first run for the whole process: one, as the bench has it, too.
    highs.setOptionValue("threads", 1)
    highs.setOptionValue("time_limit", time_limit_s)
    highs.setOptionValue("mip_rel_gap", 0.0)
    # Costs are whole.
    highs.setOptionValue("mip_abs_gap", 0.5)
    highs.passModel(model)
    highs.run()
    status = highs.getModelStatus()
    optimal = status == highspy.HighsModelStatus.kOptimal
    if not optimal and status != highspy.HighsModelStatus.kTimeLimit:
        raise StockadeError(f"HiGHS ended with {status}. Does this process use it with more than one thread?")
    info = highs.getInfo()
    solved = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    bound = info.mip_dual_bound
    whole = int(np.floor(bound)) if np.isfinite(bound) else 0
    return np.asarray(highs.getSolution().col_value) if solved else None, whole, optimal
