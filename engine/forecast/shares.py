"""Where the demand of a SKU comes from, as shares of regions."""

from math import isfinite

import numpy as np
import numpy.typing as npt

from engine.arrays import invalid

STRENGTH = 20.0
"""Units that the shares of all SKUs together weigh against a SKU's own."""


def regional_shares(
    units: npt.ArrayLike, *, strength: float = STRENGTH, of_all: npt.ArrayLike | None = None
) -> npt.NDArray[np.float64]:
    """Shares [K, R] of the regions in what each SKU sells, from the units [K, R] that it sold in each.

    Those of a SKU that sold little say little: s[k, r] = (n[k, r] + strength a[r]) / (n[k] + strength), with a the
    shares of all SKUs together (even ones where nothing was sold at all). `of_all` [R] has their units where `units` is
    of some SKUs only. Each row adds up to 1. Raises InvalidInput.
    """
    try:
        sold = np.asarray(units, np.float64)
    except (ValueError, TypeError, OverflowError) as error:
        raise invalid("units", f"must be an array of numbers: {error}") from None
    if sold.ndim != 2 or not sold.shape[1]:
        raise invalid("units", "must have 2 dimensions, a row a SKU and a column a region, and one region at the least")
    if not (np.isfinite(sold) & (sold >= 0)).all():
        raise invalid("units", "must be finite numbers from 0 on")
    if isinstance(strength, bool) or not isinstance(strength, (int, float)) or not isfinite(strength) or strength <= 0:
        raise invalid("strength", f"must be a finite number of units above 0, not {strength!r}")
    together = sold.sum(axis=0) if of_all is None else np.asarray(of_all, np.float64)
    if together.shape != sold.shape[1:] or not (np.isfinite(together) & (together >= 0)).all():
        raise invalid("of_all", f"must be {sold.shape[1]} finite numbers from 0 on")
    total = together.sum()
    lean = together / total if total > 0 else np.full(sold.shape[1], 1 / sold.shape[1])
    shares: npt.NDArray[np.float64] = (sold + strength * lean) / (sold.sum(axis=1, keepdims=True) + strength)
    return shares
