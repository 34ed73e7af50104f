"""What a route promises to its callers: the values from which the OpenAPI document is made."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from api.http.problems import ProblemType

JSON_TYPE = "application/json"
LINES_TYPE = "application/x-ndjson"


class Parameter(Struct, frozen=True):
    """A value in the query or the path. `type` is what its text must be, `example` a value of it."""

    name: str
    type: Any
    description: str
    example: str | int


class Body(Struct, frozen=True):
    """What a request carries. `optional` fields of the type may be left out: another part of the request has them."""

    type: Any
    examples: dict[str, Any]
    bytes_max: int
    required: bool = True
    optional: tuple[str, ...] = ()
    media_type: str = JSON_TYPE
    """Of LINES_TYPE all is said of one line."""


class Reply(Struct, frozen=True):
    """An answer that is no problem; without a type it has no body. `headers` besides those of every answer.

    `links` are the operations whose path takes the `order_id` of the answer.
    """

    status: int
    description: str
    type: Any = None
    examples: dict[str, Any] = {}
    headers: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    media_type: str = JSON_TYPE
    """Of LINES_TYPE all is said of one line."""
    refused_lines: Mapping[ProblemType, Struct] = {}
    """Problems that a line may be instead, each with an example of the members that it has then besides."""


class Contract(Struct, frozen=True, kw_only=True):
    """All of it, but the problems that any request may meet."""

    summary: str
    detail: str = ""
    body: Body | None = None
    query: tuple[Parameter, ...] = ()
    replies: tuple[Reply, ...]
    problems: tuple[ProblemType, ...] = ()
    takes_key: bool = False
    """Whether an `Idempotency-Key` counts here."""
    takes_timeout: bool = False
    """Whether a `Stockade-Timeout-Ms` does."""
