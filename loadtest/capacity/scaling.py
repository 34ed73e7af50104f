"""Fits Gunther's Universal Scalability Law to what numbers of workers do. Pure.

n / rate(n) is linear in the law's three numbers, so that the least squares of relative errors with sigma and kappa not
below 0 is one of four small linear problems: the best of those whose answer keeps the signs.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from loadtest.capacity.result import Fit, Interval, Machine, Session
from loadtest.capacity.spread import REPEATS_FEW, Floats, interval, median, resampled

NEEDS = 3
"""Numbers of workers that the law's three numbers need."""

_FREE: dict[int, Sequence[tuple[int, ...]]] = {
    1: [(0,)],
    2: [(0,), (0, 1)],
    NEEDS: [(0,), (0, 1), (0, 2), (0, 1, 2)],
}
"""By the numbers of workers, which of the law's numbers may be above 0."""

Law = tuple[float, float, float]
"""Rate of one worker, sigma, kappa."""


def law(fit: Law, workers: float) -> float:
    """Orders a second of so many workers."""
    rate, sigma, kappa = fit
    return rate * workers / (1 + sigma * (workers - 1) + kappa * workers * (workers - 1))


def fit_law(measured: Mapping[int, Sequence[float]], *, seed: int, cores: int | None = None) -> Fit | None:
    """The law of rates by number of workers, a rate a repeat; None of none. `cores`: those that all of them shared."""
    known = {workers: [rate for rate in rates if rate > 0] for workers, rates in sorted(measured.items())}
    known = {workers: rates for workers, rates in known.items() if rates}
    if not known:
        return None
    numbers = np.array(list(known), float)
    medians = np.array([median(rates) for rates in known.values()])
    rate, sigma, kappa = found = tuple(least_squares(numbers, medians[None])[0].tolist())
    spans: tuple[Interval | None, ...] = (None, None, None)
    if min(map(len, known.values())) > 1:
        draws = least_squares(numbers, resampled(list(known.values()), seed))
        spans = (interval(draws[:, 0]), interval(draws[:, 1]), interval(draws[:, 2]))
    curve = np.array([law(found, number) for number in numbers])
    return Fit(
        workers=list(known),
        rate_per_s=rate,
        sigma=sigma,
        kappa=kappa,
        rate_interval=spans[0],
        # What the numbers of workers cannot tell has no interval, however little its resamples differ.
        sigma_interval=spans[1] if len(known) > 1 else None,
        kappa_interval=spans[2] if len(known) >= NEEDS else None,
        workers_best=best_number(sigma, kappa),
        residual_max=float(np.max(np.abs(medians / curve - 1))),
        notes=_notes(known, cores, found),
    )


def fit_of(sessions: Sequence[Session], seed: int, machine: Machine) -> Fit | None:
    """The law of the peaks; those that the generator limited are none."""
    peaks = {one.workers: one.peak.measured for one in sessions if one.peak is not None and not one.peak.at_least}
    return fit_law(peaks, seed=seed, cores=machine.cores if machine.service == "own" else None)


def best_number(sigma: float, kappa: float) -> float | None:
    """Workers beyond which more do less."""
    if kappa <= 0:
        return 1.0 if sigma >= 1 else None
    return max(1.0, math.sqrt(max(0.0, 1 - sigma) / kappa))


def least_squares(numbers: Floats, rates: Floats) -> Floats:
    """For each row of rates of these numbers of workers, the law nearest by relative error: a row of its three numbers.

    Of one number of workers a line, of two without kappa.
    """
    wanted = numbers / rates
    columns = np.stack([np.ones(len(numbers)), numbers - 1, numbers * (numbers - 1)], axis=1) / wanted[:, :, None]
    best = np.zeros((len(rates), 3))
    best[:, 0] = wanted.mean(axis=1)
    error = np.full(len(rates), math.inf)
    for some in _FREE.get(len(numbers), _FREE[NEEDS]):
        part = np.linalg.pinv(columns[:, :, list(some)]) @ np.ones(len(numbers))
        whole = np.zeros((len(rates), 3))
        whole[:, list(some)] = part
        off = np.sum((np.einsum("bnk,bk->bn", columns, whole) - 1) ** 2, axis=1)
        better = (whole[:, 0] > 0) & (whole >= 0).all(axis=1) & (off < error)
        best[better], error[better] = whole[better], off[better]
    return np.stack([1 / best[:, 0], best[:, 1] / best[:, 0], best[:, 2] / best[:, 0]], axis=1)


def _notes(known: Mapping[int, Sequence[float]], cores: int | None, found: Law) -> list[str]:
    notes = []
    rate, sigma, kappa = found
    if sigma >= 1:
        notes.append("By the law one worker does more than several: what they share was busy already.")
    elif sigma and not kappa:
        notes.append(f"By its sigma no number of workers does more than {rate / sigma:,.0f} a second.")
    if len(known) == 1:
        notes.append("Measured with one number of workers only: the line supposes that none waits for another.")
    elif len(known) < NEEDS:
        notes.append("Two numbers of workers cannot tell kappa: it is taken as 0, so that more workers look better.")
    elif len(known) == NEEDS:
        notes.append("Three numbers of workers lead to the law's three numbers exactly: nothing checks its shape.")
    if min(map(len, known.values())) == 1:
        notes.append("Some were measured once: the law has no intervals.")
    elif min(map(len, known.values())) < REPEATS_FEW:
        notes.append(f"Intervals of fewer than {REPEATS_FEW} repeats are coarse.")
    # The store and the generator need one each.
    if cores is not None and max(known) + 2 > cores:
        notes.append(
            f"The workers (up to {max(known)}), the store and the generator shared {cores} processors: the law tells of"
            " this machine, and more processors may do more."
        )
    return notes
