"""For any bytes whatever, the readers in Rust give what the shape gives, or leave it to the shape; none of them panics.

`make fuzz-long` tries many times as many.
"""

import random
from typing import Any

import msgspec
import pytest

from engine.model import Order
from engine.model.rules import order_errors
from engine.planner import CoreLot, canonical_bytes
from tests.engine.hostile import PIECES, TIMES, changed

LINES = 4_000
"""Of each kind, in the short form."""

_decode = msgspec.json.Decoder(Order).decode
_decode_canonical = msgspec.msgpack.Decoder(Order).decode

PLAIN: dict[str, Any] = {
    "order_id": "o",
    "ship_to": {"lat": 30, "lon": -120.5},
    "lines": [{"sku": "s", "quantity": 2}],
}
FULL: dict[str, Any] = {
    "order_id": "o-1",
    "channel": "app",
    "customer": "ann",
    "payment": "pending",
    "hold_seconds": 900,
    "ship_to": {"lat": 30.25, "lon": 120.125, "country": "CN", "region": "\u6d59\u6c5f", "postcode": "310000"},
    "lines": [{"sku": "a", "quantity": 1, "unit_price": 19_900}, {"quantity": 1_000_000, "sku": "b"}],
    "service_level": "next_day",
    "customer_class": "gold",
    "deliver_by": "2026-11-13",
    "policy": "cheapest",
    "max_shipments": 3,
    "allow_split": True,
    "allow_partial": False,
    "allow_substitutes": True,
    "allow_backorder": True,
    "pickup_at": None,
}
ODD = FULL | {"metadata": {"a": 1, "b": 1.5, "c": None, "d": "\u00e9"}, "warehouses": ["w1", "w2"]}
ORDERS = [msgspec.json.encode(order) for order in (PLAIN, FULL, ODD)]

HEADS = tuple(bytes((head,)) for head in (0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, *range(0xC0, 0xE0), 0xFF))
"""What a value of MessagePack begins with."""
LENGTHS = (b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xdb\x7f\xff\xff\xff", b"\x91" * 40, b"\x81\xa0" * 2_000)


def right(line: bytes) -> Order | None:
    """The order that a line is by the shape and its rules."""
    try:
        order = _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return None if order_errors(order) else order


def compare(line: bytes) -> bool:
    """Hold the quick reader against the shape; returns whether it took the line."""
    lot = CoreLot(line, 7)
    if len(lot) == 0:
        assert not line.strip()
        return False
    (canonical,) = [lot.canonical(place) for place in range(len(lot))]
    order = right(line)
    if canonical is not None:
        assert order is not None, line
        assert canonical == canonical_bytes(order), line
        assert lot.order_id(0) == order.order_id
    elif order is not None:
        # What the shape takes, the core takes from it.
        assert [place for place, _ in lot.declined()] == [0]
        lot.put(0, canonical_bytes(order))
        assert lot.order_id(0) == order.order_id
    return canonical is not None


@pytest.mark.parametrize("text", ORDERS, ids=("plain", "full", "odd"))
def test_changed_orders_are_read_as_by_the_shape_or_left_to_it(text: bytes) -> None:
    """Names twice, surrogates, NaN, numbers and towers of any size, a byte more or less."""
    draw = random.Random(len(text))
    taken = sum(compare(changed(draw, text).replace(b"\n", b" ")) for _ in range(LINES * TIMES))
    assert taken > 0 or text == ORDERS[2]


def test_noise_is_left_to_the_shape() -> None:
    """Whether it is text or not."""
    draw = random.Random(1)
    for _ in range(LINES * TIMES):
        noise = b"".join(draw.choice((*PIECES, *ORDERS, draw.randbytes(3))) for _ in range(draw.randint(0, 6)))
        compare(noise.replace(b"\n", b""))


def test_the_lines_of_one_lot_are_read_each_by_itself() -> None:
    """What one of them is changes nothing of another."""
    draw = random.Random(2)
    for _ in range(LINES * TIMES // 40):
        lines = [changed(draw, draw.choice(ORDERS)).replace(b"\n", b" ") for _ in range(20)]
        lot = CoreLot(b"\n".join(lines), 7)
        alone = [CoreLot(line, 7).canonical(0) for line in lines if line.strip(b" \t\r\x0c")]
        assert [lot.canonical(place) for place in range(len(lot))] == alone


def test_an_order_of_another_channel_than_the_keys_is_left_to_the_shape() -> None:
    """Whatever it looks like."""
    draw = random.Random(3)
    for _ in range(LINES * TIMES // 4):
        line = changed(draw, draw.choice(ORDERS), changes_max=2).replace(b"\n", b" ")
        canonical = CoreLot(line, 7, "app").canonical(0) if line.strip() else None
        if canonical is not None:
            assert _decode_canonical(canonical).channel == "app", line


@pytest.mark.parametrize("text", ORDERS, ids=("plain", "full", "odd"))
def test_canonical_bytes_that_are_the_shapes_are_read_and_others_are_no_panic(text: bytes) -> None:
    """MessagePack that only we write, and that a store which was tampered with gives back."""
    canonical = canonical_bytes(_decode(text))
    draw = random.Random(len(canonical))
    pieces = (*HEADS, *LENGTHS, *PIECES[:40])
    taken = 0
    for _ in range(LINES * TIMES):
        found = changed(draw, canonical, changes_max=3, pieces=pieces)
        lot = CoreLot(b"{", 7)
        try:
            lot.put(0, found)
        except ValueError:
            assert not is_the_shapes(found), found.hex()
        else:
            taken += 1
            if is_the_shapes(found):
                assert lot.order_id(0) == _decode_canonical(found).order_id
    assert taken > 0


def is_the_shapes(found: bytes) -> bool:
    """Whether these are the canonical bytes of an order."""
    try:
        return canonical_bytes(_decode_canonical(found)) == found
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
