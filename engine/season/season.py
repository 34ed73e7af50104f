"""A season: orders as they came, the stock that it began with, what shipping costs. Values only; see `replay`."""

from dataclasses import dataclass
from math import isfinite

import numpy as np
import numpy.typing as npt

from engine.arrays import invalid
from engine.batch_problem import BatchProblem
from engine.forecast import Baskets

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Season:
    """Orders over one network. Raises InvalidInput for times that are not finite, fall, or lack."""

    name: str
    orders: BatchProblem
    """All orders in the sequence in which they came, over the stock at the start."""
    at_s: Floats
    """[O] when each came, in seconds since the season began; never less than the one before."""
    length_s: float
    """How long the season is: no order comes later."""
    known: Baskets | None = None
    """What was to be expected of the whole season, evenly over its length; None: nobody knew."""
    per_major: int = 100
    """Units of its costs in one of what people count in."""

    def __post_init__(self) -> None:
        """Check the times."""
        if not self.orders.orders:
            raise invalid("orders", "must be one at the least that wants something")
        if self.at_s.shape != (self.orders.orders,):
            raise invalid("at_s", f"must be a time for each of {self.orders.orders} orders, not {self.at_s.shape}")
        if not (np.isfinite(self.at_s).all() and (np.diff(self.at_s) >= 0).all()):
            raise invalid("at_s", "must be finite and never fall")
        last = self.at_s[-1]
        if not isfinite(self.length_s) or self.length_s <= 0 or self.length_s < last or self.at_s[0] < 0:
            raise invalid("length_s", f"must be a finite number above 0 that no time is beyond, not {self.length_s}")

    @property
    def skus(self) -> int:
        """K."""
        return int(self.orders.stock.shape[0])

    @property
    def warehouses(self) -> int:
        """W."""
        return int(self.orders.stock.shape[1])

    @property
    def regions(self) -> int:
        """R."""
        return int(self.orders.unit_cost.shape[0])


def over_stock(season: Season, rows: Baskets, stock: npt.NDArray[np.int64]) -> BatchProblem:
    """Other orders, and other stock, on the network of a season."""
    p = season.orders
    return BatchProblem(
        line_start=rows.line_start,
        sku=rows.sku,
        quantity=rows.quantity,
        region=rows.region,
        fixed=p.fixed,
        unit_cost=p.unit_cost,
        stock=stock,
        unserved_fixed=p.unserved_fixed,
        unserved_unit=p.unserved_unit,
    )
