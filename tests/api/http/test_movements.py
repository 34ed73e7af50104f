"""Movements over HTTP."""

from typing import Any

import pytest

from tests.api.conftest import Answer, Shop


class Stock:
    """A SKU with ten units at one of two warehouses, and movements of it."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.here, self.there = shop.warehouse("here"), shop.warehouse("there")
        self.sku = shop.sku(on_hand={self.here: 10})
        self.other = shop.sku("other", on_hand={self.here: 10})

    def row(self, quantity: int, **fields: Any) -> dict[str, Any]:
        """A row about the SKU, here unless `fields` says so."""
        return {"sku": self.sku, "warehouse": self.here, "quantity": quantity, **fields}

    def move(self, movement_id: str, type_: str, *rows: dict[str, Any], **fields: Any) -> Answer:
        """POST a movement; its id gets the test's name."""
        body = {"movement_id": f"{self.shop.name}-{movement_id}", "type": type_, "rows": rows, **fields}
        return self.shop.door.call("POST", "/v1/stock/movements", body)


@pytest.fixture
def stock(shop: Shop) -> Stock:
    """Stock of one's own."""
    return Stock(shop)


def test_a_transfer_on_its_way(stock: Stock) -> None:
    """What leaves here, is in transit, and can be read there."""
    answer = stock.move("T", "transfer", stock.row(4, to_warehouse=stock.there, arrives_at="2030-01-02T14:00:00+02:00"))
    assert answer.status == 200
    assert "Idempotent-Replayed" not in answer.headers
    found = answer.json
    assert (found["movement_id"], found["type"], found["replayed"], found["rows"]) == (
        f"{stock.shop.name}-T",
        "transfer",
        False,
        1,
    )
    assert found["cells"] == [stock.shop.cell(stock.sku, stock.here), stock.shop.cell(stock.sku, stock.there)]
    assert (found["cells"][0]["on_hand"], found["cells"][1]["inbound"], found["cells"][1]["available"]) == (6, 4, 0)
    assert found["cells"][1]["arrivals"] == [
        {"reference": f"{stock.shop.name}-T", "quantity": 4, "arrives_at": "2030-01-02T12:00:00Z"}
    ]
    stock.shop.post(stock.shop.order((stock.sku, 7))).problem(409, "insufficient-stock")
    received = stock.row(4, warehouse=stock.there, inbound=f"{stock.shop.name}-T")
    assert stock.move("R", "receive", received).json["cells"][0]["on_hand"] == 4
    stock.shop.reserve((stock.sku, 10))


def test_a_movement_sent_again_is_replayed(stock: Stock) -> None:
    """A client whose connection broke sends it again, and learns that it was done."""
    first = stock.move("m", "receive", stock.row(5), reason="delivery 7")
    again = stock.move("m", "receive", stock.row(5), reason="delivery 7")
    assert (again.status, again.headers["Idempotent-Replayed"], again.json["replayed"]) == (200, "true", True)
    assert again.json["cells"] == first.json["cells"]
    stock.move("m", "receive", stock.row(6), reason="delivery 7").problem(422, "movement-conflict")
    assert stock.shop.cell(stock.sku, stock.here)["on_hand"] == 15


def test_compare_and_set_says_what_was_found(stock: Stock) -> None:
    """And changes no other row either."""
    rows = {**stock.row(1), "sku": stock.other}, stock.row(-2, expected_on_hand=9)
    answer = stock.move("m", "adjust", *rows)
    found = answer.problem(409, "expected-on-hand")
    assert found["rows"] == [{"row": 1, "rule": "expected_on_hand", "found": 10}]
    assert answer.pointers() == ["/rows/1/expected_on_hand"]
    assert stock.shop.cell(stock.other, stock.here)["on_hand"] == 10
    assert stock.move("m", "adjust", rows[0], stock.row(-2, expected_on_hand=10)).status == 200


@pytest.mark.parametrize(
    ("type_", "fields", "rule", "found"),
    [
        ("adjust", {"quantity": -8}, "free", 7),
        ("quarantine", {"quantity": 8}, "free", 7),
        ("scrap", {"quantity": 1}, "quarantined", 0),
        ("receive", {"quantity": 1, "inbound": "none"}, "inbound", 0),
    ],
)
def test_what_is_not_there_cannot_be_moved(
    stock: Stock, type_: str, fields: dict[str, Any], rule: str, found: int
) -> None:
    """Three of the ten are promised."""
    stock.shop.reserve((stock.sku, 3))
    answer = stock.move("m", type_, stock.row(1) | fields)
    assert answer.problem(409, "insufficient-stock")["rows"] == [{"row": 0, "rule": rule, "found": found}]
    assert answer.pointers() == ["/rows/0/quantity"]


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    ("fields", "row", "pointer"),
    [
        ({"type": "steal"}, {}, "/type"),
        ({"rows": []}, {}, "/rows"),
        ({"movement_id": " m"}, {}, "/movement_id"),
        ({"movement_id": ""}, {}, "/movement_id"),
        ({}, {"quantity": None}, "/rows/0/quantity"),
        ({}, {"arrives_at": "2030-01-01"}, "/rows/0/arrives_at"),
        ({"type": "inbound"}, {"arrives_at": "2030-01-01T00:00:00"}, "/rows/0/arrives_at"),
        ({}, {"warehouse": "none"}, "/rows/0/warehouse"),
        ({}, {"colour": "red"}, "/rows/0/colour"),
    ],
)
def test_a_movement_that_breaks_rules_is_pointed_at(
    shop: Shop, fields: dict[str, Any], row: dict[str, Any], pointer: str
) -> None:
    """And changes nothing."""
    rows = [{"sku": "none", "warehouse": "none", "quantity": 1, **row}]
    body = {"movement_id": "m", "type": "receive", "rows": rows, **fields}
    answer = shop.door.call("POST", "/v1/stock/movements", body)
    answer.problem(422, "invalid-request")
    assert pointer in answer.pointers()
