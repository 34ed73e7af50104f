"""Seasons played through policies: what each would have cost, and how far that is above what nobody could be below."""

from engine.season.jasin_sinha import draw_season
from engine.season.jasin_sinha_file import read_jasin_sinha
from engine.season.policies import POLICIES, Every, PolicyName, PolicyTerms
from engine.season.replay import Expect, PolicyOutcome, SeasonOutcome, play_season
from engine.season.season import Season

__all__ = [
    "POLICIES",
    "Every",
    "Expect",
    "PolicyName",
    "PolicyOutcome",
    "PolicyTerms",
    "Season",
    "SeasonOutcome",
    "draw_season",
    "play_season",
    "read_jasin_sinha",
]
