"""A planner on a network of two warehouses, for the tests of this room. No store behind it."""

import msgspec

from engine.model import Line, Order, ShipTo, Sku, Warehouse
from engine.planner import CostDefaults, Planner, cell_number

NEAR, FAR = 0, 1
"""Numbers of the warehouses: one at the orders' destination, one 111 km east of it."""

EVENT = b"1700000000000-0"


def small_planner(*, purchase_limit: int | None = None) -> Planner:
    """Warehouses near and far, SKUs a and b (numbers 0 and 1), 5 units in each cell."""
    planner = Planner(
        currency="CNY",
        default_policy="cheapest",
        defaults=CostDefaults(fixed_cost=200, unit_cost=10, cost_per_km=1.0),
    )
    planner.put_warehouses(((NEAR, Warehouse(id="near", lat=0, lon=0)), (FAR, Warehouse(id="far", lat=0, lon=1))))
    planner.put_skus(((0, Sku(sku="a", weight_g=500, purchase_limit=purchase_limit)), (1, Sku(sku="b"))))
    planner.set_levels([(cell_number(sku=sku, warehouse=at), 5) for sku in (0, 1) for at in (NEAR, FAR)], EVENT)
    return planner


def order(order_id: str = "o", quantity: int = 1, *, sku: str = "a", **fields: object) -> Order:
    """An order of one line to 0 N 0 E."""
    lines = (Line(sku, quantity),)
    return msgspec.structs.replace(Order(order_id=order_id, ship_to=ShipTo(lat=0, lon=0), lines=lines), **fields)
