"""A client of the service: `Stockade` for threads, `AsyncStockade` for asyncio, with the same methods.

Each call is sent again, under the same id, where that is safe and can help. Knows nothing but the public contract.
"""

from api.client.asynchronous import AsyncStockade
from api.client.blocking import Stockade
from api.client.errors import (
    ClientError,
    CursorExpired,
    Forbidden,
    InsufficientStock,
    InvalidRequest,
    InvalidState,
    NoAnswer,
    NotFound,
    OrderConflict,
    ProblemError,
    PurchaseLimitExceeded,
    Unauthorized,
    Unavailable,
    VersionConflict,
)
from api.client.results import BulkResult, Quote, Reservation
from api.client.retry import Retry

__all__ = [
    "AsyncStockade",
    "BulkResult",
    "ClientError",
    "CursorExpired",
    "Forbidden",
    "InsufficientStock",
    "InvalidRequest",
    "InvalidState",
    "NoAnswer",
    "NotFound",
    "OrderConflict",
    "ProblemError",
    "PurchaseLimitExceeded",
    "Quote",
    "Reservation",
    "Retry",
    "Stockade",
    "Unauthorized",
    "Unavailable",
    "VersionConflict",
]
