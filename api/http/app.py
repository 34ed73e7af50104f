"""Puts the HTTP door together: the routes, on an engine."""

import msgspec
from aiohttp import web

from api.http import bulk, documents, events, operations, reallocation_rows
from api.http.access.gate import Gate
from api.http.aiohttp_lane import outermost, web_route
from api.http.keys import DRAIN, ENGINE, WATCH, Drain
from api.http.principal import GATE
from api.http.response import without_software
from api.http.routes import ROUTES
from api.http.seat import SEAT, Seat
from api.openapi.document import document
from api.rate_limit import Limiter, open_times
from api.watch import Watch
from engine import Engine, Settings
from engine.access import KeyLimit
from engine.errors import FieldError, InvalidInput
from engine.model import limits


def build_app(engine: Engine, seat: Seat | None = None) -> web.Application:
    """The application on an open engine; who opened the engine closes it. `seat`: of one of several workers.

    Raises InvalidInput as `Watch` does, and for a run directory that cannot be used.
    """
    app = web.Application(middlewares=[outermost], client_max_size=limits.BODY_BYTES_MAX)
    app[ENGINE] = engine
    app[GATE] = Gate(engine.access, engine.settings.access, limiter_of(engine.settings))
    app[SEAT] = seat
    app[WATCH] = Watch(engine)
    app[DRAIN] = Drain()
    app[documents.DOCUMENT] = msgspec.json.encode(document(ROUTES))
    app[events.STREAMS] = events.Streams()
    app[operations.LOOKS] = operations.Looks(engine)
    app[bulk.BULKS] = bulk.Bulks()
    app[reallocation_rows.PLANS] = reallocation_rows.Plans()
    app.on_response_prepare.append(without_software)
    app.on_shutdown.append(events.stop_streams)
    app.on_shutdown.append(bulk.stop_bulks)
    app.add_routes(web_route(route) for route in ROUTES)
    return app


def limiter_of(settings: Settings) -> Limiter:
    """Counts requests for these settings; in the run directory, if there is one. Raises InvalidInput."""
    try:
        times = open_times(settings.run_dir)
    except OSError as error:
        raise InvalidInput((FieldError("STOCKADE_RUN_DIR", f"cannot be used: {error}"),)) from None
    default = KeyLimit(settings.key_rate_per_s, settings.key_burst) if settings.key_rate_per_s else None
    return Limiter(times, default)
