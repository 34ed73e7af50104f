"""What a handler answers, before a lane writes it to its connection."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import quote as percent_encode

import msgspec
from msgspec import Struct

JSON: Mapping[str, str] = MappingProxyType({"Content-Type": "application/json"})
REPLAYED: Mapping[str, str] = MappingProxyType({**JSON, "Idempotent-Replayed": "true"})

_PLAIN = re.compile(r"[A-Za-z0-9._~-]+")
"""What a path takes as it is; most ids are so, and to encode them costs more than all else of an answer."""


def order_path(order_id: str) -> str:
    """Where an order is found."""
    return f"/v1/orders/{order_id if _PLAIN.fullmatch(order_id) else percent_encode(order_id, safe='')}"


def reallocation_path(run_id: str) -> str:
    """Where a re-allocation is found."""
    return f"/v1/reallocations/{percent_encode(run_id, safe='')}"


class Answer(Struct, frozen=True):
    """A whole answer: both lanes add `X-Request-Id`, `Content-Length` and `Date`."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = JSON
    location: str | None = None
    """The path of what was made."""


def json_answer(value: Any, *, status: int = 200, headers: Mapping[str, str] = JSON) -> Answer:
    """A value as JSON."""
    return Answer(status, msgspec.json.encode(value), headers)
