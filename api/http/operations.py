"""What those who run the service ask it."""

import platform

import msgspec
from aiohttp import web

from api.http.answer import JSON, Answer, json_answer
from api.http.keys import DRAIN, ENGINE, WATCH
from engine import State, __version__
from engine.errors import StockadeError


async def livez(_request: web.Request) -> Answer:
    """GET /livez: this process answers."""
    return json_answer({"status": "alive"})


async def readyz(request: web.Request) -> Answer:
    """GET /readyz: orders can be taken: the store answers and everything is loaded."""
    engine = request.app[ENGINE]
    body = msgspec.to_builtins(engine.status)
    body["library_version"] = None
    if engine.state is State.READY:
        try:
            await engine.ping()
            body["library_version"] = await engine.library_version()
        except StockadeError as error:
            body |= {"state": "store-unavailable", "detail": str(error)}
    elif engine.intake.unreachable is not None:
        body["detail"] = engine.intake.unreachable
    body["status"] = body.pop("state")
    if request.app[DRAIN].begun:
        body |= {"status": "draining", "detail": "The service is about to stop: send new requests elsewhere."}
    ready = body["status"] == State.READY
    return json_answer(body, status=200 if ready else 503, headers=JSON if ready else {**JSON, "Retry-After": "1"})


async def metrics(request: web.Request) -> Answer:
    """GET /metrics: the numbers of all workers, for Prometheus."""
    content_type, text = await request.app[WATCH].meter.text(request.headers.get("Accept", ""))
    return Answer(200, text, {"Content-Type": content_type})


async def version(request: web.Request) -> Answer:
    """GET /version: of this service, of what it runs on, and of its store."""
    store = await request.app[ENGINE].describe_store()
    return json_answer(
        {
            "stockade": __version__,
            "python": platform.python_version(),
            "store": {"product": store.product, "version": store.version, "durable": store.durable},
        }
    )
