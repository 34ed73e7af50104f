"""Puts the HTTP door together: the routes, on an engine."""

from aiohttp import web

from api.http import events
from api.http.aiohttp_lane import outermost, web_route
from api.http.keys import DRAIN, ENGINE, WATCH, Drain
from api.http.routes import ROUTES
from api.watch import Watch
from engine import Engine
from engine.model import limits


def build_app(engine: Engine) -> web.Application:
    """The application on an open engine; who opened the engine closes it. Raises InvalidInput as `Watch` does."""
    app = web.Application(middlewares=[outermost], client_max_size=limits.BODY_BYTES_MAX)
    app[ENGINE] = engine
    app[WATCH] = Watch(engine)
    app[DRAIN] = Drain()
    app[events.STREAMS] = events.Streams()
    app.on_shutdown.append(events.stop_streams)
    app.add_routes(web_route(route) for route in ROUTES)
    return app
