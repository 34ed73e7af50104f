"""Turns whatever a handler raises into the problem that says what to do."""

import structlog

from api.http.body import BodyProblem
from api.http.members import Oldest, ReservedRow, ReservedRows, RunFound
from api.http.problems import Problem
from api.http.refusals import refused_stock
from engine.errors import (
    EngineClosed,
    EventsExpired,
    InvalidInput,
    MovementConflict,
    QuotesBusy,
    ReallocationBusy,
    ReallocationState,
    StockBelowReserved,
    StockRefused,
    StockUnderChange,
    StoreError,
)

log = structlog.get_logger(__name__)


def problem_of(error: Exception, *, path: str, request_id: str) -> Problem:
    """The problem of an exception; one that nobody expected is logged."""
    match error:
        case BodyProblem():
            return error.problem
        case InvalidInput():
            return Problem("invalid-request", str(error), errors=error.errors)
        case StockBelowReserved():
            rows = tuple(ReservedRow(row, reserved) for row, reserved in error.rows)
            return Problem("stock-below-reserved", str(error), members=ReservedRows(rows))
        case StockRefused():
            return refused_stock(error)
        case MovementConflict():
            return Problem("movement-conflict", str(error))
        case ReallocationState():
            return Problem("reallocation-state", str(error), members=RunFound(error.state))
        case QuotesBusy() | ReallocationBusy():
            return Problem("overloaded", str(error), retry_after_s=error.retry_after_s)
        case StockUnderChange():
            return Problem("stock-under-change", str(error))
        case EventsExpired():
            return Problem("cursor-expired", str(error), members=Oldest(error.oldest))
        case EngineClosed():
            return Problem("shutting-down", str(error), retry_after_s=error.retry_after_s)
        case StoreError():
            return Problem("store-unavailable", str(error))
    log.error("a request failed", path=path, request_id=request_id, exc_info=error)
    return Problem("internal-error", "The error is in the service's log, under the request id.")
