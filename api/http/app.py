"""Puts the HTTP door together: the routes, on an engine."""

import msgspec
from aiohttp import web

from api.http import documents, events
from api.http.aiohttp_lane import unrouted, web_route
from api.http.keys import ENGINE
from api.http.routes import ROUTES
from api.openapi.document import document
from engine import Engine
from engine.model import limits


def build_app(engine: Engine) -> web.Application:
    """The application on an open engine; who opened the engine closes it."""
    app = web.Application(middlewares=[unrouted], client_max_size=limits.BODY_BYTES_MAX)
    app[ENGINE] = engine
    app[documents.DOCUMENT] = msgspec.json.encode(document(ROUTES))
    app[events.STREAMS] = events.Streams()
    app.on_shutdown.append(events.stop_streams)
    app.add_routes(web_route(route) for route in ROUTES)
    return app
