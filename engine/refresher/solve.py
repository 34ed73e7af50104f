"""Prices of some SKUs for what is expected and what waits. Numbers in, numbers out; run beside the event loop."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from engine.batch_assign import price_stock
from engine.batch_problem import BatchProblem
from engine.forecast import Baskets, expected_orders, regional_shares
from engine.refresher.lanes import LaneCosts

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

REST_ROWS_MAX = 20_000
"""Rows of single units beside the kinds of orders that came."""

TRUST = 0.95
"""What of a price is told. At the whole price many choices cost alike; then what costs less now is taken."""

OVERDUE_MS_MAX = 86_400_000
"""What should have come longer ago is no longer counted upon."""


class Snapshot(Struct, frozen=True, kw_only=True):
    """What one pricing goes by. SKUs, warehouses and regions are numbered from 0."""

    costs: LaneCosts
    stock: Ints
    """[K, W] free units."""
    rate: Floats
    """[K] expected units a millisecond."""
    arrivals: Sequence[Sequence[tuple[int, int]]]
    """Of each SKU: (milliseconds from now, units) that are announced."""
    horizon_ms: int
    places: Floats
    """[K, R] units by region."""
    of_all: Floats
    """[R] those of all SKUs, priced now or not."""
    kinds: Baskets
    """Orders that came, only lines of these SKUs."""
    waiting: Baskets
    """Orders that wait for stock."""


def needed_units(rate: float, horizon_ms: int, arrivals: Sequence[tuple[int, int]]) -> float:
    """What the stock that is here must serve within the horizon: all demand but what arrivals are there for in time.

    So what is expected to be taken from it falls as an arrival comes near, and with it the price.
    """
    need = credit = 0.0
    at = 0
    for due, units in sorted(arrivals):
        if due >= horizon_ms:
            break
        if due < -OVERDUE_MS_MAX:
            continue
        wanted = rate * max(0, due - at)
        used = min(credit, wanted)
        need, credit, at = need + wanted - used, credit - used + units, max(due, at)
    return need + max(0.0, rate * (horizon_ms - at) - credit)


def prices_of(snapshot: Snapshot, *, time_limit_s: float) -> Ints:
    """[K, W] what a unit of each cell is worth beyond one of the SKU's cell that is worth least."""
    s = snapshot
    need = np.array(
        [needed_units(float(rate), s.horizon_ms, due) for rate, due in zip(s.rate, s.arrivals, strict=True)]
    )
    # What there is no stock for is refused when it comes, whoever wants it: of all demand the first units are served.
    waits = np.bincount(s.waiting.sku, s.waiting.weight[s.waiting.of_line] * s.waiting.quantity, len(s.rate))
    need = np.minimum(need, np.maximum(0, s.stock.sum(axis=1) - waits))
    units = need[:, None] * regional_shares(s.places, of_all=s.of_all)
    expected = expected_orders(s.kinds, units, rest_rows_max=REST_ROWS_MAX)
    rows = _joined(expected, s.waiting)
    problem = BatchProblem(
        line_start=rows.line_start,
        sku=rows.sku,
        quantity=rows.quantity,
        region=rows.region,
        fixed=s.costs.fixed,
        unit_cost=s.costs.unit,
        stock=s.stock,
        unserved_fixed=s.costs.unserved_fixed,
        unserved_unit=s.costs.unserved_unit,
    )
    prices = price_stock(problem, rows.weight, threads=1, time_limit_s=time_limit_s)
    # An order is served from somewhere or not taken: only differences within a SKU weigh.
    least = np.where(s.stock > 0, prices, np.iinfo(np.int64).max).min(axis=1, keepdims=True)
    beyond = np.where(s.stock > 0, prices - least, 0)
    return np.asarray(np.floor(beyond * TRUST), np.int64)


def _joined(one: Baskets, other: Baskets) -> Baskets:
    return Baskets(
        np.concatenate([one.line_start, one.line_start[-1] + other.line_start[1:]]),
        np.concatenate([one.sku, other.sku]),
        np.concatenate([one.quantity, other.quantity]),
        np.concatenate([one.region, other.region]),
        np.concatenate([one.weight, other.weight]),
    )
