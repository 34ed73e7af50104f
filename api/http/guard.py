"""The one middleware: whatever a handler raises becomes a problem that says what to do."""

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from api.http.body import BodyProblem
from api.http.problems import problem
from api.http.refusals import refused_stock
from engine.errors import (
    EngineClosed,
    EventsExpired,
    InvalidInput,
    MovementConflict,
    StockBelowReserved,
    StockRefused,
    StockUnderChange,
    StoreError,
)

log = structlog.get_logger(__name__)


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every exception with its problem."""
    try:
        return await handler(request)
    except BodyProblem as broken:
        return broken.response
    except InvalidInput as error:
        return problem(request, "invalid-request", str(error), errors=error.errors)
    except StockBelowReserved as error:
        rows = [{"row": row, "reserved": reserved} for row, reserved in error.rows]
        return problem(request, "stock-below-reserved", str(error), extra={"rows": rows})
    except StockRefused as error:
        return refused_stock(request, error)
    except MovementConflict as error:
        return problem(request, "movement-conflict", str(error))
    except StockUnderChange as error:
        return problem(request, "stock-under-change", str(error))
    except EventsExpired as error:
        return problem(request, "cursor-expired", str(error), extra={"oldest": error.oldest})
    except EngineClosed as error:
        return problem(request, "shutting-down", str(error))
    except StoreError as error:
        return problem(request, "store-unavailable", str(error))
    except web.HTTPMethodNotAllowed as error:
        allowed = ", ".join(sorted(error.allowed_methods))
        detail = f"This resource takes {allowed}, not {request.method}."
        return problem(request, "method-not-allowed", detail, headers={"Allow": allowed})
    except web.HTTPNotFound:
        return problem(request, "not-found", f"No resource has the path {request.path}.")
    except Exception:
        response = problem(request, "internal-error", "The error is in the service's log, under the request id.")
        log.exception("a request failed", path=request.path, request_id=response.headers["X-Request-Id"])
        return response
