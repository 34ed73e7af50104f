"""The quick reader of a lot reads what the shape reads, to the byte, or leaves it to the shape."""

import json
import random
from typing import Any

import msgspec
import pytest

from engine.model import Order
from engine.model.rules import order_errors
from engine.planner import CoreLot, canonical_bytes
from engine.store import home_of

_decode = msgspec.json.Decoder(Order).decode

TEXTS = (
    "a",
    "CN",
    "x" * 64,
    "y" * 65,
    "z" * 128,
    "\u6d59\u6c5f",
    "\u00e9" * 64,
    " a",
    "a ",
    "",
    'q"q',
    "b\\s",
    "\t",
    "\x7f",
)
NUMBERS = (0, 1, 2, 31, 90, 91, 127, 128, 255, 256, 65_535, 65_536, 1_000_000, 1_000_001, 604_800, 604_801, -1, -0.0)
NUMBERS += (1.5, 30.123456789012345, -89.99999999999999, 1e-7, 1e300, 0.1, 10**12, 10**12 + 1, 2**63, 2.0)
DATES = ("2026-11-13", "2026-02-29", "2024-02-29", "0000-01-01", "0001-01-01", "9999-12-31", "2026-1-1", "2026-11-13 ")
WORDS = ("paid", "pending", "cod", "never", "cheapest", "a b", "nearest-2_x.y")


def value(draw: random.Random) -> Any:
    """Anything that a field may hold, or may not."""
    return draw.choice((*TEXTS, *NUMBERS, *DATES, *WORDS, True, False, None, [], {}))


def drawn(draw: random.Random) -> dict[str, Any]:
    """An order that is one, but for what is wrong with it."""

    def degrees(most: int) -> float:
        return draw.choice((draw.uniform(-most, most), round(draw.uniform(-most, most), 5), draw.randint(-most, most)))

    def line() -> dict[str, Any]:
        found: dict[str, Any] = {"sku": f"s{draw.randint(1, 9)}", "quantity": draw.choice((1, 2, 127, 128, 70_000))}
        if draw.random() < 0.3:
            found["unit_price"] = draw.choice((0, 19_900, 10**12, None))
        return found

    order: dict[str, Any] = {
        "order_id": draw.choice(("o-1", "A" * 128, "p/q", "o 1")),
        "ship_to": {"lat": degrees(90), "lon": degrees(180)},
        "lines": [line() for _ in range(draw.choice((1, 2, 3, 15, 16, 17)))],
    }
    fields: dict[str, tuple[Any, ...]] = {
        "channel": ("app", None, "\u5929\u732b"),
        "customer": ("ann", None, "c" * 128),
        "payment": ("paid", "pending", "cod"),
        "hold_seconds": (1, 900, 604_800, None),
        "service_level": ("next_day", None),
        "customer_class": ("gold", None),
        "deliver_by": (*DATES, None),
        "policy": ("cheapest", "a.b-c_D", None),
        "max_shipments": (1, 100, None),
        "pickup_at": ("w", None),
        "warehouses": (["a", "b"], None),
        "metadata": ({"a": 1}, None),
        **dict.fromkeys(("allow_split", "allow_partial", "allow_substitutes", "allow_backorder"), (True, False)),
    }
    for name in draw.sample(sorted(fields), draw.randint(0, len(fields))):
        order[name] = draw.choice(fields[name])
    for name in ("country", "region", "postcode"):
        if draw.random() < 0.3:
            order["ship_to"][name] = draw.choice(("CN", "\u6d59\u6c5f", None))
    if draw.random() < 0.3:
        where = draw.choice((order, order["ship_to"], order["lines"][0]))
        where[draw.choice((*where, "strange"))] = value(draw)
    members = list(order.items())
    draw.shuffle(members)
    return dict(members)


def text_of(draw: random.Random, order: dict[str, Any]) -> bytes:
    """As one client or another writes it; now and then a byte is wrong."""
    separators = draw.choice(((",", ":"), (", ", ": "), (" ,\t", " :\r")))
    text = json.dumps(order, separators=separators, ensure_ascii=draw.random() < 0.3).encode("utf-8", "surrogatepass")
    if draw.random() < 0.2:
        at = draw.randrange(len(text))
        text = draw.choice(
            (
                text[:at],
                text[:at] + text[at + 1 :],
                text[:at] + bytes([draw.choice(b'0-."{}[],:e \xff')]) + text[at + 1 :],
            )
        )
    return text


@pytest.mark.parametrize("seed", range(4))
def test_what_the_quick_reader_takes_the_shape_takes_alike(seed: int) -> None:
    """And it takes most of what common clients write."""
    draw = random.Random(seed)
    taken = common = 0
    for _ in range(5_000):
        line = text_of(draw, drawn(draw)).replace(b"\n", b" ")
        if not line.strip():
            continue
        lot = CoreLot(line, 7)
        assert len(lot) == 1
        try:
            order = _decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            order = None
        right = order is not None and not order_errors(order)
        common += right
        canonical = lot.canonical(0)
        if canonical is not None:
            assert right, line
            assert order is not None
            assert canonical == canonical_bytes(order), line
            assert lot.order_id(0) == order.order_id
            taken += 1
    assert taken > 0.3 * common > 0


def test_what_is_put_in_its_place_is_as_good_as_read() -> None:
    """With its home, by its own id."""
    order = _decode(b'{"order_id":"a/b","ship_to":{"lat":1,"lon":2},"lines":[{"sku":"s","quantity":1}],"metadata":{}}')
    lot = CoreLot(b"{\n", 7)
    assert (lot.is_open(0), [place for place, _ in lot.declined()]) == (False, [0])
    lot.put(0, canonical_bytes(order))
    assert (lot.is_open(0), lot.order_id(0), lot.declined()) == (True, "a/b", [])
    for place, canonical in ((1, canonical_bytes(order)), (0, b"strange")):
        with pytest.raises(ValueError, match="no such place"):
            lot.put(place, canonical)
    assert home_of("a/b", 7) == home_of("a", 7)
