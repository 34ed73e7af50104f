"""What those who run the service ask it."""

import platform

from aiohttp import web

from api.http.keys import ENGINE
from engine import State, __version__
from engine.errors import StockadeError


async def livez(_request: web.Request) -> web.Response:
    """GET /livez: this process answers."""
    return web.json_response({"status": "alive"})


async def readyz(request: web.Request) -> web.Response:
    """GET /readyz: orders can be taken: the store answers and everything is loaded."""
    engine = request.app[ENGINE]
    status, detail = str(engine.state), None
    if engine.state is State.READY:
        try:
            await engine.store.ping()
        except StockadeError as error:
            status, detail = "store-unavailable", str(error)
    ready = status == State.READY
    body = {
        "status": status,
        "cells": engine.planner.core.cell_count,
        "skus": len(engine.planner.skus),
        "warehouses": len(engine.planner.warehouses),
        "queued": engine.intake.queued,
    }
    if detail:
        body["detail"] = detail
    return web.json_response(body, status=200 if ready else 503, headers={} if ready else {"Retry-After": "1"})


async def version(request: web.Request) -> web.Response:
    """GET /version: of this service, of what it runs on, and of its store."""
    store = await request.app[ENGINE].describe_store()
    return web.json_response(
        {
            "stockade": __version__,
            "python": platform.python_version(),
            "store": {"product": store.product, "version": store.version, "durable": store.durable},
        }
    )
