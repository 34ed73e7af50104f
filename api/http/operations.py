"""What those who run the service ask it."""

import platform

import msgspec
from aiohttp import web

from api.http.answer import JSON, Answer, json_answer
from api.http.answers import Alive, Readiness, StoreFacts, Versions
from api.http.keys import DRAIN, ENGINE, WATCH
from api.http.lately import Lately
from engine import Engine, State, __version__
from engine.errors import StockadeError


class Looks:
    """What anybody may ask of the store."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.store = Lately(engine.describe_store)
        self.library = Lately(self._library)

    async def _library(self) -> int | StockadeError | None:
        """The version of the store's functions, or why it does not answer."""
        try:
            await self._engine.ping()
            return await self._engine.library_version()
        except StockadeError as error:
            return error


LOOKS: web.AppKey[Looks] = web.AppKey("looks", Looks)


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
        found = await request.app[LOOKS].library.get()
        if isinstance(found, StockadeError):
            status, detail = "store-unavailable", str(found)
        else:
            library_version, detail = found, None
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
    store = await request.app[LOOKS].store.get()
    facts = StoreFacts(store.product, store.version, store.durable)
    return json_answer(Versions(__version__, platform.python_version(), facts))
