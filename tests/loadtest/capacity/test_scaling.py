"""The scaling law is found again where it is known, keeps its signs, and says what it cannot tell."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from loadtest.capacity.scaling import best_number, fit_law, law, least_squares

COUNTS = (1, 2, 3, 4, 6, 8)


@given(
    rate=st.floats(10, 1e6),
    sigma=st.floats(0, 0.9),
    kappa=st.floats(0, 0.2),
)
def test_a_known_law_is_found(rate: float, sigma: float, kappa: float) -> None:
    """Without noise, to the last digits; with one repeat there are no intervals."""
    fit = fit_law({many: [law((rate, sigma, kappa), many)] for many in COUNTS}, seed=1)
    assert fit is not None
    assert fit.rate_per_s == pytest.approx(rate, rel=1e-6)
    assert fit.sigma == pytest.approx(sigma, abs=1e-6)
    assert fit.kappa == pytest.approx(kappa, abs=1e-6)
    assert fit.residual_max == pytest.approx(0, abs=1e-6)
    assert (fit.rate_interval, fit.sigma_interval, fit.kappa_interval) == (None, None, None)


@given(st.lists(st.floats(1, 1e6), min_size=3, max_size=6), st.integers(0, 2**32))
def test_no_rates_lead_to_numbers_below_zero(rates: list[float], seed: int) -> None:
    """Workers that do more than their share are no reason for a negative wait; no other law of such signs is nearer."""
    numbers = np.array(COUNTS[: len(rates)], float)
    found = tuple(least_squares(numbers, np.array([rates]))[0].tolist())
    assert found[0] > 0
    assert found[1] >= 0
    assert found[2] >= 0

    def off(one: tuple[float, float, float]) -> float:
        return sum((rate / law(one, number) - 1) ** 2 for number, rate in zip(numbers, rates, strict=True))

    dice = np.random.default_rng(seed)
    scales = dice.uniform(0.8, 1.25, (20, 3))
    assume(math.isfinite(off(found)))
    for other in scales * np.array(found):
        assert off(found) <= off(tuple(other)) * (1 + 1e-9) + 1e-12


def test_intervals_hold_the_truth() -> None:
    """Of 40 noisy runs of a known law, the interval of its rate holds it in nearly all."""
    truth, hits = (1_000.0, 0.08, 0.004), 0
    for run in range(40):
        dice = np.random.default_rng(run)
        measured = {many: (law(truth, many) * dice.normal(1, 0.02, 8)).tolist() for many in COUNTS}
        fit = fit_law(measured, seed=run)
        assert fit is not None
        assert fit.rate_interval is not None
        assert fit.kappa_interval is not None
        hits += fit.rate_interval.low <= truth[0] <= fit.rate_interval.high
    assert hits >= 32


def test_few_numbers_of_workers_are_told() -> None:
    """One leads to a line, two leave kappa at 0, three check nothing; processors that lack are named."""
    one = fit_law({2: [1_000, 1_100]}, seed=1)
    two = fit_law({1: [1_000.0], 2: [1_500.0]}, seed=1, cores=2)
    three = fit_law({1: [1_000.0], 2: [1_800.0], 4: [2_600.0]}, seed=1, cores=64)
    assert one is not None
    assert two is not None
    assert three is not None
    assert (one.rate_per_s, one.sigma, one.kappa) == (525, 0, 0)
    assert one.sigma_interval is None
    assert "one number of workers only" in one.notes[0]
    assert two.kappa == 0
    assert two.sigma == pytest.approx(1 / 3)
    assert "than 3,000 a second" in two.notes[0]
    assert "kappa" in two.notes[1]
    assert "2 processors" in two.notes[-1]
    assert "exactly" in " ".join(three.notes)
    assert not any("processors" in note for note in three.notes)
    assert fit_law({}, seed=1) is None
    assert fit_law({1: [0.0]}, seed=1) is None


def test_the_best_number_is_where_the_law_turns() -> None:
    """Beyond it more do less; without kappa there is none."""
    best = best_number(0.05, 0.01)
    assert best is not None
    rates = [law((1, 0.05, 0.01), at) for at in (best - 0.5, best, best + 0.5)]
    assert max(rates) == rates[1]
    assert best_number(0.5, 0) is None
    assert best_number(1.5, 0) == 1


def test_workers_that_do_less_together_are_told_in_words() -> None:
    """Sigma is above 1 then."""
    fit = fit_law({1: [1_000.0, 1_010.0], 2: [700.0, 710.0]}, seed=1)
    assert fit is not None
    assert fit.sigma > 1
    assert "one worker does more than several" in fit.notes[0]
    assert fit.workers_best == 1


def test_the_same_seed_gives_the_same_fit() -> None:
    """Intervals are drawn by it."""
    measured = {1: [900.0, 1_000.0, 1_100.0], 2: [1_500.0, 1_600.0, 1_800.0]}
    assert fit_law(measured, seed=7) == fit_law(measured, seed=7)
