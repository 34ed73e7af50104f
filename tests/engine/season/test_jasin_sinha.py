"""Seasons of Jasin and Sinha's kind: refreshed prices come near what nobody could be below, and the rest beside it.

`make seasons-long` plays 20 drawn ones of full length; STOCKADE_JASIN_SINHA=DIR also the published one.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from engine.errors import InvalidInput
from engine.season import Every, PolicyTerms, SeasonOutcome, draw_season, play_season, read_jasin_sinha
from tests.engine.season.clairvoyant import linear_bound

SEASONS = int(os.environ.get("STOCKADE_SEASONS", "0"))
DATA = os.environ.get("STOCKADE_JASIN_SINHA")

ABOVE_MAX = 0.025
"""What refreshed prices may cost above the bound, on average."""


def figures(outcome: SeasonOutcome) -> dict[str, float]:
    """How far each policy is above the proven bound."""
    return {one.policy: one.above_bound for one in outcome.policies}


def test_refreshed_prices_are_near_the_bound_and_the_exact_myopic_is_far() -> None:
    """In a short season, of which less can be planned than of a long one."""
    season = draw_season(3, arrivals=1_500)
    outcome = play_season(season, ["myopic", "refreshed"], PolicyTerms(every=Every(orders=60)))
    found = figures(outcome)
    assert found["refreshed"] <= ABOVE_MAX < found["myopic"]
    # The proven bound is at the least as good as that of the linear relaxation.
    assert outcome.hindsight_cost >= outcome.bound >= 0.999 * linear_bound(season)


def test_a_seed_draws_one_season_and_another_seed_another() -> None:
    """In every column."""
    one, again, other = draw_season(7, arrivals=400), draw_season(7, arrivals=400), draw_season(8, arrivals=400)
    for name in ("line_start", "sku", "region", "stock", "unit_cost"):
        assert (getattr(one.orders, name) == getattr(again.orders, name)).all()
    assert not np.array_equal(one.orders.stock, other.orders.stock)


def test_a_drawn_season_is_of_the_kind() -> None:
    """Five centres, ten regions, twenty items; stock for about what is expected, all kept somewhere."""
    season = draw_season(11)
    p = season.orders
    assert p.stock.shape == (20, 5)
    assert p.unit_cost.shape == (10, 5)
    assert season.known is not None
    wanted = season.known.units(20, 10).sum(axis=1)
    assert (p.stock.sum(axis=1) >= wanted).all()
    assert p.stock.sum() <= 1.1 * wanted.sum()
    sizes = np.diff(p.line_start)
    assert sizes.min() >= 1
    assert sizes.max() <= 5


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"stock": [[1, 2]]}, "/stock"),
        ({"unit": [[1.0], [2.0, 3.0], [4.0]]}, "/unit"),
        ({"prob": [[0.5], [float("inf")]]}, "JSON"),
        ({"prob": [[0.5], [-0.5]]}, "/prob"),
        ({"order_types": [[0], [0, 0]]}, "/order_types/1"),
        ({"order_types": [[0], [2]]}, "/order_types/1"),
        ({"arrivals": [[0, 0], [2, 0]]}, "/arrivals/1"),
        ({"arrivals": []}, "/arrivals"),
        ({"fixed": [[1.0], [3.0], [2.0]]}, "/fixed"),
        ({"arrivals": "many"}, "/arrivals"),
    ],
)
def test_a_file_that_breaks_a_rule_is_told_by_its_field(change: dict[str, object], told: str) -> None:
    """And so is one that is no JSON."""
    right = {
        "order_types": [[0], [0, 1]],
        "prob": [[0.5], [0.5]],
        "fixed": [[1.0], [1.0], [2.0]],
        "unit": [[1.0], [2.0], [4.0]],
        "stock": [[1, 2], [0, 1]],
        "arrivals": [[0, 0], [1, 0]],
    }
    assert read_jasin_sinha(json.dumps(right).encode(), "right").orders.orders == 2
    with pytest.raises(InvalidInput) as raised:
        read_jasin_sinha(json.dumps(right | change).encode(), "wrong")
    assert any(told in f"{one.pointer} {one.message}" for one in raised.value.errors)


@pytest.mark.skipif(not DATA, reason="STOCKADE_JASIN_SINHA names no folder with the published season")
def test_the_published_season_costs_what_is_published() -> None:
    """Exact myopic as published, refreshed prices near the published bound."""
    text = (Path(str(DATA)) / "js_seed1000.json").read_bytes()
    season, published = read_jasin_sinha(text, "js_seed1000"), json.loads(text)
    # The published bound is rounded in its costs less than a season is.
    bound = published["hindsight_lp_lower_bound"] * season.per_major
    outcome = play_season(season, ["myopic", "refreshed"], PolicyTerms())
    costs = {one.policy: one.cost for one in outcome.policies}
    assert costs["myopic"] == pytest.approx(published["policy_cost"]["myopic_exact"] * season.per_major, rel=1e-3)
    assert costs["refreshed"] <= (1 + ABOVE_MAX) * bound
    assert outcome.bound >= 0.999 * bound


@pytest.mark.skipif(not SEASONS, reason="STOCKADE_SEASONS asks for no long seasons")
def test_refreshed_prices_are_near_the_linear_bound_in_many_seasons() -> None:
    """On average, beside the exact myopic."""
    refreshed, myopic = [], []
    for seed in range(1, SEASONS + 1):
        season = draw_season(seed)
        outcome, bound = play_season(season, ["myopic", "refreshed"], PolicyTerms()), linear_bound(season)
        costs = {one.policy: one.cost / bound - 1 for one in outcome.policies}
        print(f"seed {seed}: refreshed {costs['refreshed']:.2%}, exact myopic {costs['myopic']:.2%} above the LP bound")
        refreshed.append(costs["refreshed"])
        myopic.append(costs["myopic"])
    print(f"mean: refreshed {np.mean(refreshed):.2%}, exact myopic {np.mean(myopic):.2%}")
    assert np.mean(refreshed) <= ABOVE_MAX < np.mean(myopic)


def test_a_season_in_which_nobody_wants_anything_is_none() -> None:
    """It would cost nothing under every policy."""
    nothing = {
        "order_types": [[]],
        "prob": [[1.0]],
        "fixed": [[1.0], [2.0]],
        "unit": [[1.0], [2.0]],
        "stock": [[1]],
        "arrivals": [[0, 0]],
    }
    with pytest.raises(InvalidInput, match="/orders"):
        read_jasin_sinha(json.dumps(nothing).encode(), "nothing")
