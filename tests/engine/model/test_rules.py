"""Rules of the model: what is refused, and where the pointer points."""

from typing import Any

import msgspec
import pytest

from engine.errors import InvalidInput
from engine.model import Line, Order, ShipTo, StockCount, limits
from engine.model.rules import check_order, check_rows, order_errors, printable
from engine.model.wire_error import field_error
from engine.planner import canonical_bytes

BODY: dict[str, Any] = {"order_id": "o", "ship_to": {"lat": 30, "lon": 110}, "lines": [{"sku": "x", "quantity": 1}]}


def pointer(body: Any, kind: Any = Order) -> tuple[str, str]:
    """Where and what, for a body off the wire; the same for one that was converted."""
    with pytest.raises(msgspec.ValidationError) as decoded:
        msgspec.json.decode(msgspec.json.encode(body), type=kind)
    with pytest.raises(msgspec.ValidationError) as converted:
        msgspec.convert(body, kind)
    found = field_error(decoded.value, kind)
    assert field_error(converted.value, kind) == found
    return found.pointer, found.message


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"order_id": 5}, "/order_id"),
        ({"order_id": ""}, "/order_id"),
        ({"order_id": "x" * 129}, "/order_id"),
        ({"ship_to": {"lat": 91, "lon": 0}}, "/ship_to/lat"),
        ({"ship_to": {"lat": 1}}, "/ship_to/lon"),
        ({"ship_to": {"lat": 1, "lon": 1, "a.b[0]": 1}}, "/ship_to/a.b[0]"),
        ({"lines": []}, "/lines"),
        ({"lines": [{"sku": "x", "quantity": 1}, {"sku": "y", "quantity": 0}]}, "/lines/1/quantity"),
        ({"lines": [{"sku": "x", "quantity": 1}] * 10 + [{"sku": "y"}]}, "/lines/10/quantity"),
        ({"lines": [{"sku": "x", "quantity": 1}] * 101}, "/lines"),
        ({"payment": "later"}, "/payment"),
        ({"warehouses": ["A", ""]}, "/warehouses/1"),
        ({"hold_seconds": 0}, "/hold_seconds"),
        ({"metadata": {"a.b": []}}, "/metadata"),
        ({"metadata": {"a[0]": "x" * 513}}, "/metadata"),
        ({"metadata": {"a~b/c": {}}}, "/metadata"),
        ({"metadata": {str(number): 1 for number in range(33)}}, "/metadata"),
        ({"metadata": {"big": 2**63}}, "/metadata"),
        ({"metadata": {"small": -(2**63) - 1}}, "/metadata"),
        ({"unknown": 1}, "/unknown"),
    ],
)
def test_the_pointer_is_that_of_the_field(change: dict[str, Any], where: str) -> None:
    """RFC 6901, for whoever marks the field red; msgspec names no key of a dictionary, so that stops at it."""
    found, message = pointer(BODY | change)
    assert found == where
    assert message
    assert "`$" not in message


@pytest.mark.parametrize("key", ["", "k" * 65])
def test_a_wrong_key_is_said_to_be_one(key: str) -> None:
    """Its value is right, so "expected text" at the dictionary would puzzle."""
    found, message = pointer(BODY | {"metadata": {key: 1}})
    assert (found, message.endswith("(a key)")) == ("/metadata", True)


def test_the_root_has_the_empty_pointer() -> None:
    """RFC 6901 again: the whole body."""
    assert pointer([]) == ("", "must be an object, not an array")
    assert pointer([{"sku": "x", "warehouse": "A", "on_hand": -1}], list[StockCount])[0] == "/0/on_hand"


@pytest.mark.parametrize("name", ["a", "注文 1", "é", "a b", "🎁", "'", "\\"])
def test_names_that_can_be_told_apart_are_taken(name: str) -> None:
    """Every script of the world, and blanks within."""
    assert printable(name)


@pytest.mark.parametrize("name", [" a", "a ", "a\n", "\u200b", "\u202ea", "\x00", "a\tb", "\u3000", "\ud800", "\x7f"])
def test_names_that_look_like_another_are_not(name: str) -> None:
    """On a screen, two orders would be one."""
    assert not printable(name)
    both = Order(order_id=name, customer=name, ship_to=ShipTo(1.0, 1.0), lines=(Line("x", 1),))
    assert [error.pointer for error in order_errors(both)] == ["/order_id", "/customer"]


def order(**change: Any) -> Order:
    """An order built in Python, where nothing checks."""
    fields = {"order_id": "o", "ship_to": ShipTo(lat=30.0, lon=110.0), "lines": (Line("x", 1),)}
    return Order(**(fields | change))


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"lines": (Line("x", 0),)}, "/lines/0/quantity"),
        ({"lines": ()}, "/lines"),
        ({"ship_to": ShipTo(lat=float("nan"), lon=0.0)}, "/ship_to/lat"),
        ({"ship_to": ShipTo(lat=0.0, lon=float("inf"))}, "/ship_to/lon"),
        ({"payment": "later"}, "/payment"),
        ({"order_id": " o"}, "/order_id"),
        ({"metadata": {"n": 10**30}}, "/metadata"),
        ({"metadata": {"n": "\ud800"}}, ""),
        ({"order_id": "\ud800"}, ""),
    ],
)
def test_an_order_built_in_python_is_held_to_the_wires_rules(change: dict[str, Any], where: str) -> None:
    """Constructors check nothing, and the store keeps what it gets."""
    with pytest.raises(InvalidInput) as refused:
        check_order(order(**change))
    assert [error.pointer for error in refused.value.errors] == [where]


def test_an_order_built_in_python_is_the_one_that_came_over_the_wire() -> None:
    """The same order again, from the other door, must be a replay and no conflict: their bytes have to agree."""
    wire = msgspec.json.decode(msgspec.json.encode(BODY | {"metadata": {"b": 1, "a": 2}}), type=Order)
    here = order(ship_to=ShipTo(lat=30, lon=110), lines=[Line("x", 1)], metadata={"a": 2, "b": 1})
    assert canonical_bytes(check_order(here)) == canonical_bytes(wire)


def test_stock_rows_are_counted_and_name_each_cell_once() -> None:
    """Two counts of one cell in one call: which is meant?"""
    row = StockCount(sku="x", warehouse="A", on_hand=1)
    other = StockCount(sku="A", warehouse="x", on_hand=1)
    check_rows([row, other])
    with pytest.raises(InvalidInput) as refused:
        check_rows([row, other, row, row])
    assert [(error.pointer, error.message[-5:]) for error in refused.value.errors] == [("/2", "row 0"), ("/3", "row 0")]
    for rows in ([], [row] * (limits.STOCK_ROWS_MAX + 1)):
        with pytest.raises(InvalidInput, match="must be 1 to 10000 rows"):
            check_rows(rows)
