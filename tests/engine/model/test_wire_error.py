"""What is wrong with a value is told in words that a person can act on, whatever the door."""

from typing import Any

import msgspec
import pytest

from engine.model import CostMatrix, Movement, Order, Warehouse
from engine.model.wire_error import field_error

BODY: dict[str, Any] = {"order_id": "o", "ship_to": {"lat": 30, "lon": 110}, "lines": [{"sku": "x", "quantity": 1}]}
PLACE = {"id": "A", "lat": 1, "lon": 1}
MOVEMENT = {"movement_id": "m", "type": "receive", "rows": [{"sku": "x", "warehouse": "A", "quantity": 1}]}

TOLD: dict[str, tuple[Any, Any, str]] = {
    "one of some words": (Order, BODY | {"payment": "later"}, "must be one of paid, pending, cod"),
    "a word spelt otherwise": (Order, BODY | {"payment": "Paid"}, 'did you mean "paid"?'),
    "a word that is a number": (Order, BODY | {"payment": 5}, "must be one of paid, pending, cod, not a whole number"),
    "a field misspelt": (
        Order,
        BODY | {"chanel": "app"},
        'no such field; did you mean "channel"? There are order_id, ',
    ),
    "a field of another name": (
        Order,
        BODY | {"lines": [{"sku": "x", "qty": 1}]},
        "no such field; there are sku, quantity, unit_price",
    ),
    "a field that lacks": (Order, {"order_id": "o"}, "is missing"),
    "a pattern": (Order, BODY | {"policy": "a b"}, "must be 1 to 64 letters, digits, dots, hyphens and underscores"),
    "a time of day": (Warehouse, PLACE | {"cutoff": "25:00"}, 'must be a time of day such as "16:30"'),
    "a day": (Order, BODY | {"deliver_by": "tomorrow"}, 'must be a day of the calendar, such as "2026-11-11"'),
    "a day that there is not": (Warehouse, PLACE | {"holidays": ["2026-02-30"]}, "must be a day of the calendar"),
    "an instant without offset": (
        Movement,
        MOVEMENT | {"rows": [{"sku": "x", "warehouse": "A", "arrives_at": "2026-01-01T00:00:00"}]},
        "must be an instant with its offset from UTC",
    ),
    "an instant that is none": (
        Movement,
        MOVEMENT | {"rows": [{"sku": "x", "warehouse": "A", "arrives_at": "soon"}]},
        'such as "2026-11-11T20:00:00+08:00"',
    ),
    "both ends of a range": (Warehouse, PLACE | {"lat": 91}, "must be a number from -90 to 90"),
    "a range and another kind": (
        Order,
        BODY | {"hold_seconds": "5"},
        "must be a whole number from 1 to 604,800, not text",
    ),
    "a length": (Order, BODY | {"order_id": ""}, "must be text of 1 to 128 characters"),
    "a list's length": (Order, BODY | {"lines": []}, "must be an array of 1 to 100 values"),
    "one of several kinds": (
        Order,
        BODY | {"metadata": {"a": []}},
        "must be text, a whole number, a number or true or false, not an array",
    ),
    "the kind of several that a limit is of": (Order, BODY | {"metadata": {"a": "x" * 513}}, "at most 512 characters"),
    "a value of a row": (
        CostMatrix,
        {"by": "country", "warehouses": ["A"], "rows": {"x": ["a"]}},
        "must be a whole number from 0",
    ),
    "a name of a row": (CostMatrix, {"by": "country", "warehouses": ["A"], "rows": {"": [1]}}, "characters (a key)"),
    "a number beyond all": (Warehouse, PLACE | {"lat": 10**400}, "must be a number from -90 to 90"),
}


@pytest.mark.parametrize("case", TOLD)
def test_a_wrong_value_is_told_with_what_it_may_be(case: str) -> None:
    """No type of Python, no pattern, no norm."""
    type_, body, words = TOLD[case]
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.json.decode(msgspec.json.encode(body) if case != "a number beyond all" else _text(body), type=type_)
    told = field_error(refused.value, type_).message
    assert words in told
    assert not [jargon for jargon in ("`", "regex", "RFC", "Expected", "enum") if jargon in told]


def _text(body: dict[str, Any]) -> bytes:
    """JSON of it, with an integer that the encoder does not take."""
    return str(body).replace("'", '"').encode()


@pytest.mark.parametrize(
    ("given", "told"), [("many", '"many"'), (-91, "-91"), (True, "true"), ("x" * 100, f'"{"x" * 64}..."')]
)
def test_the_value_itself_is_told_where_it_is_at_hand(given: object, told: str) -> None:
    """A file's reader has it; what came over the wire is its sender's to look up."""
    row = BODY | {"ship_to": {"lat": given, "lon": 1}}
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.convert(row, Order)
    assert field_error(refused.value, Order, row).message.endswith(f", not {told}")
