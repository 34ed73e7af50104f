"""Puts the HTTP door together: the routes, on an engine."""

import msgspec
from aiohttp import web

from api.http import bulk, documents, events, operations
from api.http.access.gate import Gate
from api.http.aiohttp_lane import outermost, web_route
from api.http.keys import DRAIN, ENGINE, WATCH, Drain
from api.http.principal import GATE
from api.http.response import without_software
from api.http.routes import ROUTES
from api.http.seat import SEAT, Seat
from api.openapi.document import document
from api.watch import Watch
from engine import Engine
from engine.model import limits


def build_app(engine: Engine, seat: Seat | None = None) -> web.Application:
    """The application on an open engine; who opened the engine closes it. `seat`: of one of several workers.

    Raises InvalidInput as `Watch` does.
    """
    app = web.Application(middlewares=[outermost], client_max_size=limits.BODY_BYTES_MAX)
    app[ENGINE] = engine
    app[GATE] = Gate(engine.access, engine.settings.access)
    app[SEAT] = seat
    app[WATCH] = Watch(engine)
    app[DRAIN] = Drain()
    app[documents.DOCUMENT] = msgspec.json.encode(document(ROUTES))
    app[events.STREAMS] = events.Streams()
    app[operations.LOOKS] = operations.Looks(engine)
    app[bulk.BULKS] = bulk.Bulks()
    app.on_response_prepare.append(without_software)
    app.on_shutdown.append(events.stop_streams)
    app.on_shutdown.append(bulk.stop_bulks)
    app.add_routes(web_route(route) for route in ROUTES)
    return app
