"""Orders to be expected, with how often, from orders that came and the demand that is expected of each SKU."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

REST_UNITS_MIN = 0.02
"""What is expected of a SKU in a region beside whole orders, and is less than this, is left out."""


@dataclass(frozen=True, slots=True)
class Baskets:
    """B kinds of orders, N lines in all: what they are of, where they go, and how often each is counted."""

    line_start: Ints
    """[B + 1], where the lines of each begin, and where the last one's end."""
    sku: Ints
    """[N]"""
    quantity: Ints
    """[N]"""
    region: Ints
    """[B]"""
    weight: Floats
    """[B]"""

    @property
    def of_line(self) -> Ints:
        """[N] the basket of each line."""
        return np.repeat(np.arange(len(self.region)), np.diff(self.line_start))

    def units(self, skus: int, regions: int) -> Floats:
        """[K, R] units in all."""
        of = self.of_line
        key = self.sku * regions + self.region[of]
        weight = (self.weight[of] * self.quantity).astype(np.float64)
        units: Floats = np.bincount(key, weight, skus * regions).astype(np.float64)
        return units.reshape(skus, regions)

    def only(self, keep: npt.NDArray[np.bool_]) -> "Baskets":
        """Those lines, and the baskets that have any of them."""
        count = np.bincount(self.of_line[keep], minlength=len(self.region))
        left = count > 0
        start = np.concatenate([[0], np.cumsum(count[left])])
        return Baskets(start, self.sku[keep], self.quantity[keep], self.region[left], self.weight[left])


def expected_orders(seen: Baskets, units: Floats, *, rest_rows_max: int) -> Baskets:
    """Orders that make up these expected units [K, R]: the kinds that were seen, and the rest as orders of one unit.

    Each kind is expected so many times as often as it was seen as the SKU of its lines that grows least has it, in its
    region. So no SKU is expected more than `units` says, and what is bought together is expected together. What then
    lacks comes by itself; of that the `rest_rows_max` greatest rows are kept.
    """
    skus, regions = units.shape
    of = seen.of_line
    before = seen.units(skus, regions)
    growth = np.divide(units, before, out=np.zeros_like(units), where=before > 0)
    least = np.full(len(seen.weight), np.inf)
    np.minimum.at(least, of, growth[seen.sku, seen.region[of]])
    weight = seen.weight * least
    kept = Baskets(seen.line_start, seen.sku, seen.quantity, seen.region, weight).only((weight > 0)[of])
    rest = units - kept.units(skus, regions)
    rows = np.flatnonzero(rest >= REST_UNITS_MIN)
    if len(rows) > rest_rows_max:
        # Sorted, so that equal ones are chosen alike everywhere.
        rows = np.sort(rows[np.argsort(-rest.ravel()[rows], kind="stable")[:rest_rows_max]])
    sku, region = np.divmod(rows, regions)
    return Baskets(
        np.concatenate([kept.line_start, kept.line_start[-1] + 1 + np.arange(len(rows))]),
        np.concatenate([kept.sku, sku]),
        np.concatenate([kept.quantity, np.ones(len(rows), np.int64)]),
        np.concatenate([kept.region, region]),
        np.concatenate([kept.weight, rest.ravel()[rows]]),
    )
