"""POST of changes to an order: what each answers, that each has one effect, and what each refusal says."""

from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from engine.model import Allocation, allocation
from tests.api.conftest import Answer, Shop

STEPS = ("confirm", "cancel", "extend", "ship", "split", "amend")


def change(shop: Shop, order_id: str, what: str, body: Any = None) -> Answer:
    """POST /v1/orders/{id}/{what}."""
    return shop.door.call("POST", f"/v1/orders/{quote(order_id, safe='')}/{what}", body)


def done(answer: Answer, *, replayed: bool = False) -> Allocation:
    """The Allocation of a change that must be done."""
    assert answer.status == 200, answer.body
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Idempotent-Replayed"] == ("true" if replayed else None)
    return msgspec.json.decode(answer.body, type=Allocation)


def body_of(what: str, sku: str, order_id: str) -> dict[str, Any]:
    """A decent body of a change."""
    lines = [{"sku": sku, "quantity": 1}]
    return {
        "confirm": {},
        "cancel": {},
        "extend": {"transition_id": "t", "hold_seconds": 60},
        "ship": {"transition_id": "t"},
        "split": {"transition_id": "t", "into": f"{order_id}/2", "lines": lines},
        "amend": {"transition_id": "t", "lines": lines},
    }[what]


@pytest.mark.parametrize("order_id", ["plain", "a/b", "100%", "订单 7", "confirm"])
def test_an_order_goes_its_way_whatever_its_id(shop: Shop, order_id: str) -> None:
    """Held, extended, amended, confirmed, split, shipped in parts; the answers are what GET then says."""
    warehouse = shop.warehouse()
    sku, order_id = shop.sku(on_hand={warehouse: 10}), f"{shop.name} {order_id}"
    shop.reserve((sku, 4), order_id=order_id, payment="pending")
    held = done(change(shop, order_id, "extend", {"transition_id": "e", "hold_seconds": 5000}))
    assert (held.status, held.version) == ("reserved", 2)
    amended = done(change(shop, order_id, "amend", {"transition_id": "a", "lines": [{"sku": sku, "quantity": 6}]}))
    assert amended.shipments[0].lines == (allocation.AllocationLine(sku=sku, quantity=6),)
    assert done(change(shop, order_id, "confirm", {"transition_id": "c", "version": 3})).status == "confirmed"
    into = f"{order_id}/late"
    split = {"transition_id": "p", "into": into, "lines": [{"sku": sku, "quantity": 1, "warehouse": warehouse}]}
    answer = change(shop, order_id, "split", split)
    assert done(answer).shipments[0].lines[0].quantity == 5
    child = shop.door.call("GET", answer.headers["Location"])
    assert (child.json["order_id"], child.json["shipments"][0]["lines"][0]["quantity"]) == (into, 1)
    part = {"transition_id": "s1", "lines": [{"sku": sku, "quantity": 2}]}
    shipped = done(change(shop, order_id, "ship", part))
    assert (shipped.status, shipped.shipments[0].shipped[0].quantity) == ("partially_shipped", 2)
    assert done(change(shop, order_id, "ship", part), replayed=True) == shipped
    assert done(change(shop, order_id, "ship", {"transition_id": "s2"})).status == "shipped"
    assert done(change(shop, into, "cancel")).status == "released"
    cell = shop.cell(sku, warehouse)
    assert (cell["on_hand"], cell["reserved"], cell["available"]) == (5, 0, 5)


@pytest.mark.parametrize("body", [None, b"", {}])
def test_what_needs_no_field_needs_no_body(shop: Shop, body: Any) -> None:
    """And the second time it is told that it was done before."""
    order = shop.reserve((shop.sku(on_hand={shop.warehouse(): 1}), 1), payment="pending")
    for what in ("confirm", "cancel"):
        first = done(change(shop, order["order_id"], what, body))
        assert done(change(shop, order["order_id"], what, body), replayed=True) == first


@pytest.mark.parametrize("what", STEPS)
@pytest.mark.usefixtures("unchanged")
def test_an_order_that_is_not_there_is_told(shop: Shop, what: str) -> None:
    """For every change alike."""
    change(shop, "nobody", what, body_of(what, "s", "nobody")).problem(404, "not-found")


@pytest.mark.parametrize("what", sorted(set(STEPS) - {"cancel"}))
def test_what_the_state_forbids_is_told_with_the_state(shop: Shop, what: str) -> None:
    """So that the caller sees what happened to the order."""
    sku = shop.sku(on_hand={shop.warehouse(): 1})
    order = shop.reserve((sku, 1))
    done(change(shop, order["order_id"], "cancel"))
    found = change(shop, order["order_id"], what, body_of(what, sku, order["order_id"])).problem(409, "invalid-state")
    assert (found["order_status"], found["order_version"]) == ("released", 2)


@pytest.mark.parametrize("what", STEPS)
def test_a_version_that_differs_is_told_with_the_one_found(shop: Shop, what: str) -> None:
    """For every change alike."""
    sku = shop.sku(on_hand={shop.warehouse(): 2})
    order = shop.reserve((sku, 2), payment="pending")
    body = body_of(what, sku, order["order_id"]) | {"version": 9}
    found = change(shop, order["order_id"], what, body).problem(409, "version-conflict")
    assert (found["order_status"], found["order_version"]) == ("reserved", 1)


def test_refusals_of_stock_and_limits_are_those_of_an_order(shop: Shop) -> None:
    """And change nothing."""
    warehouse = shop.warehouse()
    sku, few = shop.sku(on_hand={warehouse: 3}), shop.sku("B", on_hand={warehouse: 9}, purchase_limit=2)
    order = shop.reserve((sku, 1))
    more = {"transition_id": "t", "lines": [{"sku": sku, "quantity": 4}]}
    found = change(shop, order["order_id"], "amend", more).problem(409, "insufficient-stock")
    assert found["shortages"] == [{"sku": sku, "requested": 4, "available": 3}]
    more["lines"] = [{"sku": few, "quantity": 3}]
    change(shop, order["order_id"], "amend", more).problem(409, "purchase-limit")
    assert shop.cell(sku, warehouse)["reserved"] == 1


def test_ids_that_are_taken_are_told(shop: Shop) -> None:
    """Of a transition, and of an order that is to be split off."""
    sku = shop.sku(on_hand={shop.warehouse(): 5})
    order_id = shop.reserve((sku, 4))["order_id"]
    first = {"transition_id": "t", "into": f"{order_id}/2", "lines": [{"sku": sku, "quantity": 1}]}
    done(change(shop, order_id, "split", first))
    done(change(shop, order_id, "split", first), replayed=True)
    other = first | {"lines": [{"sku": sku, "quantity": 2}]}
    change(shop, order_id, "split", other).problem(422, "transition-conflict")
    change(shop, order_id, "split", other | {"transition_id": "u"}).problem(422, "order-conflict")


def test_wrong_bodies_are_pointed_at(shop: Shop) -> None:
    """With a pointer to each field; nothing is done."""
    sku = shop.sku(on_hand={shop.warehouse(): 5})
    order_id = shop.reserve((sku, 2))["order_id"]
    lines = [{"sku": sku, "quantity": 1}]
    for what, body, pointer in (
        ("confirm", {"transition_id": ""}, "/transition_id"),
        ("confirm", {"transition_id": " a"}, "/transition_id"),
        ("cancel", {"version": 0}, "/version"),
        ("cancel", {"why": "x"}, "/why"),
        ("extend", {"transition_id": "t"}, "/hold_seconds"),
        ("extend", {"transition_id": "t", "hold_seconds": 0}, "/hold_seconds"),
        ("ship", {}, "/transition_id"),
        ("ship", None, "/transition_id"),
        ("ship", {"transition_id": "t", "lines": []}, "/lines"),
        ("ship", {"transition_id": "t", "lines": [{"sku": sku, "quantity": 0}]}, "/lines/0/quantity"),
        ("ship", {"transition_id": "t", "lines": [{"sku": sku, "quantity": 3}]}, "/lines/0/quantity"),
        ("ship", {"transition_id": "t", "lines": [{"sku": "?", "quantity": 1}]}, "/lines/0/sku"),
        ("split", {"transition_id": "t", "lines": lines}, "/into"),
        ("split", {"transition_id": "t", "lines": lines, "into": "else/where"}, "/into"),
        ("split", {"transition_id": "t", "lines": [{"sku": sku, "quantity": 2}], "into": f"{order_id}/2"}, "/lines"),
        ("amend", {"transition_id": "t"}, "/lines"),
        ("amend", {"transition_id": "t", "lines": [{"sku": "?", "quantity": 1}]}, "/lines/0/sku"),
    ):
        answer = change(shop, order_id, what, body)
        answer.problem(422, "invalid-request")
        assert answer.pointers() == [pointer], (what, body)
    change(shop, order_id, "ship", b"{").problem(400, "broken-json")
    assert shop.door.call("GET", f"/v1/orders/{order_id}").json["version"] == 1
    shop.door.call("GET", f"/v1/orders/{order_id}/ship").problem(405, "method-not-allowed")


def test_changes_sent_at_once_have_one_effect(shop: Shop) -> None:
    """Confirmed or cancelled, never both."""
    warehouse = shop.warehouse()
    sku = shop.sku(on_hand={warehouse: 5})
    order_id = shop.reserve((sku, 5), payment="pending")["order_id"]
    calls = [("POST", f"/v1/orders/{order_id}/{what}", None) for what in ("confirm", "cancel") * 4]
    answers = shop.door.call_at_once(calls)
    last = shop.door.call("GET", f"/v1/orders/{order_id}").json
    cell = shop.cell(sku, warehouse)
    assert (last["status"], cell["reserved"]) in (("confirmed", 5), ("released", 0))
    assert {answer.status for answer in answers} <= {200, 409}
