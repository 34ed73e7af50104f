"""Every error as RFC 9457 `application/problem+json`: what is wrong, where, and whether another try can help."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from api.http.answer import Answer
from engine.errors import FieldError

ProblemType = Literal[
    "broken-http",
    "broken-json",
    "contended",
    "expected-on-hand",
    "forbidden",
    "cursor-expired",
    "deadline-exceeded",
    "insufficient-stock",
    "idempotency-key-reused",
    "internal-error",
    "invalid-idempotency-key",
    "invalid-order",
    "invalid-request",
    "invalid-state",
    "invalid-timeout",
    "method-not-allowed",
    "movement-conflict",
    "not-deliverable",
    "not-found",
    "order-conflict",
    "overloaded",
    "purchase-limit",
    "rate-limited",
    "reallocation-conflict",
    "reallocation-state",
    "shutting-down",
    "stock-below-reserved",
    "stock-in-pools",
    "stock-limit",
    "stock-under-change",
    "store-unavailable",
    "too-large",
    "too-slow",
    "transition-conflict",
    "unauthorized",
    "unknown-expectation",
    "unsupported-encoding",
    "unsupported-media-type",
    "version-conflict",
]

TITLES: dict[ProblemType, tuple[int, str, bool]] = {
    "broken-http": (400, "The request cannot be read", False),
    "unknown-expectation": (417, "The request expects what is not known", False),
    "broken-json": (400, "The body is not JSON", False),
    "unauthorized": (401, "No valid API key, or no valid signature", False),
    "forbidden": (403, "This caller may not do this", False),
    "unsupported-encoding": (415, "The body is encoded", False),
    "invalid-idempotency-key": (400, "The Idempotency-Key is malformed", False),
    "invalid-timeout": (400, "The time given to the request is malformed", False),
    "not-found": (404, "There is nothing by this name", False),
    "method-not-allowed": (405, "This resource does not take this method", False),
    "contended": (503, "Others took the stock first, every time", True),
    "insufficient-stock": (409, "Not enough stock", False),
    "purchase-limit": (409, "Beyond the purchase limit", False),
    "invalid-state": (409, "The order's state forbids it", False),
    "version-conflict": (409, "The order is at another version", False),
    "stock-below-reserved": (409, "A count is lower than what is reserved", False),
    "expected-on-hand": (409, "The stock is not what was expected", False),
    "stock-in-pools": (409, "Pools of channels hold the stock", False),
    "stock-limit": (409, "More than a cell may hold", False),
    "reallocation-state": (409, "The re-allocation's state forbids it", False),
    "reallocation-conflict": (422, "The id belongs to another re-allocation", False),
    "movement-conflict": (422, "The id belongs to another movement", False),
    "stock-under-change": (503, "Another movement is changing the same stock", True),
    "cursor-expired": (410, "The events after this cursor are gone", False),
    "too-large": (413, "The body is too large", False),
    "too-slow": (408, "The request did not come in time", True),
    "unsupported-media-type": (415, "The body is of another kind than this resource takes", False),
    "invalid-order": (422, "The order breaks rules", False),
    "invalid-request": (422, "The request breaks rules", False),
    "not-deliverable": (422, "No carrier goes there", False),
    "idempotency-key-reused": (422, "The Idempotency-Key was used for another request", False),
    "order-conflict": (422, "The id belongs to another order", False),
    "transition-conflict": (422, "The transition's id was used for another content", False),
    "rate-limited": (429, "More requests than the key may send", True),
    "internal-error": (500, "Something in the service is broken", True),
    "overloaded": (503, "More than the service can take now", True),
    "deadline-exceeded": (503, "The order would begin too late", True),
    "shutting-down": (503, "The service is stopping", True),
    "store-unavailable": (503, "The store does not answer", True),
}
"""By type: the status, the title, and whether another try can help."""

ERRORS_MAX = 100
"""Broken rules that a problem lists: the rows of one stock call could break thousands."""
DETAIL_LENGTH_MAX = 1_000


class ProblemTold(Struct, frozen=True, kw_only=True):
    """The members that every problem has on the wire; those of its type are beside them."""

    type: str
    title: str
    status: int
    detail: str
    errors: Annotated[tuple[FieldError, ...], Meta(max_length=ERRORS_MAX)]
    """Broken rules: where (a JSON pointer), and which."""
    retryable: bool
    """Whether the same request may succeed later."""
    request_id: str


class Problem(Struct, frozen=True):
    """Why a request was not served, before it is known to whom and by which lane it is told."""

    type: ProblemType
    detail: str
    errors: tuple[FieldError, ...] = ()
    members: Struct | None = None
    """Those of its type, such as `shortages`; members.py has the types."""
    retry_after_s: int | None = None
    headers: Mapping[str, str] | None = None

    def body(self, request_id: str) -> dict[str, Any]:
        """The problem as the members of a JSON object."""
        status, title, retryable = TITLES[self.type]
        detail = self.detail
        return {
            "type": self.type,
            "title": title,
            "status": status,
            "detail": detail if len(detail) <= DETAIL_LENGTH_MAX else f"{detail[:DETAIL_LENGTH_MAX]} ...",
            "errors": self.errors[:ERRORS_MAX],
            "retryable": retryable,
            "request_id": request_id,
            **(msgspec.to_builtins(self.members) if self.members is not None else {}),
        }

    def answer(self, request_id: str) -> Answer:
        """The problem as an answer."""
        status = TITLES[self.type][0]
        headers = {"Content-Type": "application/problem+json", **(self.headers or {})}
        retry_after_s = 1 if self.retry_after_s is None and status == 503 else self.retry_after_s
        if retry_after_s is not None:
            headers["Retry-After"] = str(retry_after_s)
        body = self.body(request_id)
        try:
            return Answer(status, msgspec.json.encode(body), headers)
        except UnicodeEncodeError:
            # It quotes a header or a path that is no text.
            return Answer(status, msgspec.json.encode(_as_text(msgspec.to_builtins(body))), headers)


_CLOSE = {"Connection": "close"}
TOO_SLOW = Problem("too-slow", "The request did not come in time. Nothing was done.", headers=_CLOSE)
BROKEN_OFF = Problem("broken-json", "The body breaks off.", headers=_CLOSE)
STOPPING = Problem(
    "shutting-down",
    "The service stops, and the request had not come in whole. Nothing was done: send it again.",
    headers=_CLOSE,
)
"""Of requests whose rest is not waited for: each ends its connection."""


def _as_text(value: Any) -> Any:
    """A value with question marks for what is none of Unicode's characters."""
    match value:
        case str():
            return value.encode(errors="replace").decode()
        case dict():
            return {name: _as_text(each) for name, each in value.items()}
        case list() | tuple():
            return [_as_text(each) for each in value]
    return value
