"""Where the sample's files are that no code reads by itself. Constants only."""

from pathlib import Path

POLICIES_TOML = Path(__file__).with_name("data") / "policies.toml"
"""Policies and rules for the sample network, with a word on each."""

CARRIERS_TOML = Path(__file__).with_name("data") / "carriers.toml"
"""A tariff of two carriers that shows what one may say."""
