"""What those who run the service ask it."""

import platform

import msgspec
from aiohttp import web

from api.http.answer import JSON, Answer, json_answer
from api.http.answers import Alive, Readiness, StoreFacts, Versions
from api.http.keys import ENGINE
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
    if engine.state is State.READY:
        detail = None
        try:
            await engine.ping()
        except StockadeError as error:
            status, detail = "store-unavailable", str(error)
    body = Readiness(status=status, detail=detail or msgspec.UNSET, **facts)
    ready = status == State.READY
    return json_answer(body, status=200 if ready else 503, headers=JSON if ready else {**JSON, "Retry-After": "1"})


async def version(request: web.Request) -> Answer:
    """GET /version: of this service, of what it runs on, and of its store."""
    store = await request.app[ENGINE].describe_store()
    facts = StoreFacts(store.product, store.version, store.durable)
    return json_answer(Versions(__version__, platform.python_version(), facts))
