"""Forecasts of intermittent demand: as statsforecast has them, all SKUs at once, and bad input told."""

import warnings
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pytest

from engine.errors import InvalidInput
from engine.forecast import METHODS, croston_sba, exponential_smoothing, regional_shares, tsb

CLOSE = 1e-12


@pytest.fixture(scope="module")
def models() -> ModuleType:
    """Of statsforecast, whose own imports warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import statsforecast.models
        except Exception as error:
            pytest.skip(f"statsforecast cannot be imported: {error!r}")
    return statsforecast.models


@pytest.fixture(scope="module")
def demand() -> npt.NDArray[np.float64]:
    """SKUs that sell seldom, often, always, once, first, last and never."""
    random = np.random.default_rng(5)
    drawn = (random.random((60, 48)) < np.linspace(0.02, 1.0, 60)[:, None]) * random.integers(1, 40, (60, 48))
    drawn = drawn.astype(np.float64)
    drawn[0] = 0
    for row, column in ((1, 0), (2, 47), (3, 20)):
        drawn[row] = 0
        drawn[row, column] = 3
    return drawn


def of_model(model: object, demand: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Its forecast of the next period, SKU by SKU."""
    return np.array([model.forecast(y=row, h=1)["mean"][0] for row in demand])  # type: ignore[attr-defined]


@pytest.mark.parametrize("alpha", [0.1, 0.35, 1.0])
def test_exponential_smoothing_is_that_of_statsforecast(
    models: ModuleType, demand: npt.NDArray[np.float64], alpha: float
) -> None:
    """For every SKU."""
    expected = of_model(models.SimpleExponentialSmoothing(alpha), demand)
    np.testing.assert_allclose(exponential_smoothing(demand, alpha=alpha), expected, rtol=CLOSE, atol=CLOSE)


def test_croston_sba_is_that_of_statsforecast(models: ModuleType, demand: npt.NDArray[np.float64]) -> None:
    """Which has one alpha only: a tenth."""
    np.testing.assert_allclose(croston_sba(demand), of_model(models.CrostonSBA(), demand), rtol=CLOSE, atol=CLOSE)


@pytest.mark.parametrize(("alpha", "beta"), [(0.1, 0.1), (0.4, 0.15), (1.0, 0.5)])
def test_tsb_is_that_of_statsforecast(
    models: ModuleType, demand: npt.NDArray[np.float64], alpha: float, beta: float
) -> None:
    """For every SKU."""
    expected = of_model(models.TSB(alpha, beta), demand)
    np.testing.assert_allclose(tsb(demand, alpha=alpha, beta=beta), expected, rtol=CLOSE, atol=CLOSE)


def test_what_is_reckoned_by_hand() -> None:
    """Without any library."""
    series = [[0, 4, 0, 0, 2]]
    # Sizes 4, then 4 + 0.5 (2 - 4); intervals 2, then 2 + 0.5 (3 - 2).
    assert croston_sba(series, alpha=0.5)[0] == pytest.approx(0.75 * 3 / 2.5)
    # The probability: 0, 0.5, 0.25, 0.125, 0.5625.
    assert tsb(series, alpha=0.5, beta=0.5)[0] == pytest.approx(3 * 0.5625)
    assert exponential_smoothing(series, alpha=0.5)[0] == pytest.approx(1.25)


def test_what_is_not_sold_any_more_is_forgotten_by_tsb_and_not_by_croston() -> None:
    """That is what the two are for."""
    series = [[5.0] * 10 + [0.0] * 40]
    assert tsb(series)[0] < 0.1
    assert croston_sba(series)[0] == pytest.approx(0.95 * 5)


@pytest.mark.parametrize("name", METHODS)
def test_skus_do_not_touch_each_other(name: str, demand: npt.NDArray[np.float64]) -> None:
    """And units are units: twice the demand is twice the forecast."""
    method = METHODS[name]  # type: ignore[index]
    whole = method(demand)
    np.testing.assert_allclose(whole, np.concatenate([method(row[None]) for row in demand]), rtol=CLOSE)
    np.testing.assert_allclose(method(2 * demand), 2 * whole, rtol=CLOSE)
    assert (whole >= 0).all()


@pytest.mark.parametrize(
    ("demand", "told"),
    [
        ([1.0, 2.0], "/demand: must have 2 dimensions"),
        (np.zeros((3, 0)), "/demand: must have one period"),
        ([["a"]], "/demand: must hold numbers"),
        ([[1.0, -2.0]], "/demand/0/1: must be a finite number from 0 on"),
        ([[0.0], [float("nan")]], "/demand/1/0: must be a finite number"),
        ([[1.0], [1.0, 2.0]], "/demand: must be an array"),
    ],
)
@pytest.mark.parametrize("name", METHODS)
def test_demand_that_is_none_is_told(name: str, demand: npt.ArrayLike, told: str) -> None:
    """By field and rule."""
    with pytest.raises(InvalidInput) as raised:
        METHODS[name](demand)  # type: ignore[index]
    assert told in str(raised.value)


@pytest.mark.parametrize("alpha", [0, -0.1, 1.1, float("nan"), True, "0.1"])
def test_a_share_that_is_none_is_told(alpha: float) -> None:
    """By each method."""
    for wrong in (
        lambda: exponential_smoothing([[1]], alpha=alpha),
        lambda: croston_sba([[1]], alpha=alpha),
        lambda: tsb([[1]], beta=alpha),
    ):
        with pytest.raises(InvalidInput, match="must be a number above 0, up to 1"):
            wrong()


def test_regional_shares_lean_on_all_skus_where_there_is_little_to_go_by() -> None:
    """A SKU that sold much goes its own way; each row adds up to 1."""
    shares = regional_shares([[1000, 0], [0, 1], [0, 0]], strength=10)
    of_all = 1000 / 1001
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert shares[0, 0] == pytest.approx((1000 + 10 * of_all) / 1010)
    assert shares[1, 0] == pytest.approx(10 * of_all / 11)
    assert shares[2, 0] == pytest.approx(of_all)
    assert regional_shares(np.zeros((1, 4)))[0].tolist() == [0.25] * 4


@pytest.mark.parametrize("units", [[1, 2], np.zeros((2, 0)), [[-1.0]], [[float("inf")]]])
def test_units_that_are_none_are_told(units: npt.ArrayLike) -> None:
    """And so is a strength."""
    with pytest.raises(InvalidInput, match="/units"):
        regional_shares(units)
    with pytest.raises(InvalidInput, match="/strength"):
        regional_shares([[1.0]], strength=0)
