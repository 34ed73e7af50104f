"""Catalogue and counts that break a rule: refused whole, with a pointer, and everything stays as it was."""

from typing import Any

import msgspec
import pytest

from api.http.problems import DETAIL_LENGTH_MAX, ERRORS_MAX
from engine.model import limits
from tests.api.conftest import Door, Shop

WAREHOUSE = "/v1/warehouses/CAT-W"
SKU = "/v1/skus/CAT-A"
STOCK = "/v1/stock"
TARIFF = "/v1/tariff"
DISTANCES = "/v1/distances"
COSTS = "/v1/costs"

ROW = {"sku": "CAT-A", "warehouse": "CAT-W", "on_hand": 5}
ZONE = {"zone": "near", "max_km": 100, "base": 1_000, "per_kg": 100}
HERE = {"lat": 30, "lon": 120}


@pytest.fixture(scope="module")
def catalogue(door: Door) -> Shop:
    """A SKU with 100 units in a warehouse."""
    shop = Shop(door, "CAT")
    shop.warehouse()
    shop.sku(on_hand={"CAT-W": 100})
    return shop


def zones(*changes: dict[str, Any]) -> dict[str, Any]:
    """A tariff of good zones but for these fields."""
    return {"zones": [ZONE | change for change in changes]}


def carriers(*zones: dict[str, Any], carrier: str = "post") -> dict[str, Any]:
    """A tariff of one carrier."""
    return {"carriers": [{"carrier": carrier, "zones": zones}]}


def matrix(**fields: Any) -> dict[str, Any]:
    """Own numbers that are right but for these fields."""
    return {"by": "region", "warehouses": ["CAT-W"], "rows": {"a": [1]}} | fields


WRONG: dict[str, tuple[str, Any, str]] = {
    "a warehouse with the name of another": (WAREHOUSE, HERE | {"id": "CAT-V"}, "/id"),
    "a warehouse with a number for a name": (WAREHOUSE, HERE | {"id": 5}, "/id"),
    "a warehouse that is an array": (WAREHOUSE, [], ""),
    "a warehouse without a place": (WAREHOUSE, {}, "/lat"),
    "a warehouse without a longitude": (WAREHOUSE, {"lat": 30}, "/lon"),
    "a warehouse north of the pole": (WAREHOUSE, {"lat": 90.5, "lon": 0}, "/lat"),
    "a warehouse at 1e999": (WAREHOUSE, b'{"lat": 1e999, "lon": 0}', "/lat"),
    "a warehouse at true": (WAREHOUSE, HERE | {"lat": True}, "/lat"),
    "a warehouse with a negative cost": (WAREHOUSE, HERE | {"fixed_cost": -1}, "/fixed_cost"),
    "a warehouse with a cost of 10**30": (WAREHOUSE, HERE | {"unit_cost": 10**30}, "/unit_cost"),
    "a warehouse with a broken amount": (WAREHOUSE, HERE | {"unit_cost": 0.5}, "/unit_cost"),
    "a warehouse with a negative rate": (WAREHOUSE, HERE | {"cost_per_km": -0.1}, "/cost_per_km"),
    "a warehouse of no known kind": (WAREHOUSE, HERE | {"kind": "cave"}, "/kind"),
    "a warehouse with an unknown field": (WAREHOUSE, HERE | {"colour": "red"}, "/colour"),
    "a warehouse whose name has 129 characters": ("/v1/warehouses/" + "w" * 129, HERE, "/id"),
    "a warehouse whose name has a line break": ("/v1/warehouses/CAT%0AW", HERE, "/id"),
    "a warehouse whose name ends in a blank": ("/v1/warehouses/CAT-W%20", HERE, "/id"),
    "a warehouse whose name is not UTF-8": ("/v1/warehouses/CAT%ff", HERE, "/id"),
    "a SKU with the name of another": (SKU, {"sku": "CAT-B"}, "/sku"),
    "a SKU of negative weight": (SKU, {"weight_g": -1}, "/weight_g"),
    "a SKU of 10**30 g": (SKU, {"weight_g": 10**30}, "/weight_g"),
    "a SKU of which nobody may buy any": (SKU, {"purchase_limit": 0}, "/purchase_limit"),
    "a SKU with an unknown field": (SKU, {"colour": "red"}, "/colour"),
    "a SKU whose name has a null character": ("/v1/skus/CAT%00", {}, "/sku"),
    "no counts": (STOCK, [], ""),
    "counts that are an object": (STOCK, ROW, ""),
    "counts that are null": (STOCK, b"null", ""),
    "a row that is null": (STOCK, [ROW, None], "/1"),
    "a row without a warehouse": (STOCK, [{"sku": "CAT-A", "on_hand": 1}], "/0/warehouse"),
    "a row with an unknown field": (STOCK, [ROW | {"colour": "red"}], "/0/colour"),
    "one cell twice": (STOCK, [ROW, ROW | {"on_hand": 6}], "/1"),
    "an unknown SKU after a good row": (STOCK, [ROW, ROW | {"sku": "NOWHERE"}], "/1/sku"),
    "an unknown warehouse after a good row": (STOCK, [ROW, ROW | {"warehouse": "NOWHERE"}], "/1/warehouse"),
    "a negative count": (STOCK, [ROW | {"on_hand": -1}], "/0/on_hand"),
    "a count of 10**30": (STOCK, [ROW | {"on_hand": 10**30}], "/0/on_hand"),
    "one above the largest count": (STOCK, [ROW | {"on_hand": limits.ON_HAND_MAX + 1}], "/0/on_hand"),
    "a count as text": (STOCK, [ROW | {"on_hand": "5"}], "/0/on_hand"),
    "a broken count": (STOCK, [ROW | {"on_hand": 5.5}], "/0/on_hand"),
    "negative safety stock": (STOCK, [ROW | {"safety": -1}], "/0/safety"),
    "counts nested 100,000 deep": (STOCK, b"[" * 100_000, "/0"),
    "a tariff that is an array": (TARIFF, [ZONE], ""),
    "a tariff without zones": (TARIFF, {"zones": []}, "/zones"),
    "a tariff of 65 zones": (TARIFF, zones(*({"max_km": km} for km in range(1, 66))), "/zones"),
    "a tariff whose zones descend": (TARIFF, zones({"max_km": 200}, {"max_km": 100}), "/zones"),
    "a tariff with two zones of one reach": (TARIFF, zones({}, {"zone": "far"}), "/zones"),
    "a zone without a reach": (TARIFF, {"zones": [{"zone": "near", "base": 1, "per_kg": 1}]}, "/zones/0/max_km"),
    "a zone of no reach": (TARIFF, zones({"max_km": 0}), "/zones/0/max_km"),
    "a zone beyond the Earth": (TARIFF, zones({"max_km": 40_000}), "/zones/0/max_km"),
    "a zone at a negative price": (TARIFF, zones({"base": -1}), "/zones/0/base"),
    "a zone at 10**30": (TARIFF, zones({"per_kg": 10**30}), "/zones/0/per_kg"),
    "a zone without a name": (TARIFF, zones({"zone": ""}), "/zones/0/zone"),
    "a tariff of nothing": (TARIFF, {}, ""),
    "a carrier without zones": (TARIFF, {"carriers": [{"carrier": "a", "zones": []}]}, "/carriers/0/zones"),
    "a carrier without a name": (TARIFF, carriers({"zone": "z"}, carrier=""), "/carriers/0/carrier"),
    "a carrier of days below zero": (
        TARIFF,
        carriers({"zone": "z", "transit_days": -1}),
        "/carriers/0/zones/0/transit_days",
    ),
    "a carrier whose steps fall": (
        TARIFF,
        carriers({"zone": "z", "steps": [{"up_to_g": 9, "amount": 2}, {"up_to_g": 10, "amount": 1}]}),
        "/carriers/0/zones/0/steps/1/amount",
    ),
    "a zone that is never reached": (TARIFF, carriers({"zone": "a"}, {"zone": "b"}), "/carriers/0/zones/1"),
    "a warehouse in no time zone": (WAREHOUSE, HERE | {"timezone": "Mars/Olympus"}, "/timezone"),
    "a warehouse with a cut-off on no clock": (WAREHOUSE, HERE | {"cutoff": "14:00"}, "/timezone"),
    "a warehouse with a cut-off at 24:00": (WAREHOUSE, HERE | {"cutoff": "24:00"}, "/cutoff"),
    "a warehouse open on the eighth day": (WAREHOUSE, HERE | {"working_days": [8]}, "/working_days/0"),
    "a warehouse that is never open": (WAREHOUSE, HERE | {"working_days": []}, "/working_days"),
    "a warehouse with a holiday of no month": (WAREHOUSE, HERE | {"holidays": ["2026-13-01"]}, "/holidays/0"),
    "a warehouse that takes days below zero": (WAREHOUSE, HERE | {"handling_days": -1}, "/handling_days"),
    "distances of an unknown warehouse": (DISTANCES, matrix(warehouses=["NOWHERE"]), "/warehouses/0"),
    "distances by planet": (DISTANCES, matrix(by="planet"), "/by"),
    "distances below zero": (DISTANCES, matrix(rows={"a": [-1]}), "/rows/0"),
    "distances of too many warehouses": (DISTANCES, matrix(rows={"a": [1, 2]}), "/rows"),
    "costs of a broken amount": (COSTS, matrix(rows={"a": [0.5]}), "/rows/0"),
    "costs of nothing": (COSTS, matrix(rows={}), "/rows"),
}

BODIES = {
    "400 nothing": b"",
    "400 cut short": b"nul",
    "400 NaN": b"NaN",
    "400 not UTF-8": b"\xff\xfe",
    "413 10 MB": b" " * 10 * 1024 * 1024,
}

pytestmark = pytest.mark.usefixtures("catalogue", "unchanged")


@pytest.mark.parametrize("case", WRONG)
def test_a_definition_that_breaks_a_rule_is_refused_with_a_pointer_to_the_field(door: Door, case: str) -> None:
    """One wrong row among thousands must be found, and must not leave half of them applied."""
    path, body, pointer = WRONG[case]
    answer = door.call("PUT", path, body)
    answer.problem(422, "invalid-request")
    assert answer.pointers() == [pointer]


@pytest.mark.parametrize("path", [WAREHOUSE, SKU, STOCK, TARIFF, DISTANCES, COSTS])
@pytest.mark.parametrize("case", BODIES)
def test_a_body_that_cannot_be_read_is_refused(door: Door, path: str, case: str) -> None:
    """Every PUT reads its body by the same rules as an order's."""
    status = int(case[:3])
    door.call("PUT", path, BODIES[case]).problem(status, "broken-json" if status == 400 else "too-large")


@pytest.mark.parametrize("path", [WAREHOUSE, SKU])
def test_a_definition_nested_to_exhaustion_is_refused(door: Door, path: str) -> None:
    """A stack that a stranger can exhaust would take the service with it."""
    answer = door.call("PUT", path, b'{"name": ' + b"[" * 30_000 + b"]" * 30_000 + b"}")
    assert answer.status in (400, 422)
    answer.problem(answer.status, "broken-json" if answer.status == 400 else "invalid-request")


def test_a_refusal_of_ten_thousand_rows_is_itself_small(door: Door) -> None:
    """An answer that grows with the errors of its request could be used to fill the line."""
    rows = [ROW | {"sku": f"NOWHERE-{index}"} for index in range(limits.STOCK_ROWS_MAX)]
    answer = door.call("PUT", STOCK, rows)
    found = answer.problem(422, "invalid-request")
    assert len(found["errors"]) == ERRORS_MAX
    assert len(found["detail"]) <= DETAIL_LENGTH_MAX + len(" ...")


def test_more_rows_than_one_call_may_have_are_refused(door: Door) -> None:
    """One call is applied in one piece, and so must stay short."""
    answer = door.call("PUT", STOCK, msgspec.json.encode([ROW] * (limits.STOCK_ROWS_MAX + 1)))
    answer.problem(422, "invalid-request")
    assert answer.pointers()[0] == ""


@pytest.mark.parametrize("path", [TARIFF, DISTANCES, COSTS])
def test_without_a_tariff_there_is_none_to_read(door: Door, path: str) -> None:
    """What was refused must not be what is in force."""
    door.call("GET", path).problem(404, "not-found")
