"""One warehouse that is near and one that is far, of each test's own, and orders at the near one."""

from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.api.conftest import Answer, Door, Shop
from tests.conftest import Service
from tests.waiting import until


class Flood(NamedTuple):
    """Where it happens."""

    shop: Shop
    data_dir: Path
    near: str
    far: str
    orders: tuple[str, ...]
    """Those at the near warehouse."""

    @property
    def door(self) -> Door:
        """Of the service."""
        return self.shop.door

    def id(self, name: str) -> str:
        """A run's id, of this test's own."""
        return f"{self.shop.name}.{name}"

    def begin(self, **request: Any) -> Answer:
        """Ask for a re-allocation."""
        return self.door.call("POST", "/v1/reallocations", request)

    def run(self, run_id: str, *states: str) -> dict[str, Any]:
        """The run, once it stands at one of the states."""
        return until(
            20, lambda: self.door.call("GET", f"/v1/reallocations/{run_id}").json, lambda run: run["state"] in states
        )

    def act(self, run_id: str, what: str) -> Answer:
        """Ask for something to be done with a run."""
        return self.door.call("POST", f"/v1/reallocations/{run_id}/{what}")

    def places(self) -> set[str]:
        """The warehouses that orders ship from."""
        found = [self.door.call("GET", f"/v1/orders/{order}").json for order in self.orders]
        return {shipment["warehouse"] for order in found for shipment in order["shipments"]}


@pytest.fixture
def flood(shop: Shop, shared_service: Service) -> Flood:
    """Ten orders at the near warehouse, room for eight of them at the far one."""
    near = shop.warehouse("NEAR", lat=31.0, lon=121.0)
    far = shop.warehouse("FAR", lat=25.0, lon=110.0)
    sku = shop.sku(on_hand={near: 20, far: 8})
    ship_to = {"lat": 31.0, "lon": 121.0, "country": "CN", "region": "Shanghai"}
    orders = tuple(shop.reserve((sku, 1), ship_to=ship_to)["order_id"] for _ in range(10))
    return Flood(shop, shared_service.data_dir, near, far, orders)
