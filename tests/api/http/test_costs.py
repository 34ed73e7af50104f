"""Carriers, calendars and a user's own numbers over HTTP: what was put is read, rules the next quote, and survives."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.conftest import Door, Service, Shop

CARRIERS = [
    {
        "carrier": "post",
        "zones": [
            {"zone": "home", "countries": ["CN"], "base": 300, "per_kg": 100, "minimum": 350, "transit_days": 3},
            {"zone": "abroad", "base": 2_000, "steps": [{"up_to_g": 1_000, "amount": 500}], "per_kg": 700},
        ],
        "service_levels": ["standard"],
    },
    {"carrier": "courier", "zones": [{"zone": "all", "base": 1_500, "transit_days": 1}], "weight_step_g": 500},
]
TO = {"lat": 31.0, "lon": 120.0}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service whose tariff is nobody else's."""
    one = Service(tmp_path_factory.mktemp("costs") / "store")
    one.start()
    yield one
    one.stop()


def quoted(shop: Shop, sku: str, **fields: Any) -> dict[str, Any]:
    """The one shipment that a quote advises."""
    (shipment,) = shop.door.call("POST", "/v1/quotes", shop.order((sku, 1)) | fields).json["shipments"]
    found: dict[str, Any] = shipment
    return found


def test_carriers_and_own_numbers_rule_the_next_quote(own: Service) -> None:
    """Fixed 500 and 50 a unit, by the service's settings; a unit weighs 1.5 kg."""
    door = Door(own.url)
    shop = Shop(door, "COSTS")
    warehouse = shop.warehouse(lat=30.0, lon=120.0)
    sku = shop.sku(on_hand={warehouse: 99}, weight_g=1_500)
    door.put("/v1/tariff", {"carriers": CARRIERS})
    assert door.call("GET", "/v1/tariff").json == {"carriers": CARRIERS}

    home = quoted(shop, sku, service_level="standard", ship_to=TO | {"country": "cn"})
    assert (home["carrier"], home["cost"]) == ("post", 550 + 450)
    abroad = quoted(shop, sku, service_level="standard", ship_to=TO | {"country": "JP"})
    assert (abroad["carrier"], abroad["cost"]) == ("courier", 550 + 1_500)
    assert quoted(shop, sku, ship_to=TO)["carrier"] == "courier"

    held = shop.reserve((sku, 1), service_level="standard", ship_to=TO | {"country": "CN"})
    assert held["promised_on"] == held["shipments"][0]["promised_on"]
    kept = door.call("GET", f"/v1/orders/{held['order_id']}").json
    assert (kept["promised_on"], kept["shipments"]) == (held["promised_on"], held["shipments"])

    matrix = {"by": "region", "warehouses": [warehouse], "rows": {"Jiangsu": [77]}}
    assert door.call("PUT", "/v1/costs", matrix).json == {"by": "region", "warehouses": 1, "rows": 1}
    assert door.call("GET", "/v1/costs").json == matrix
    priced = quoted(shop, sku, ship_to=TO | {"region": "jiangsu"})
    assert (priced["cost"], priced["carrier"]) == (550 + 77, "courier")
    door.put("/v1/distances", matrix | {"rows": {"Jiangsu": [12.5]}})
    assert quoted(shop, sku, ship_to=TO | {"region": "Jiangsu"})["distance_km"] == 12.5
    for path in ("/v1/costs", "/v1/distances"):
        assert door.call("DELETE", path).status == 204
        door.call("GET", path).problem(404, "not-found")
    assert quoted(shop, sku, ship_to=TO | {"region": "Jiangsu"})["cost"] == 550 + 1_500


def test_a_warehouse_keeps_its_calendar(shop: Shop) -> None:
    """As it was put, days as text."""
    calendar = {
        "timezone": "Asia/Shanghai",
        "cutoff": "14:30",
        "working_days": [1, 2, 3, 4, 5],
        "holidays": ["2026-10-01"],
        "handling_days": 1,
    }
    name = shop.warehouse(**calendar)
    (found,) = (row for row in shop.door.call("GET", "/v1/warehouses").json if row["id"] == name)
    assert {field: found[field] for field in calendar} == calendar
