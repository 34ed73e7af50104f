"""Expected demand: simple methods for intermittent series, regional shares, and orders to be expected. Arrays only."""

from engine.forecast.expected import Baskets, expected_orders
from engine.forecast.methods import METHODS, Method, MethodName, croston_sba, exponential_smoothing, tsb
from engine.forecast.shares import regional_shares

__all__ = [
    "METHODS",
    "Baskets",
    "Method",
    "MethodName",
    "croston_sba",
    "expected_orders",
    "exponential_smoothing",
    "regional_shares",
    "tsb",
]
