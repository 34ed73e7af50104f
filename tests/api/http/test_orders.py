"""POST and GET of orders: what the answers carry, and what each refusal says."""

from datetime import UTC, datetime, timedelta
from time import monotonic, sleep
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from engine.model import Allocation, allocation
from tests.api.conftest import Door, Shop

EXPIRY_WAIT_S = 5.0

STRANGE_IDS = [
    "a/b",
    "//",
    "..",
    "two words",
    "100%",
    "a%2Fb",
    "%zz",
    "what?#now",
    "a+b;c:d@e",
    'say "no" \\ twice',
    "<b>&amp;",
    "订单-7",
    "Größe",
    "e\u0301",
    "\U0001f600",
    "x" * 128,
    "\u8ba2" * 128,
]


def strict(shape: Any) -> Any:
    """The Struct again, one that lets no unknown field pass, all the way down."""
    if isinstance(shape, type) and issubclass(shape, msgspec.Struct):
        fields = [(field.encode_name, strict(field.type), field.default) for field in msgspec.structs.fields(shape)]
        required = [(name, type_) for name, type_, default in fields if default is msgspec.NODEFAULT]
        optional = [row for row in fields if row[2] is not msgspec.NODEFAULT]
        return msgspec.defstruct(
            f"Strict{shape.__name__}",
            required + optional,
            kw_only=True,
            forbid_unknown_fields=True,
            omit_defaults=shape.__struct_config__.omit_defaults,
        )
    if getattr(shape, "__origin__", None) is tuple:
        return tuple[strict(shape.__args__[0]), ...]
    return shape


def test_the_strict_shape_is_strict() -> None:
    """A proof by a decoder that lets everything pass would prove nothing."""
    good = msgspec.json.decode(
        b'{"order_id":"o","status":"reserved","version":1,"shipments":[{"warehouse":"W","lines":[],"cost":1,'
        b'"distance_km":1.5}],"unfilled":[],"cost":1,"currency":"CNY"}'
    )
    msgspec.convert(good, strict(Allocation))
    good["shipments"][0]["colour"] = "red"
    with pytest.raises(msgspec.ValidationError, match=r"colour.*shipments"):
        msgspec.convert(good, strict(Allocation))


@pytest.mark.parametrize("kind", ["paid", "cod", "pending", "split", "partial", "expired"])
def test_an_allocation_has_exactly_the_shape_of_the_model(shop: Shop, kind: str) -> None:
    """Rust writes this JSON by hand; the model is what clients and the Python interface read it with."""
    near, far = shop.warehouse("near"), shop.warehouse("far", lat=40.0)
    sku = shop.sku(on_hand={near: 2, far: 2})
    quantity = {"split": 3, "partial": 9}.get(kind, 1)
    payment = {"expired": "pending", "split": "paid", "partial": "pending"}.get(kind, kind)
    order = shop.order((sku, quantity), payment=payment, allow_partial=kind == "partial")
    if kind == "expired":
        order["hold_seconds"] = 1
    answer = shop.post(order)
    assert answer.status == 201
    body = wait_until_expired(shop, order["order_id"]) if kind == "expired" else answer.body
    decoded = msgspec.json.decode(body, type=strict(Allocation))
    assert msgspec.json.decode(msgspec.json.encode(decoded)) == msgspec.json.decode(body)
    assert decoded.status in allocation.Status.__args__
    assert (decoded.expires_at is not None) == (payment == "pending" and kind != "expired")


def wait_until_expired(shop: Shop, order_id: str) -> bytes:
    """The order's Allocation as soon as its hold has ended."""
    deadline = monotonic() + EXPIRY_WAIT_S
    while (answer := shop.door.call("GET", f"/v1/orders/{order_id}")).json["status"] != "expired":
        assert monotonic() < deadline, "the hold did not end"
        sleep(0.05)
    return answer.body


def test_a_new_order_is_created_where_location_says(shop: Shop) -> None:
    """RFC 9110, 15.3.2: a 201 names what it created."""
    warehouse = shop.warehouse()
    sku = shop.sku(on_hand={warehouse: 5})
    answer = shop.post(shop.order((sku, 2)))
    assert (answer.status, answer.headers["Content-Type"]) == (201, "application/json")
    assert answer.json["status"] == "confirmed"
    found = shop.door.call("GET", answer.headers["Location"])
    assert (found.status, found.body) == (200, answer.body)
    assert shop.cell(sku, warehouse)["available"] == 3


@pytest.mark.parametrize("order_id", STRANGE_IDS)
def test_any_printable_order_id_survives_its_way_through_paths(shop: Shop, order_id: str) -> None:
    """Marketplaces choose the ids; a slash or an umlaut must not make an order unreachable."""
    sku = shop.sku(on_hand={shop.warehouse(): 1})
    answer = shop.post(shop.order((sku, 1), order_id=order_id))
    assert answer.status == 201
    assert answer.json["order_id"] == order_id
    for path in (answer.headers["Location"], f"/v1/orders/{quote(order_id, safe='')}"):
        assert shop.door.call("GET", path).json == answer.json


def test_two_lines_of_one_sku_are_one(shop: Shop) -> None:
    """Checked line by line, two halves of too much would pass."""
    sku = shop.sku(on_hand={shop.warehouse(): 5})
    found = shop.post(shop.order((sku, 3), (sku, 3))).problem(409, "insufficient-stock")
    assert found["shortages"] == [{"sku": sku, "requested": 6, "available": 5}]
    assert shop.reserve((sku, 2), (sku, 3))["shipments"][0]["lines"] == [{"sku": sku, "quantity": 5}]


def test_a_shortage_names_every_sku_that_is_short(shop: Shop) -> None:
    """A cart is mended in one go, and an order holds all of its lines or none."""
    one, two = shop.warehouse("1"), shop.warehouse("2")
    plenty, few, none = shop.sku("A", on_hand={one: 9}), shop.sku("B", on_hand={one: 1, two: 1}), shop.sku("C")
    found = shop.post(shop.order((plenty, 2), (few, 3), (none, 1))).problem(409, "insufficient-stock")
    assert found["shortages"] == [
        {"sku": few, "requested": 3, "available": 2},
        {"sku": none, "requested": 1, "available": 0},
    ]
    assert [shop.cell(plenty, one)["reserved"], shop.cell(few, one)["reserved"]] == [0, 0]


def test_a_purchase_limit_holds_over_all_orders_of_a_customer(shop: Shop) -> None:
    """Three per customer are three, in however many orders; another customer has three of their own."""
    warehouse = shop.warehouse()
    sku = shop.sku(on_hand={warehouse: 100}, purchase_limit=3)
    shop.reserve((sku, 2), customer="ann")
    found = shop.post(shop.order((sku, 2), customer="ann")).problem(409, "purchase-limit")
    assert found["exceeded"] == [{"sku": sku, "requested": 2, "limit": 3, "remaining": 1}]
    shop.reserve((sku, 1), customer="ann")
    shop.reserve((sku, 3), customer="bob")
    assert shop.cell(sku, warehouse)["reserved"] == 6


def test_a_purchase_limit_holds_an_order_without_a_customer_by_itself(shop: Shop) -> None:
    """A guest has no history, but one cart is one cart."""
    sku = shop.sku(on_hand={shop.warehouse(): 100}, purchase_limit=3)
    found = shop.post(shop.order((sku, 2), (sku, 2))).problem(409, "purchase-limit")
    assert found["exceeded"] == [{"sku": sku, "requested": 4, "limit": 3, "remaining": 3}]
    shop.reserve((sku, 3))
    shop.reserve((sku, 3))


def test_an_unpaid_hold_ends_and_gives_its_stock_and_its_limit_back(shop: Shop) -> None:
    """Stock that abandoned carts keep is stock that nobody can buy."""
    warehouse = shop.warehouse()
    sku = shop.sku(on_hand={warehouse: 2}, purchase_limit=2)
    order = shop.order((sku, 2), customer="ann", payment="pending", hold_seconds=1)
    held = shop.post(order).json
    ends = datetime.fromisoformat(held["expires_at"])
    assert held["status"] == "reserved"
    assert abs(ends - datetime.now(UTC) - timedelta(seconds=1)) < timedelta(seconds=1)
    assert shop.cell(sku, warehouse)["available"] == 0
    ended = msgspec.json.decode(wait_until_expired(shop, order["order_id"]))
    assert datetime.now(UTC) >= ends
    assert ended["version"] > held["version"]
    assert shop.cell(sku, warehouse)["available"] == 2
    shop.reserve((sku, 2), customer="ann")


def test_a_pending_order_holds_for_a_quarter_of_an_hour_if_it_does_not_say(shop: Shop) -> None:
    """Long enough to pay."""
    sku = shop.sku(on_hand={shop.warehouse(): 1})
    ends = datetime.fromisoformat(shop.reserve((sku, 1), payment="pending")["expires_at"])
    assert abs(ends - datetime.now(UTC) - timedelta(minutes=15)) < timedelta(seconds=5)


def test_an_order_is_told_of_no_other(door: Door) -> None:
    """A 404 that looked like an answer would be taken for one."""
    found = door.call("GET", "/v1/orders/nobody%2Fordered%20this").problem(404, "not-found")
    assert "nobody/ordered this" in found["detail"]
