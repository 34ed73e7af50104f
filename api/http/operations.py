"""What those who run the service ask it."""

import platform

import msgspec
from aiohttp import web

from api.http.answer import JSON, Answer, json_answer
from api.http.answers import Alive, Readiness, StoreFacts, Versions
from api.http.keys import DRAIN, ENGINE, WATCH
from engine import State, __version__
from engine.errors import StockadeError


async def livez(_request: web.Request) -> Answer:
    """GET /livez: this process answers."""
    return json_answer(Alive())


async def readyz(request: web.Request) -> Answer:
    """GET /readyz: orders can be taken: the store answers and everything is loaded."""
    engine = request.app[ENGINE]
    facts = msgspec.structs.asdict(engine.status)
    status, detail = str(facts.pop("state")), engine.intake.unreachable
    library_version = None
    if engine.state is State.READY:
        detail = None
        try:
            await engine.ping()
            library_version = await engine.library_version()
        except StockadeError as error:
            status, detail = "store-unavailable", str(error)
    if request.app[DRAIN].begun:
        status, detail = "draining", "The service is about to stop: send new requests elsewhere."
    body = Readiness(status=status, detail=detail or msgspec.UNSET, library_version=library_version, **facts)
    ready = status == State.READY
    return json_answer(body, status=200 if ready else 503, headers=JSON if ready else {**JSON, "Retry-After": "1"})


async def metrics(request: web.Request) -> Answer:
    """GET /metrics: the numbers of all workers, for Prometheus."""
    content_type, text = await request.app[WATCH].meter.text(request.headers.get("Accept", ""))
    return Answer(200, text, {"Content-Type": content_type})


async def version(request: web.Request) -> Answer:
    """GET /version: of this service, of what it runs on, and of its store."""
    store = await request.app[ENGINE].describe_store()
    facts = StoreFacts(store.product, store.version, store.durable)
    return json_answer(Versions(__version__, platform.python_version(), facts))
