"""Orders to a place where no carrier goes: a problem of its own, at every door; and never an order that waits."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.conftest import Door, Shop, run
from tests.conftest import Service

ZONES = [{"zone": "near", "max_km": 500, "countries": ["CN"], "base": 300}, {"zone": "isle", "countries": ["NZ"]}]
NEAR = {"lat": 31.0, "lon": 121.0, "country": "CN"}
NOWHERE = {"lat": 48.9, "lon": 2.4, "country": "FR"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with a tariff of its own; AWAY is too far from NEAR for its carrier."""
    service = Service(tmp_path_factory.mktemp("carriers") / "store")
    service.start()
    door = Door(service.url)
    door.put("/v1/tariff", {"carriers": [{"carrier": "post", "zones": ZONES}]})
    shop = Shop(door, "N")
    shop.warehouse("HERE", lat=30.0)
    shop.warehouse("AWAY", lat=-20.0)
    shop.sku("A", on_hand={"N-HERE": 9, "N-AWAY": 9})
    shop.sku("B", on_hand={"N-HERE": 1, "N-AWAY": 9})
    shop.sku("GONE")
    yield service
    service.stop()


@pytest.fixture
def shop(service: Service) -> Shop:
    """The shop on it; its orders have ids of their own."""
    return _shops.setdefault(service.url, Shop(Door(service.url), "N"))


_shops: dict[str, Shop] = {}


@pytest.mark.parametrize("path", ["/v1/orders", "/v1/quotes"])
@pytest.mark.parametrize("more", [{}, {"allow_backorder": True}, {"allow_partial": True}, {"allow_substitutes": True}])
def test_where_no_carrier_goes_nothing_is_delivered_whatever_is_there(
    shop: Shop, path: str, more: dict[str, Any]
) -> None:
    """It points at the place; neither the stock nor a wait would help."""
    for sku in ("N-A", "N-GONE"):
        answer = shop.door.call("POST", path, shop.order((sku, 1), ship_to=NOWHERE, **more))
        found = answer.problem(422, "not-deliverable")
        assert answer.pointers() == ["/ship_to"]
        assert found["undeliverable"] == []
        assert "shortages" not in found
        assert "No carrier of the tariff goes to this place" in found["detail"]
        assert "from any warehouse that may serve it" in found["detail"]
    if path == "/v1/quotes":
        rules = {row["warehouse"]: row["rule"] for row in found["explanation"]["warehouses"]}
        assert rules == {"N-HERE": "carrier", "N-AWAY": "carrier"}


def test_what_is_only_where_no_carrier_goes_from_is_named(shop: Shop) -> None:
    """With what would be deliverable of it; what is sold out everywhere is a shortage as ever."""
    for path in ("/v1/orders", "/v1/quotes"):
        order = shop.order(("N-A", 2), ("N-B", 4), ship_to=NEAR)
        found = shop.door.call("POST", path, order).problem(422, "not-deliverable")
        assert found["undeliverable"] == [{"sku": "N-B", "requested": 4, "deliverable": 1}]
        assert "N-B (4 wanted, 1 deliverable)" in found["detail"]
    found = shop.post(shop.order(("N-A", 99), ("N-B", 4), ship_to=NEAR)).problem(409, "insufficient-stock")
    assert found["shortages"] == [{"sku": "N-A", "requested": 99, "available": 9}]
    assert shop.post(shop.order(("N-A", 1), ship_to=NEAR)).status == 201


def test_an_order_waits_for_stock_where_a_carrier_goes_from(shop: Shop) -> None:
    """Some may come there; where none could ever be sent from, it does not wait."""
    waits = shop.post(shop.order(("N-B", 4), ship_to=NEAR, allow_backorder=True))
    assert (waits.status, waits.json["status"]) == (201, "backordered")
    away = shop.order(("N-B", 4), ship_to=NEAR, allow_backorder=True, warehouses=["N-AWAY"])
    shop.post(away).problem(422, "not-deliverable")


def test_a_retry_of_what_was_reserved_is_a_replay_though_no_carrier_goes_there_any_more(shop: Shop) -> None:
    """The tariff changed after it: what is held is held."""
    order = shop.order(("N-A", 1), ship_to=NEAR)
    first = shop.post(order)
    assert first.status == 201
    try:
        shop.door.put("/v1/tariff", {"carriers": [{"carrier": "post", "zones": ZONES[1:]}]})
        again = shop.post(order)
        assert (again.status, again.json) == (200, first.json)
        shop.post(shop.order(("N-A", 1), ship_to=NEAR)).problem(422, "not-deliverable")
        amended = {"lines": [{"sku": "N-A", "quantity": 2}], "transition_id": "t"}
        answer = shop.door.call("POST", f"/v1/orders/{order['order_id']}/amend", amended)
        answer.problem(422, "not-deliverable")
        assert answer.pointers() == ["/lines"]
        assert "Nothing was changed." in answer.json["detail"]
    finally:
        shop.door.put("/v1/tariff", {"carriers": [{"carrier": "post", "zones": ZONES}]})


def test_the_command_line_says_it_too(service: Service, shop: Shop) -> None:
    """With exit code 1, in words and for machines."""
    for ship_to, said in (
        (NOWHERE, "No carrier of the tariff goes to this place"),
        (NEAR, "from where the stock is of N-B (4 wanted, 1 deliverable)"),
    ):
        given = json.dumps(shop.order(("N-B", 4), ship_to=ship_to))
        told = run("plan", "-", "--explain", "--data-dir", service.data_dir, given=given)
        assert (told.code, told.err) == (1, "")
        assert said in " ".join(told.out.split())
        assert "shortage" not in told.out
        assert "not enough stock" not in told.out
        machine = run("plan", "-", "--json", "--data-dir", service.data_dir, given=given)
        assert machine.code == 1
        assert "undeliverable" in machine.json
