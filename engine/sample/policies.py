"""Where the sample's policies are. Constants only."""

from pathlib import Path

POLICIES_TOML = Path(__file__).with_name("data") / "policies.toml"
"""Policies and rules for the sample network, with a word on each."""
