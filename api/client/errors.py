"""What a call of the client raises: a problem that the service tells, or that there was no answer.

ClientError
├── NoAnswer                    nobody answered in time: what became of the request is not known
└── ProblemError                the service said no; `type` says why
    ├── InvalidRequest          400, 413, 415, 422: mend the request
    ├── Unauthorized            401: no valid key or signature
    ├── Forbidden               403: the key does not allow it
    ├── NotFound                404
    ├── InsufficientStock       409, with `shortages`
    ├── PurchaseLimitExceeded   409, with `exceeded`
    ├── InvalidState            409: the order's state forbids it
    ├── VersionConflict         409: the order changed meanwhile
    ├── OrderConflict           422: the id belongs to another order
    ├── CursorExpired           410, with `oldest`
    └── Unavailable             408, 429, 502, 503, 504: not now; it was tried again, as often as allowed
A 500 `internal-error` is a ProblemError, and was tried again, too.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from engine.errors import FieldError, StockadeError

RETRIED = frozenset((408, 429, 502, 503, 504))
"""Statuses after which another try can help, whoever sent them."""
TEXT_SHOWN = 200


class ClientError(StockadeError):
    """Base of what the client raises."""


class NoAnswer(ClientError):
    """No answer came. The request may have been done or not; the same one again, under the same id, is done once."""

    def __init__(self, what: str, attempts: int, cause: str) -> None:
        super().__init__(f"{what}: no answer after {attempts} {'try' if attempts == 1 else 'tries'}: {cause}")
        self.attempts = attempts


class ProblemError(ClientError):
    """The service answered with a problem (RFC 9457)."""

    def __init__(self, members: Mapping[str, Any], *, retry_after_s: float | None = None) -> None:
        self.type: str = str(members.get("type", "about:blank"))
        self.title: str = str(members.get("title", ""))
        self.status: int = int(members.get("status", 0))
        self.detail: str = str(members.get("detail", ""))
        self.errors: tuple[FieldError, ...] = tuple(
            FieldError(str(row.get("pointer", "")), str(row.get("message", ""))) for row in members.get("errors") or ()
        )
        self.retryable: bool = bool(members.get("retryable", False))
        """Whether the same request may succeed later."""
        self.request_id: str | None = members.get("request_id")
        """Under which the service's log has it."""
        self.members = dict(members)
        """All members, those of its type among them."""
        self.retry_after_s = retry_after_s
        super().__init__(": ".join(text for text in (f"{self.status} {self.type}", self.detail or self.title) if text))


class InvalidRequest(ProblemError):
    """The request is malformed, or breaks rules, which `errors` names."""


class Unauthorized(ProblemError):
    """No valid API key, or no valid signature."""


class Forbidden(ProblemError):
    """The key does not allow it."""


class NotFound(ProblemError):
    """There is nothing by this name."""


class InsufficientStock(ProblemError):
    """Not enough stock. Nothing was held."""

    @property
    def shortages(self) -> list[dict[str, Any]]:
        """`{sku, requested, available}` for every short SKU."""
        return list(self.members.get("shortages", ()))


class PurchaseLimitExceeded(ProblemError):
    """Beyond what one customer may buy."""

    @property
    def exceeded(self) -> list[dict[str, Any]]:
        """`{sku, requested, limit, remaining}` for every SKU."""
        return list(self.members.get("exceeded", ()))


class InvalidState(ProblemError):
    """The order's state forbids it."""


class VersionConflict(ProblemError):
    """The order is at another version than the call named."""


class OrderConflict(ProblemError):
    """The id belongs to another order."""


class CursorExpired(ProblemError):
    """The events after this cursor are gone."""

    @property
    def oldest(self) -> str | None:
        """Where the feed begins now."""
        return self.members.get("oldest")


class Unavailable(ProblemError):
    """Not now."""


_BY_TYPE: dict[str, type[ProblemError]] = {
    "insufficient-stock": InsufficientStock,
    "purchase-limit": PurchaseLimitExceeded,
    "invalid-state": InvalidState,
    "version-conflict": VersionConflict,
    "order-conflict": OrderConflict,
}
_BY_STATUS: dict[int, type[ProblemError]] = {
    400: InvalidRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    410: CursorExpired,
    413: InvalidRequest,
    415: InvalidRequest,
    422: InvalidRequest,
} | dict.fromkeys(RETRIED, Unavailable)


def problem_of(members: Mapping[str, Any], *, retry_after_s: float | None = None) -> ProblemError:
    """The exception for a problem's members."""
    status = members.get("status", 0)
    found = _BY_TYPE.get(members.get("type", "")) or _BY_STATUS.get(status, ProblemError)
    return found(members, retry_after_s=retry_after_s)


def problem_of_answer(status: int, body: bytes, *, retry_after_s: float | None = None) -> ProblemError:
    """The exception for an answer that is no success, also where it is not the service's but a proxy's."""
    try:
        members = msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.MsgspecError:
        text = body[:TEXT_SHOWN].decode(errors="replace").strip()
        members = {"detail": text, "retryable": status in RETRIED}
    return problem_of(members | {"status": status}, retry_after_s=retry_after_s)
