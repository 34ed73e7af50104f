"""Where an order ships from, as its fields ask and as the costs say; and quotes, which say why and hold nothing."""

import math
from typing import Any

import pytest

from tests.api.conftest import Shop

EARTH_RADIUS_KM = 6_371.0
FIXED_COST, UNIT_COST, COST_PER_KM = 500, 50, 1.0
"""What the settings charge for a warehouse that says nothing, in minor units."""

PLACES = {
    "near": ((31.23, 121.47), (31.30, 120.62)),
    "far": ((31.23, 121.47), (39.90, 116.41)),
    "over the date line": ((-18.14, 178.44), (-13.83, -171.77)),
    "over the pole": ((78.22, 15.65), (71.29, -156.79)),
    "at the other end": ((40.0, -3.7), (-41.3, 174.8)),
    "on the spot": ((31.23, 121.47), (31.23, 121.47)),
}


def haversine_km(here: tuple[float, float], there: tuple[float, float]) -> float:
    """Great-circle distance, by the textbook."""
    lat_1, lon_1, lat_2, lon_2 = map(math.radians, (*here, *there))
    chord = math.sin((lat_2 - lat_1) / 2) ** 2
    chord += math.cos(lat_1) * math.cos(lat_2) * math.sin((lon_2 - lon_1) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(chord)))


def shipped(allocation: dict[str, Any]) -> dict[str, dict[str, int]]:
    """Units by SKU by warehouse."""
    return {
        shipment["warehouse"]: {line["sku"]: line["quantity"] for line in shipment["lines"]}
        for shipment in allocation["shipments"]
    }


@pytest.mark.parametrize("case", PLACES)
def test_a_warehouse_of_which_only_the_place_is_known_costs_the_defaults(shop: Shop, case: str) -> None:
    """Two coordinates are enough to begin with: fixed, per unit, and per kilometre on the great circle."""
    here, there = PLACES[case]
    warehouse = shop.warehouse(lat=here[0], lon=here[1])
    sku = shop.sku(on_hand={warehouse: 9})
    allocation = shop.reserve((sku, 3), ship_to={"lat": there[0], "lon": there[1]})
    (shipment,) = allocation["shipments"]
    km = haversine_km(here, there)
    assert shipment["distance_km"] == pytest.approx(km, rel=0.005, abs=0.001)
    assert shipment["cost"] == pytest.approx(FIXED_COST + 3 * UNIT_COST + COST_PER_KM * shipment["distance_km"], abs=1)
    assert allocation["cost"] == shipment["cost"]


def test_a_warehouse_that_says_its_costs_is_charged_by_them(shop: Shop) -> None:
    """And the cheapest wins, not the nearest, unless the order asks for that."""
    near = shop.warehouse("near", lat=31.0, lon=121.0, fixed_cost=5_000, unit_cost=0, cost_per_km=0)
    cheap = shop.warehouse("cheap", lat=40.0, lon=121.0, fixed_cost=1_000, unit_cost=10, cost_per_km=0.5)
    first = shop.warehouse("first", lat=35.0, lon=121.0, fixed_cost=9_000, priority=1)
    sku = shop.sku(on_hand={near: 9, cheap: 9, first: 9})
    cheapest = shop.reserve((sku, 2))
    assert shipped(cheapest) == {cheap: {sku: 2}}
    assert cheapest["cost"] == pytest.approx(1_000 + 20 + 0.5 * 1_000.75, abs=1)
    assert shipped(shop.reserve((sku, 2), policy="nearest")) == {near: {sku: 2}}
    assert shipped(shop.reserve((sku, 2), policy="priority")) == {first: {sku: 2}}


def test_an_order_is_split_only_where_it_allows_that(shop: Shop) -> None:
    """A customer who wants one parcel gets one, or a refusal that says why."""
    one, two, three = (shop.warehouse(name) for name in "123")
    skus = [shop.sku(f"A{index}", on_hand={name: 5}) for index, name in enumerate((one, two, three))]
    lines = [(sku, 1) for sku in skus]
    for limits, most in (({"allow_split": False}, 1), ({"max_shipments": 1}, 1), ({"max_shipments": 2}, 2)):
        (field,) = limits
        order = shop.order(*lines, **limits)
        for path in ("/v1/orders", "/v1/quotes"):
            found = shop.door.call("POST", path, order).problem(409, "insufficient-stock")
            assert f"There is enough stock, but no way was found to ship it from {most} warehouse" in found["detail"]
            assert f"{field} of the order allows no more" in found["detail"]
            assert found["limit"] == {"by": field, "shipments": most}
            assert len(found["shortages"]) == 3 - most
            for row in found["shortages"]:
                assert (row["requested"], row["available"], row["within_limit"]) == (1, 5, 0)
    assert shipped(shop.reserve(*lines, max_shipments=3)) == {
        one: {skus[0]: 1},
        two: {skus[1]: 1},
        three: {skus[2]: 1},
    }
    assert len(shop.reserve(*lines[:2], max_shipments=2)["shipments"]) == 2


def test_one_line_is_split_when_no_warehouse_has_enough(shop: Shop) -> None:
    """Seven where one place has four and another five are in stock."""
    one, two = shop.warehouse("1"), shop.warehouse("2")
    sku = shop.sku(on_hand={one: 4, two: 5})
    shop.post(shop.order((sku, 7), allow_split=False)).problem(409, "insufficient-stock")
    allocation = shipped(shop.reserve((sku, 7)))
    assert sum(units[sku] for units in allocation.values()) == 7
    assert all(units[sku] <= {one: 4, two: 5}[name] for name, units in allocation.items())


def test_a_partial_order_takes_what_there_is_and_says_what_it_lacks(shop: Shop) -> None:
    """Only if it asked for that; and of nothing at all, nothing is an order."""
    warehouse = shop.warehouse()
    some, none = shop.sku("A", on_hand={warehouse: 2}), shop.sku("B")
    lines = ((some, 5), (none, 1))
    shop.post(shop.order(*lines)).problem(409, "insufficient-stock")
    allocation = shop.reserve(*lines, allow_partial=True)
    assert shipped(allocation) == {warehouse: {some: 2}}
    assert allocation["unfilled"] == [{"sku": some, "quantity": 3}, {"sku": none, "quantity": 1}]
    shop.post(shop.order(*lines, allow_partial=True)).problem(409, "insufficient-stock")


def test_what_a_customer_collects_comes_from_there_and_travels_nowhere(shop: Shop) -> None:
    """Though it costs more there, and though another has stock when this one is empty."""
    corner, cheap = shop.warehouse("corner", lat=-50.0), shop.warehouse("cheap", fixed_cost=0)
    sku = shop.sku(on_hand={corner: 1, cheap: 9})
    allocation = shop.reserve((sku, 1), pickup_at=corner)
    assert shipped(allocation) == {corner: {sku: 1}}
    assert allocation["shipments"][0]["distance_km"] == 0
    assert allocation["cost"] == FIXED_COST + UNIT_COST
    found = shop.post(shop.order((sku, 1), pickup_at=corner)).problem(409, "insufficient-stock")
    assert found["shortages"] == [{"sku": sku, "requested": 1, "available": 0}]
    answer = shop.post(shop.order((sku, 1), pickup_at=corner, warehouses=[cheap]))
    answer.problem(422, "invalid-order")
    assert answer.pointers() == ["/pickup_at"]


def test_only_the_warehouses_that_an_order_names_serve_it(shop: Shop) -> None:
    """A marketplace may have to be served from its own bonded warehouse."""
    cheap, bonded = shop.warehouse("cheap", fixed_cost=0), shop.warehouse("bonded", fixed_cost=9_000)
    sku = shop.sku(on_hand={cheap: 9, bonded: 1})
    assert shipped(shop.reserve((sku, 1), warehouses=[bonded])) == {bonded: {sku: 1}}
    found = shop.post(shop.order((sku, 1), warehouses=[bonded])).problem(409, "insufficient-stock")
    assert found["shortages"] == [{"sku": sku, "requested": 1, "available": 0}]


def test_a_disabled_warehouse_ships_nothing(shop: Shop) -> None:
    """Its stock stays in the books; the switch works both ways."""
    open_, closed = shop.warehouse("open"), shop.warehouse("closed", fixed_cost=0, enabled=False)
    sku = shop.sku(on_hand={open_: 1, closed: 9})
    assert shipped(shop.reserve((sku, 1))) == {open_: {sku: 1}}
    found = shop.post(shop.order((sku, 1))).problem(409, "insufficient-stock")
    assert found["shortages"][0]["available"] == 0
    shop.post(shop.order((sku, 1), pickup_at=closed)).problem(409, "insufficient-stock")
    assert shop.cell(sku, closed)["on_hand"] == 9
    shop.warehouse("closed", fixed_cost=0, enabled=True)
    assert shipped(shop.reserve((sku, 1))) == {closed: {sku: 1}}


@pytest.mark.usefixtures("door")
class TestQuotes:
    """POST /v1/quotes."""

    def test_a_quote_is_what_the_order_then_gets(self, shop: Shop) -> None:
        """Else nobody could show a price before the purchase."""
        one, two = shop.warehouse("1"), shop.warehouse("2", lat=33.0)
        sku, other = shop.sku("A", on_hand={one: 2, two: 9}), shop.sku("B", on_hand={two: 1})
        order = shop.order((sku, 3), (other, 1))
        quoted = shop.door.call("POST", "/v1/quotes", order)
        assert quoted.status == 200
        reserved = shop.post(order).json
        for member in ("order_id", "shipments", "unfilled", "cost", "currency"):
            assert quoted.json[member] == reserved[member]

    def test_a_quote_holds_nothing(self, shop: Shop) -> None:
        """A page view must not take stock, nor the id."""
        warehouse = shop.warehouse()
        sku = shop.sku(on_hand={warehouse: 1}, purchase_limit=1)
        order = shop.order((sku, 1), customer="ann", payment="pending")
        for _ in range(3):
            assert shop.door.call("POST", "/v1/quotes", order).status == 200
        assert shop.cell(sku, warehouse)["reserved"] == 0
        shop.door.call("GET", f"/v1/orders/{order['order_id']}").problem(404, "not-found")
        assert shop.post(order).status == 201

    def test_a_quote_says_of_every_warehouse_why_it_won_or_lost(self, shop: Shop) -> None:
        """Planners trust what they can follow: each warehouse has its costs or what keeps it out."""
        used, dear, empty = shop.warehouse("used"), shop.warehouse("dear", fixed_cost=9_000), shop.warehouse("empty")
        closed, barred = shop.warehouse("closed", enabled=False), shop.warehouse("barred")
        sku = shop.sku(on_hand=dict.fromkeys((used, dear, closed, barred), 9))
        order = shop.order((sku, 2), warehouses=[used, dear, empty, closed])
        quoted = shop.door.call("POST", "/v1/quotes", order).json
        rows = {row["warehouse"]: row for row in quoted["explanation"]["warehouses"]}
        assert rows.keys() == {row["id"] for row in shop.door.call("GET", "/v1/warehouses").json}
        assert [name for name, row in rows.items() if row["used"]] == [used]
        assert rows[used]["cost"]["total"] == quoted["cost"]
        assert rows[dear]["cost"]["total"] > quoted["cost"]
        assert rows[empty]["short"] == [{"sku": sku, "requested": 2, "available": 0}]
        assert rows[closed]["excluded"] == "the warehouse is disabled"
        assert rows[barred]["excluded"] == "the order does not allow it"
        assert quoted["explanation"]["proven"] is True

    def test_a_quote_that_cannot_be_filled_says_what_is_short_and_why(self, shop: Shop) -> None:
        """The same refusal as the order's, with the explanation."""
        sku = shop.sku(on_hand={shop.warehouse(): 1})
        found = shop.door.call("POST", "/v1/quotes", shop.order((sku, 2))).problem(409, "insufficient-stock")
        assert found["shortages"] == [{"sku": sku, "requested": 2, "available": 1}]
        assert found["explanation"]["warehouses"]


def test_a_refusal_for_capacity_says_so(shop: Shop) -> None:
    """The stock is there, and tomorrow it can be had: that is another answer than sold out, to a quote, too."""
    busy = shop.warehouse(capacity_orders_per_day=1)
    sku = shop.sku(on_hand={busy: 9})
    assert shop.post(shop.order((sku, 1))).status == 201
    for found in (
        shop.post(shop.order((sku, 2))).problem(409, "insufficient-stock"),
        shop.door.call("POST", "/v1/quotes", shop.order((sku, 2))).problem(409, "insufficient-stock"),
    ):
        assert "at capacity" in found["detail"]
        assert found["shortages"] == [{"sku": sku, "requested": 2, "available": 0}]
