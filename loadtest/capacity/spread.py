"""How far figures may be trusted: resamples of repeats, and curves that only rise. Pure; a seed decides draws."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from loadtest.capacity.result import Interval

RESAMPLES = 1_000
CONFIDENCE = 0.95
REPEATS_FEW = 5
"""An interval of fewer repeats than these is coarse, and said to be."""

Floats = npt.NDArray[np.float64]


def resampled(groups: Sequence[Sequence[float]], seed: int, times: int = RESAMPLES) -> Floats:
    """The median of each group of repeats, drawn anew with replacement; a row a resample, a column a group."""
    random = np.random.default_rng(seed)
    columns = [np.median(random.choice(np.asarray(group, float), (times, len(group))), axis=1) for group in groups]
    return np.stack(columns, axis=1)


def interval(values: Floats | Sequence[float]) -> Interval:
    """The middle 95 %."""
    tail = (1 - CONFIDENCE) / 2 * 100
    low, high = np.percentile(np.asarray(values, float), [tail, 100 - tail])
    return Interval(max(0.0, float(low)), max(0.0, float(high)))


def interval_of(repeats: Sequence[float], seed: int) -> Interval | None:
    """That of a median; None of a single repeat, which has no spread."""
    if len(repeats) < 2:
        return None
    return interval(resampled([repeats], seed)[:, 0])


def rising(values: Sequence[float]) -> list[float]:
    """The nearest sequence that never falls (least squares; pool adjacent violators)."""
    pools: list[tuple[float, int]] = []
    for value in values:
        pools.append((float(value), 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (one, many), (other, more) = pools.pop(), pools.pop()
            pools.append(((one * many + other * more) / (many + more), many + more))
    return [mean for mean, count in pools for _ in range(count)]


def median(values: Sequence[float]) -> float:
    """Of one value or more."""
    return float(np.median(np.asarray(values, float)))


def fold(values: Floats, told: Callable[[Floats], float]) -> Floats:
    """One number of each row."""
    return np.fromiter((told(row) for row in values), float, len(values))
