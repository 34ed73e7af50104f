"""What a SKU is expected to sell in a period, from what it sold in equal periods before; all SKUs at once.

Each method takes demand [K, T], a row a SKU and a column a period, the oldest first, and returns float64 [K]: units of
each period to come, which all of these methods expect to be the same. Periods are as long as the caller says.
"""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from engine.arrays import invalid

Floats = npt.NDArray[np.float64]

ALPHA = 0.1
"""By default a level moves by a tenth of what it was wrong by, as studies of intermittent demand mostly have it."""

VALUES_MAX = 100_000_000
"""SKUs times periods: 800 MB."""


def exponential_smoothing(demand: npt.ArrayLike, *, alpha: float = ALPHA) -> Floats:
    """Simple exponential smoothing (R. G. Brown, Statistical Forecasting for Inventory Control, 1959).

    l[0] = y[0]; l[t] = alpha y[t] + (1 - alpha) l[t-1]; the forecast is the last l. Raises InvalidInput.
    """
    series, alpha = _series(demand), _share("alpha", alpha)
    level = series[:, 0].copy()
    for period in series.T[1:]:
        level += alpha * (period - level)
    return level


def croston_sba(demand: npt.ArrayLike, *, alpha: float = ALPHA) -> Floats:
    """Croston's method as Syntetos and Boylan mended it (International Journal of Forecasting 21, 2005).

    Of the periods with demand, the size z and the interval p since the one before (of the first one: since the series
    began) are smoothed as above, and the forecast is (1 - alpha / 2) z / p: without that factor, which is the mending,
    it is J. D. Croston's (Operational Research Quarterly 23, 1972), and too high. A SKU without demand has 0. Between
    demands it stays as it is, so what is no longer sold is expected for ever; `tsb` forgets it. Raises InvalidInput.
    """
    series, alpha = _series(demand), _share("alpha", alpha)
    size, interval = np.zeros(len(series)), np.zeros(len(series))
    since = np.zeros(len(series))
    for period in series.T:
        since += 1
        sold = period > 0
        first = sold & (size == 0)
        size = np.where(first, period, np.where(sold, size + alpha * (period - size), size))
        interval = np.where(first, since, np.where(sold, interval + alpha * (since - interval), interval))
        since[sold] = 0
    return (1 - alpha / 2) * np.divide(size, interval, out=np.zeros_like(size), where=interval > 0)


def tsb(demand: npt.ArrayLike, *, alpha: float = ALPHA, beta: float = ALPHA) -> Floats:
    """Teunter, Syntetos and Babai's method (European Journal of Operational Research 214, 2011).

    The size z of the periods with demand is smoothed with `alpha` whenever there is any, the probability d that a
    period has some with `beta` in every period (from whether the first one had), and the forecast is d z. So it falls
    where nothing is sold any more. A SKU without demand has 0. Raises InvalidInput.
    """
    series, alpha, beta = _series(demand), _share("alpha", alpha), _share("beta", beta)
    size = np.zeros(len(series))
    chance = (series[:, 0] > 0).astype(np.float64)
    for number, period in enumerate(series.T):
        sold = period > 0
        size = np.where(sold & (size == 0), period, np.where(sold, size + alpha * (period - size), size))
        if number:
            chance += beta * (sold - chance)
    return chance * size


Method = Callable[[npt.ArrayLike], Floats]

MethodName = Literal["exponential", "croston-sba", "tsb"]

METHODS: dict[MethodName, Method] = {
    "exponential": exponential_smoothing,
    "croston-sba": croston_sba,
    "tsb": tsb,
}


def _series(demand: npt.ArrayLike) -> Floats:
    try:
        series: npt.NDArray[Any] = np.asarray(demand)
    except (ValueError, TypeError, OverflowError) as error:
        raise invalid("demand", f"must be an array of numbers: {error}") from None
    if series.ndim != 2:
        raise invalid("demand", f"must have 2 dimensions, a row a SKU and a column a period, not {series.ndim}")
    if not series.shape[1]:
        raise invalid("demand", "must have one period at the least")
    if series.size > VALUES_MAX:
        raise invalid("demand", f"must be {VALUES_MAX:,} values at the most, not {series.size:,}")
    if series.dtype.kind not in "iuf":
        raise invalid("demand", f"must hold numbers, not {series.dtype}")
    found: Floats = series.astype(np.float64, copy=False)
    wrong = ~(np.isfinite(found) & (found >= 0))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise invalid(f"demand/{row}/{column}", f"must be a finite number from 0 on, not {found[row, column]}")
    return found


def _share(name: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not 0 < value <= 1:
        raise invalid(name, f"must be a number above 0, up to 1, not {value!r}")
    return float(value)
