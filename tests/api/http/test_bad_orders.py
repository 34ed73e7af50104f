"""Orders that break a rule: each gets its clear refusal, and nothing is held, on orders and on quotes alike."""

import gzip
import itertools
import json
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from engine.model import limits
from tests.api.conftest import Door, Shop

MIB = 1024 * 1024

Fields = dict[str, Any]


@pytest.fixture(scope="module")
def counter(door: Door) -> Shop:
    """A shop with one SKU in one warehouse, and a second SKU with a purchase limit."""
    shop = Shop(door, "BAD")
    shop.warehouse()
    shop.sku(on_hand={"BAD-W": 100})
    return shop


def order(**fields: Any) -> Fields:
    """A good order but for these fields; a field that is None is left out."""
    good = {"order_id": "BAD-1", "ship_to": {"lat": 31, "lon": 121}, "lines": [{"sku": "BAD-A", "quantity": 1}]}
    return {name: value for name, value in (good | fields).items() if value is not None}


def line(**fields: Any) -> Fields:
    """An order with one good line but for these fields."""
    return order(lines=[{"sku": "BAD-A", "quantity": 1} | fields])


def literally(value: str) -> bytes:
    """A good order but for its latitude, which is set in as it stands."""
    return json.dumps(order(ship_to={"lat": 0.125, "lon": 121})).replace("0.125", value).encode()


# What cannot be read at all: 400, or 413 for what is too long.
UNREADABLE: dict[str, Callable[[], bytes | Iterator[bytes]]] = {
    "400 nothing": lambda: b"",
    "400 blanks": lambda: b" \r\n\t ",
    "400 cut short": lambda: b'{"order_id": "BAD-1", "lines": [',
    "400 two values": lambda: json.dumps(order()).encode() * 2,
    "400 a form": lambda: b"order_id=BAD-1&lines=1",
    "400 single quotes": lambda: b"{'order_id': 'BAD-1'}",
    "400 NaN": lambda: literally("NaN"),
    "400 Infinity": lambda: literally("-Infinity"),
    "400 not UTF-8": lambda: json.dumps(order(channel="sh\0p")).encode().replace(b"\\u0000", b"\xff\xfe"),
    "400 UTF-16": lambda: json.dumps(order()).encode("utf-16"),
    "400 half a surrogate pair": lambda: json.dumps(order(order_id="\ud800")).encode(),
    "400 a raw null byte": lambda: b'{"order_id": "BAD\x00"}',
    "413 10 MB": lambda: b" " * (10 * MIB),
    "413 10 MB in chunks": lambda: itertools.repeat(b" " * MIB, 10),
    "413 one byte too many": lambda: json.dumps(order()).encode().ljust(limits.ORDER_BYTES_MAX + 1),
    "413 one byte too many in chunks": lambda: iter([json.dumps(order()).encode().ljust(limits.ORDER_BYTES_MAX + 1)]),
    "413 nested 100,000 deep": lambda: b"[" * 100_000,
    "413 10,000 lines": lambda: json.dumps(order(lines=[{"sku": "BAD-A", "quantity": 1}] * 10_000)).encode(),
}

# What can be read and breaks a rule: 422, and the pointer to what breaks it.
WRONG: dict[str, tuple[Any, str]] = {
    "an array": ([], ""),
    "null": (b"null", ""),
    "nested deep within the limit": (b"[" * 30_000 + b"]" * 30_000, ""),
    "nested deep in metadata": (
        b'{"order_id": "BAD-1", "metadata": {"a": ' + b"[" * 30_000 + b"]" * 30_000 + b"}}",
        "/metadata",
    ),
    "no id": (order(order_id=None), "/order_id"),
    "no destination": (order(ship_to=None), "/ship_to"),
    "no lines": (order(lines=None), "/lines"),
    "half a destination": (order(ship_to={"lat": 31}), "/ship_to/lon"),
    "an unknown field": (order(colour="red"), "/colour"),
    "an unknown field of a line": (line(colour="red"), "/lines/0/colour"),
    "an unknown field of the destination": (order(ship_to={"lat": 31, "lon": 121, "alt": 5}), "/ship_to/alt"),
    "an id that is a number": (order(order_id=7), "/order_id"),
    "an empty id": (order(order_id=""), "/order_id"),
    "an id of 129 characters": (order(order_id="x" * (limits.ID_LENGTH_MAX + 1)), "/order_id"),
    "a null character in the id": (order(order_id="BAD\0"), "/order_id"),
    "a line break in the id": (order(order_id="BAD\n1"), "/order_id"),
    "a text direction mark in the id": (order(order_id="BAD\u202e1"), "/order_id"),
    "a character without width in the id": (order(order_id="BAD\u200b1"), "/order_id"),
    "a blank before the id": (order(order_id=" BAD-1"), "/order_id"),
    "a blank after the id": (order(order_id="BAD-1 "), "/order_id"),
    "nothing but a blank for an id": (order(order_id=" "), "/order_id"),
    "a control character in the customer": (order(customer="c\x7f"), "/customer"),
    "an empty customer": (order(customer=""), "/customer"),
    "lines that are an object": (order(lines={}), "/lines"),
    "a line that is null": (order(lines=[None]), "/lines/0"),
    "empty lines": (order(lines=[]), "/lines"),
    "101 lines": (order(lines=[{"sku": "BAD-A", "quantity": 1}] * (limits.LINES_MAX + 1)), "/lines"),
    "no SKU": (order(lines=[{"quantity": 1}]), "/lines/0/sku"),
    "no quantity": (order(lines=[{"sku": "BAD-A"}]), "/lines/0/quantity"),
    "a negative quantity": (line(quantity=-1), "/lines/0/quantity"),
    "quantity zero": (line(quantity=0), "/lines/0/quantity"),
    "a quantity of 10**30": (line(quantity=10**30), "/lines/0/quantity"),
    "a quantity of -10**30": (line(quantity=-(10**30)), "/lines/0/quantity"),
    "one above the largest quantity": (line(quantity=limits.QUANTITY_MAX + 1), "/lines/0/quantity"),
    "a broken quantity": (line(quantity=1.5), "/lines/0/quantity"),
    "a quantity as text": (line(quantity="1"), "/lines/0/quantity"),
    "a quantity that is true": (line(quantity=True), "/lines/0/quantity"),
    "a negative price": (line(unit_price=-1), "/lines/0/unit_price"),
    "latitude 1e999": (literally("1e999"), "/ship_to/lat"),
    "latitude as text": (literally('"31"'), "/ship_to/lat"),
    "latitude null": (literally("null"), "/ship_to/lat"),
    "latitude 90.1": (literally("90.1"), "/ship_to/lat"),
    "longitude -180.1": (order(ship_to={"lat": 0, "lon": -180.1}), "/ship_to/lon"),
    "an unknown payment": (order(payment="later"), "/payment"),
    "a hold on a paid order": (order(hold_seconds=60), "/hold_seconds"),
    "a hold on cash on delivery": (order(payment="cod", hold_seconds=60), "/hold_seconds"),
    "a hold of no time": (order(payment="pending", hold_seconds=0), "/hold_seconds"),
    "a hold of ten years": (order(payment="pending", hold_seconds=315_360_000), "/hold_seconds"),
    "an unknown policy": (order(policy="magic"), "/policy"),
    "no shipment allowed": (order(max_shipments=0), "/max_shipments"),
    "a switch that is a number": (order(allow_partial=1), "/allow_partial"),
    "an unknown SKU": (line(sku="NOWHERE"), "/lines/0/sku"),
    "an unknown warehouse": (order(warehouses=["BAD-W", "NOWHERE"]), "/warehouses/1"),
    "no warehouse": (order(warehouses=[]), "/warehouses"),
    "an unknown place of collection": (order(pickup_at="NOWHERE"), "/pickup_at"),
    "metadata of 33 keys": (order(metadata={str(key): 1 for key in range(33)}), "/metadata"),
    "metadata with a list": (order(metadata={"a": [1]}), "/metadata"),
    "metadata with 10**30": (order(metadata={"a": 10**30}), "/metadata"),
    "metadata with a long text": (order(metadata={"a": "x" * 513}), "/metadata"),
}

pytestmark = pytest.mark.usefixtures("counter", "unchanged")
DOORS = pytest.mark.parametrize("path", ["/v1/orders", "/v1/quotes"])


@DOORS
@pytest.mark.parametrize("case", UNREADABLE)
def test_a_body_that_cannot_be_read_is_refused(door: Door, path: str, case: str) -> None:
    """A client must learn that its bytes are wrong, not the order; and no size or depth may hurt the service."""
    status = int(case[:3])
    door.call("POST", path, UNREADABLE[case]()).problem(status, "broken-json" if status == 400 else "too-large")


@DOORS
@pytest.mark.parametrize("case", WRONG)
def test_an_order_that_breaks_a_rule_is_refused_with_a_pointer_to_the_field(door: Door, path: str, case: str) -> None:
    """Whoever wrote the order must find the field without guessing."""
    body, pointer = WRONG[case]
    answer = door.call("POST", path, body)
    found = answer.problem(422, "invalid-order")
    assert answer.pointers() == [pointer]
    assert found["errors"][0]["message"] in found["detail"]


def test_every_unknown_name_is_told_at_once(door: Door) -> None:
    """A catalogue that is out of step is mended in one go, not by one refusal a line."""
    wrong = order(
        lines=[{"sku": sku, "quantity": 1} for sku in ("NO-1", "BAD-A", "NO-2")], warehouses=["NO-3", "BAD-W"]
    )
    answer = door.call("POST", "/v1/orders", wrong)
    answer.problem(422, "invalid-order")
    assert answer.pointers() == ["/lines/0/sku", "/lines/2/sku", "/warehouses/0"]


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "GZIP", "identity, gzip", "nonsense"])
def test_a_compressed_body_is_refused_unread(door: Door, encoding: str) -> None:
    """A few kilobytes may unpack to gigabytes; and a body that says it is packed, and is not, is no order."""
    bodies = [json.dumps(order()).encode(), gzip.compress(bytes(1 << 24)), zlib.compress(bytes(1 << 24))]
    for path in ("/v1/orders", "/v1/stock/movements"):
        for body in bodies:
            answer = door.call("POST", path, body, {"Content-Encoding": encoding})
            answer.problem(415, "unsupported-encoding")


def test_a_body_that_says_it_is_not_compressed_is_taken(door: Door) -> None:
    """RFC 9110, 8.4.1: `identity` is none."""
    answer = door.call("POST", "/v1/quotes", json.dumps(order()).encode(), {"Content-Encoding": "identity"})
    assert answer.status == 200
