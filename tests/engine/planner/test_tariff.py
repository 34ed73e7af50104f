"""Tariffs and matrices from the model's types to what a quote costs and promises."""

from typing import Any

import msgspec
import pytest

from engine.model import Carrier, CostMatrix, DistanceMatrix, Order, Sku, Tariff, TariffZone, WeightStep, Zone
from engine.planner import Planner
from tests.engine.planner.test_planner import quote
from tests.engine.planner.two_warehouses import order, small_planner

NOW_MS = 1_794_355_200_000
"""2026-11-11, midnight UTC."""


def to(wanted: Order, **fields: str) -> Order:
    """The order, to a place of these names."""
    return msgspec.structs.replace(wanted, ship_to=msgspec.structs.replace(wanted.ship_to, **fields))


def shipment(planner: Planner, wanted: Order) -> dict[str, Any]:
    """The one shipment of an order."""
    planner.keep_calendars(NOW_MS)
    (only,) = quote(planner, wanted, now_ms=NOW_MS)["shipments"]
    found: dict[str, Any] = only
    return found


def carrier(name: str, **fields: Any) -> Carrier:
    """A carrier that charges alike everywhere, and its further fields."""
    zone = {field: fields.pop(field) for field in list(fields) if field in Zone.__struct_fields__}
    return Carrier(carrier=name, zones=(Zone(zone="all", **zone),), **fields)


def test_the_service_level_chooses_among_carriers() -> None:
    """The warehouse costs 200 and 10 a unit; half a kilogram is sent."""
    planner = small_planner()
    slow = carrier("slow", base=300, transit_days=4, service_levels=("standard",))
    fast = carrier("fast", base=900, transit_days=1, service_levels=("express",))
    planner.set_tariff(Tariff(carriers=(slow, fast)))
    standard = shipment(planner, order(service_level="standard"))
    assert (standard["carrier"], standard["cost"], standard["promised_on"]) == ("slow", 510, "2026-11-15")
    express = shipment(planner, order(service_level="Express"))
    assert (express["carrier"], express["cost"], express["promised_on"]) == ("fast", 1110, "2026-11-12")


def test_volume_steps_and_minimum_come_together() -> None:
    """A unit of 500 g and 10,000 cm3 is charged as 2 kg at 5,000 cm3 a kilogram."""
    planner = small_planner()
    planner.put_skus([(0, Sku(sku="a", weight_g=500, volume_cm3=10_000))])
    steps = (WeightStep(1_999, 100), WeightStep(2_000, 400), WeightStep(4_000, 700))
    by_volume = carrier("post", per_kg=50, steps=steps, minimum=450, volumetric_cm3_per_kg=5_000, weight_step_g=500)
    planner.set_tariff(Tariff(carriers=(by_volume,)))
    costs = [shipment(planner, order(quantity=units))["cost"] - 200 - 10 * units for units in (1, 2, 3)]
    assert costs == [450, 700, 700 + 2 * 50]
    assert quote(planner, order(quantity=3))["explanation"]["proven"]


def test_zones_by_place_serve_whom_they_name() -> None:
    """What nobody serves is refused, and the explanation says why."""
    planner = small_planner()
    zones = (
        Zone(zone="inner", countries=("GB",), postcodes=("SW1", "E1"), base=100),
        Zone(zone="outer", countries=("GB",), base=400),
    )
    planner.set_tariff(Tariff(carriers=(Carrier(carrier="post", zones=zones),)))
    assert shipment(planner, to(order(), country="gb", postcode="sw1a 1aa"))["cost"] == 310
    assert shipment(planner, to(order(), country="GB", postcode="M1"))["cost"] == 610
    word, payload = planner.core.quote(msgspec.msgpack.encode(to(order(), country="FR")))
    assert word == "undeliverable"
    (told, *_) = payload
    rows = msgspec.json.decode(told)["explanation"]["warehouses"]
    assert {row["excluded"] for row in rows} == {"no carrier of the tariff goes there from it"}


def test_the_tariff_of_before_means_what_it_meant() -> None:
    """Zones by distance, no names: the last serves what lies beyond, lines are charged by the gram."""
    planner = small_planner()
    planner.set_tariff(Tariff(zones=(TariffZone("near", 50, 1, 0), TariffZone("far", 60, 70, 300))))
    far = shipment(planner, order(warehouses=("far",)))
    assert far["cost"] == 200 + 10 + 70 + 150
    assert "carrier" not in far
    assert "promised_on" not in far


def test_own_distances_and_costs_come_first() -> None:
    """Distances decide zone and nearness, costs take the tariff's place; nothing else changes."""
    planner = small_planner()
    planner.set_tariff(Tariff(zones=(TariffZone("near", 50, 1, 0), TariffZone("far", 500, 70, 300))))
    region = to(order(), region="Hebei")
    planner.set_matrix("distance", DistanceMatrix(by="region", warehouses=("near", "gone"), rows={"hebei": (400, 1)}))
    assert shipment(planner, msgspec.structs.replace(region, warehouses=("near",)))["distance_km"] == 400
    assert shipment(planner, msgspec.structs.replace(region, warehouses=("near",)))["cost"] == 210 + 70 + 150
    assert shipment(planner, msgspec.structs.replace(region, policy="nearest"))["warehouse"] == "far"
    planner.set_matrix("cost", CostMatrix(by="region", warehouses=("far", "near"), rows={"Hebei": (7, None)}))
    assert shipment(planner, region) | {"lines": []} == {
        "warehouse": "far",
        "lines": [],
        "cost": 217,
        "distance_km": pytest.approx(111.195),
    }
    planner.set_matrix("cost", None)
    planner.set_matrix("distance", None)
    assert shipment(planner, region)["cost"] == 211
    assert planner.matrices == {}


def test_the_core_refuses_what_is_no_matrix_or_too_much_tariff() -> None:
    """The doors let none of it in."""
    core = small_planner().core
    for of, matrix, message in (
        ("speed", None, "no matrix of"),
        ("cost", ("planet", ["a"], [0], [1]), "no matrix by"),
        ("cost", ("region", ["a"], [0, 1], [1]), "names times warehouses"),
    ):
        with pytest.raises(ValueError, match=message):
            core.set_matrix(of, matrix)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="more than 32 carriers"):
        core.set_carriers([("a", (), [], 0, 0)] * 33)
