"""The canonical bytes of an order: they are hashed and stored, so equal orders must have equal ones, for ever."""

from collections.abc import Mapping
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from engine.model import Order
from engine.planner import canonical_bytes

MINIMAL: dict[str, Any] = {"order_id": "o", "ship_to": {"lat": 1.5, "lon": 2.5}, "lines": [{"sku": "a", "quantity": 1}]}
FULL: dict[str, Any] = MINIMAL | {
    "channel": "app",
    "customer": "ann",
    "payment": "pending",
    "hold_seconds": 60,
    "max_shipments": 2,
    "metadata": {"z": 1, "a": None, "m": "x"},
    "warehouses": ["w2", "w1"],
}


def canonical(fields: Mapping[str, Any]) -> bytes:
    """As if these fields had come over the wire."""
    return canonical_bytes(msgspec.json.decode(msgspec.json.encode(fields), type=Order))


@given(st.permutations(list(FULL)), st.permutations(["z", "a", "m"]))
def test_the_order_of_keys_does_not_matter(keys: list[str], metadata_keys: list[str]) -> None:
    """A retry that went through another JSON library is the same order."""
    shuffled = {key: FULL[key] for key in keys}
    shuffled["metadata"] = {key: FULL["metadata"][key] for key in metadata_keys}
    assert canonical(shuffled) == canonical(FULL)


def test_keys_stand_in_one_order() -> None:
    """Fields as the model declares them, so a field may be added but not moved; free-form keys by name."""
    decoded = msgspec.msgpack.decode(canonical(FULL))
    assert list(decoded) == sorted(decoded)
    assert list(decoded["ship_to"]) == sorted(decoded["ship_to"])
    assert len(decoded) == 10
    assert list(decoded["metadata"]) == ["a", "m", "z"]


def test_defaults_are_left_out() -> None:
    """A field that a later release adds changes no fingerprint, and saying a default out loud is no other order."""
    said = MINIMAL | {
        "allow_split": True,
        "allow_partial": False,
        "payment": "paid",
        "policy": None,
        "metadata": None,
        "ship_to": {"lat": 1.5, "lon": 2.5, "country": None},
    }
    assert canonical(said) == canonical(MINIMAL)
    assert set(msgspec.msgpack.decode(canonical(MINIMAL))) == {"order_id", "ship_to", "lines"}


def test_numbers_of_one_value_are_one_number() -> None:
    """1 and 1.0 degrees are the same place: which one a client's library writes is its own business."""
    assert canonical(MINIMAL | {"ship_to": {"lat": 1, "lon": 2}}) == canonical(
        MINIMAL | {"ship_to": {"lat": 1.0, "lon": 2.0}}
    )


def test_the_bytes_of_an_order_never_change() -> None:
    """Stored fingerprints outlive a release: if this fails, every retry across an upgrade becomes a conflict."""
    assert canonical(MINIMAL).hex() == (
        "83a56c696e65739182a87175616e7469747901a3736b75a161a86f726465725f6964a16fa7736869705f746f"
        "82a36c6174cb3ff8000000000000a36c6f6ecb4004000000000000"
    )


def test_other_orders_have_other_bytes() -> None:
    """The order of lines, of allowed warehouses, and every value is the order's own."""
    two = [{"sku": "a", "quantity": 1}, {"sku": "b", "quantity": 1}]
    variants = [
        MINIMAL,
        MINIMAL | {"order_id": "p"},
        MINIMAL | {"lines": two},
        MINIMAL | {"lines": two[::-1]},
        MINIMAL | {"warehouses": ["w1", "w2"]},
        MINIMAL | {"warehouses": ["w2", "w1"]},
        MINIMAL | {"metadata": {"gift": 1}},
        MINIMAL | {"metadata": {"gift": True}},
    ]
    assert len({canonical(fields) for fields in variants}) == len(variants)
