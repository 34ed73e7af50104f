"""Bundles, substitutes and orders that wait over HTTP: what is defined and answered, to a retry the same."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from engine.model import Allocation
from tests.api.conftest import Answer, Shop

Case = tuple[Shop, dict[str, Any]]


def kit(shop: Shop, *, x: int, y: int) -> str:
    """A bundle of one X and two Y, of which there are so many."""
    warehouse = shop.warehouse()
    parts = {"X": shop.sku("X", on_hand={warehouse: x}), "Y": shop.sku("Y", on_hand={warehouse: y})}
    return shop.sku("KIT", components=[{"sku": parts["X"], "quantity": 1}, {"sku": parts["Y"], "quantity": 2}])


def same_again(shop: Shop, order: dict[str, Any]) -> Answer:
    """An order that is taken, and that is answered with the same bytes when it comes again, or is looked at."""
    first, again = shop.post(order), shop.post(order)
    assert (first.status, again.status) == (201, 200), first.body
    assert again.headers["Idempotent-Replayed"] == "true"
    assert first.body == again.body == shop.door.call("GET", f"/v1/orders/{order['order_id']}").body
    assert msgspec.json.encode(msgspec.json.decode(first.body, type=Allocation)) == first.body
    return first


def test_a_bundle_is_sold_by_its_components(shop: Shop) -> None:
    """Its name is what was ordered; what ships are its components, and both are told."""
    name = kit(shop, x=2, y=5)
    sold = same_again(shop, shop.order((name, 2))).json
    x, y = f"{shop.name}-X", f"{shop.name}-Y"
    of_it = [{"sku": x, "quantity": 2}, {"sku": y, "quantity": 4}]
    assert sold["bundles"] == [{"sku": name, "quantity": 2, "components": of_it}]
    assert [line for shipment in sold["shipments"] for line in shipment["lines"]] == of_it
    short = shop.post(shop.order((name, 1))).problem(409, "insufficient-stock")
    assert short["shortages"] == [
        {"sku": x, "requested": 1, "available": 0},
        {"sku": y, "requested": 2, "available": 1},
    ]


def test_a_bundle_weighs_what_its_components_weigh(shop: Shop) -> None:
    """It costs to ship what they cost."""
    warehouse = shop.warehouse()
    parts = [shop.sku(name, on_hand={warehouse: 9}, weight_g=700) for name in ("P", "Q")]
    name = shop.sku("SET", components=[{"sku": part, "quantity": 1} for part in parts])
    whole = shop.reserve((name, 1))
    assert whole["cost"] == shop.reserve((parts[0], 1), (parts[1], 1))["cost"]


@pytest.mark.parametrize(
    ("definition", "pointer"),
    [
        ({"components": [{"sku": "{kit}", "quantity": 1}]}, "/components/0/sku"),
        ({"components": [{"sku": "{self}", "quantity": 1}]}, "/components/0/sku"),
        ({"components": [{"sku": "ghost", "quantity": 1}]}, "/components/0/sku"),
        ({"components": [{"sku": "{x}", "quantity": 0}]}, "/components/0/quantity"),
        ({"components": [{"sku": "{x}", "quantity": 1, "price": 1}]}, "/components/0/price"),
        ({"components": [{"sku": "{x}", "quantity": 1}], "weight_g": 1}, "/weight_g"),
        ({"substitutes": ["{kit}"]}, "/substitutes/0"),
        ({"substitutes": ["a", "b", "c", "d", "e", "f", "g", "h", "i"]}, "/substitutes"),
    ],
)
def test_a_strange_definition_is_refused_where_it_is_strange(
    shop: Shop, definition: dict[str, Any], pointer: str
) -> None:
    """Nested, of itself, of nothing: 422 that points there, and the SKU stays as it was."""
    names = {"{kit}": kit(shop, x=1, y=1), "{x}": f"{shop.name}-X", "{self}": f"{shop.name}-S"}
    body = msgspec.json.encode(definition).decode()
    for mark, name in names.items():
        body = body.replace(mark, name)
    path = f"/v1/skus/{shop.name}-S"
    answer = shop.door.call("PUT", path, body.encode())
    assert answer.status == 422, answer.body
    assert answer.pointers() == [pointer]
    assert shop.door.call("GET", path).status == 404


def test_a_bundle_has_no_stock_to_count(shop: Shop) -> None:
    """Neither counted nor moved."""
    name = kit(shop, x=1, y=1)
    row = {"sku": name, "warehouse": f"{shop.name}-W", "on_hand": 1}
    assert shop.door.call("PUT", "/v1/stock", [row]).pointers() == ["/0/sku"]


def test_substitutes_come_only_with_leave(shop: Shop) -> None:
    """And for no more than is lacking."""
    warehouse = shop.warehouse()
    other = shop.sku("OTHER", on_hand={warehouse: 9})
    name = shop.sku("GONE", on_hand={warehouse: 1}, substitutes=[other])
    shop.post(shop.order((name, 3))).problem(409, "insufficient-stock")
    quote = shop.door.call("POST", "/v1/quotes", shop.order((name, 3), allow_substitutes=True)).json
    sold = same_again(shop, shop.order((name, 3), allow_substitutes=True)).json
    assert sold["substitutions"] == quote["substitutions"] == [{"sku": name, "by": other, "quantity": 2}]
    assert sold["unfilled"] == []


def test_an_order_that_waits_is_accepted_and_tells_until_when(shop: Shop) -> None:
    """It can be cancelled and amended; whatever needs stock is refused with the state that was found."""
    warehouse = shop.warehouse()
    name = shop.sku(on_hand={warehouse: 1})
    arrives = datetime.now(UTC) + timedelta(days=2)
    row = {"sku": name, "warehouse": warehouse, "quantity": 5, "arrives_at": arrives.isoformat()}
    inbound = {"movement_id": f"{shop.name}-in", "type": "inbound", "rows": [row]}
    assert shop.door.call("POST", "/v1/stock/movements", inbound).status in (200, 201)
    order = shop.order((name, 3), allow_backorder=True, payment="pending")
    quote = shop.door.call("POST", "/v1/quotes", order)
    assert (quote.status, quote.json["status"]) == (200, "backordered")
    waits = same_again(shop, order).json
    assert (waits["status"], waits["shipments"], waits["cost"]) == ("backordered", [], 0)
    assert (waits["expected_on"], waits["unfilled"]) == (
        arrives.date().isoformat(),
        [{"sku": name, "quantity": 3}],
    )
    path = f"/v1/orders/{order['order_id']}"
    for what, body in (
        ("confirm", {}),
        ("extend", {"transition_id": "t", "hold_seconds": 60}),
        ("ship", {"transition_id": "t"}),
        ("split", {"transition_id": "t", "into": f"{order['order_id']}/2", "lines": order["lines"]}),
    ):
        found = shop.door.call("POST", f"{path}/{what}", body).problem(409, "invalid-state")
        assert "backordered" in found["detail"], what
    again = {"transition_id": "a", "lines": order["lines"]}
    assert shop.door.call("POST", f"{path}/amend", again).json["status"] == "backordered"
    fewer = {"transition_id": "b", "lines": [{"sku": name, "quantity": 1}]}
    got = shop.door.call("POST", f"{path}/amend", fewer).json
    assert (got["status"], "expires_at" in got, got["version"]) == ("reserved", True, 3)
    assert shop.door.call("POST", f"{path}/cancel").json["status"] == "released"
    assert shop.cell(name, warehouse)["reserved"] == 0


def test_an_order_waits_as_a_whole_or_takes_a_part(shop: Shop) -> None:
    """Not both."""
    order = shop.order((shop.sku(), 1), allow_backorder=True, allow_partial=True)
    answer = shop.post(order)
    answer.problem(422, "invalid-order")
    assert answer.pointers() == ["/allow_backorder"]
