"""A service under policies of its own, with a small network, for tests of what quotes and plans explain."""

from typing import NamedTuple

from tests.api.conftest import Door, Shop
from tests.conftest import Service

POLICIES = """version = "7"
default = "usual"
[policies.usual]
objective = "cheapest"
split_penalty = 300
keep_back = { app = 2 }
only = { exclude = ["E-BARRED"] }
[policies.depots]
objective = "fewest_shipments"
only = { kinds = ["dc"] }
[[rules]]
name = "for-depots"
use = "depots"
channels = ["depots"]
"""
"""Names of the network below."""

CARRIERS = [
    {
        "carrier": "post",
        "zones": [{"zone": "all", "base": 400, "steps": [{"up_to_g": 2_000, "amount": 100}], "transit_days": 2}],
    }
]


class Network(NamedTuple):
    """Warehouses LEFT and RIGHT have a line each, BOTH is dear and has both; a parcel costs 5.00 each."""

    service: Service
    shop: Shop


def build(service: Service) -> Network:
    """The network on a service that runs with POLICIES."""
    door = Door(service.url)
    shop = Shop(door, "E")
    door.put("/v1/tariff", {"carriers": CARRIERS})
    for name, fixed_cost, more in (
        ("LEFT", 100, {}),
        ("RIGHT", 100, {}),
        ("BOTH", 2_000, {}),
        ("SHOP", 3_000, {"kind": "store"}),
        ("BARRED", 0, {}),
        ("CLOSED", 0, {"enabled": False}),
    ):
        shop.warehouse(name, fixed_cost=fixed_cost, unit_cost=10, **more)
    shop.sku("A", on_hand={f"E-{name}": 9 for name in ("LEFT", "BOTH", "SHOP", "BARRED")}, weight_g=500)
    shop.sku("B", on_hand={f"E-{name}": 9 for name in ("RIGHT", "BOTH", "SHOP", "BARRED")}, weight_g=500)
    shop.sku("COLD", on_hand={"E-BOTH": 9, "E-SHOP": 9}, capabilities=["cold"])
    shop.sku("NONE", substitutes=["E-A"])
    shop.sku("KIT", components=[{"sku": "E-A", "quantity": 2}])
    shop.warehouse("SHOP", fixed_cost=3_000, unit_cost=10, kind="store", capabilities=["cold"])
    return Network(service, shop)
