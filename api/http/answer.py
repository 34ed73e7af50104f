"""What a handler answers, before a lane writes it to its connection."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec import Struct

JSON: Mapping[str, str] = MappingProxyType({"Content-Type": "application/json"})
REPLAYED: Mapping[str, str] = MappingProxyType({**JSON, "Idempotent-Replayed": "true"})


class Answer(Struct, frozen=True):
    """A whole answer: both lanes add `X-Request-Id`, `Content-Length` and `Date`."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = JSON


def json_answer(value: Any, *, status: int = 200, headers: Mapping[str, str] = JSON) -> Answer:
    """A value as JSON."""
    return Answer(status, msgspec.json.encode(value), headers)
