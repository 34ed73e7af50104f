"""A real network as sample input, and orders for it. Hands names on."""

from engine.sample.city import City
from engine.sample.network import SampleNetwork, load_network, starting_stock
from engine.sample.orders import Offer, OfferKind, OrderSource
from engine.sample.policies import CARRIERS_TOML, POLICIES_TOML

__all__ = [
    "CARRIERS_TOML",
    "POLICIES_TOML",
    "City",
    "Offer",
    "OfferKind",
    "OrderSource",
    "SampleNetwork",
    "load_network",
    "starting_stock",
]
