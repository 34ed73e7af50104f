"""The event feed over HTTP: pages for those who ask, and a stream of server-sent events for those who stay."""

import asyncio
from dataclasses import dataclass, field

import msgspec
import structlog
from aiohttp import web

from api.http.answer import Answer, json_answer
from api.http.keys import ENGINE
from api.http.problems import Problem
from engine import Engine
from engine.errors import EventsExpired, FieldError, InvalidInput, StockadeError
from engine.feed.pages import check_bounds
from engine.model.event import EventPage

PAGE_EVENTS_DEFAULT = 100

STREAMS_MAX = 100
"""Streams at once: each costs the store a look with every change."""
STREAM_RETRY_S = 5
LOOK_MS = 1_000
"""How soon it is seen that a reader went while nothing happened."""
HEARTBEAT_LOOKS = 10
"""Looks without an event after which a comment shows the reader that we are there."""
WRITE_WAIT_S = 30.0
"""How long a reader that takes nothing is waited for. Meanwhile it costs one page."""
RECONNECT_MS = 1_000

_QUERY = ("after", "limit", "wait_ms")

log = structlog.get_logger(__name__)


@dataclass
class Streams:
    """Streams of one application, by their connections."""

    open: set[asyncio.Transport] = field(default_factory=set)


STREAMS: web.AppKey[Streams] = web.AppKey("streams", Streams)


async def get_events(request: web.Request) -> Answer | Problem | web.StreamResponse:
    """GET /v1/events: a page after a cursor; with `Accept: text/event-stream` all that comes."""
    after, limit, wait_ms = _query(request)
    engine = request.app[ENGINE]
    if "text/event-stream" in request.headers.get("Accept", ""):
        # A reader that lost its connection sends where it was, and asks by the address it began with.
        return await _stream(request, engine, request.headers.get("Last-Event-ID") or after, limit)
    page = await engine.events(after=after, limit=limit, wait_ms=wait_ms)
    return json_answer(page)


async def stop_streams(app: web.Application) -> None:
    """Ends streams and waits when the service stops: no connection of theirs may hold it up."""
    app[ENGINE].feed.stop_waiting()
    for transport in app[STREAMS].open:
        # One that does not take what it was sent would not take the end either.
        if transport.get_write_buffer_size() > 0:
            transport.abort()


async def _stream(request: web.Request, engine: Engine, after: str | None, limit: int) -> Problem | web.StreamResponse:
    streams = request.app[STREAMS]
    if len(streams.open) >= STREAMS_MAX:
        detail = f"{STREAMS_MAX} streams are open. Read pages, or come back."
        return Problem("overloaded", detail, retry_after_s=STREAM_RETRY_S)
    transport = request.transport
    assert transport is not None, "a request comes with its connection"
    streams.open.add(transport)
    try:
        # Before the first byte, so that a cursor that leads nowhere is answered as everywhere else.
        page = await engine.events(after=after, limit=limit)
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        )
        await response.prepare(request)
        try:
            await _write_pages(transport, response, engine, page, limit)
        except (ConnectionError, TimeoutError):
            # It went, or has taken nothing for long: what it has not read is still there when it comes back.
            transport.abort()
        return response
    finally:
        streams.open.discard(transport)


async def _write_pages(
    transport: asyncio.Transport, response: web.StreamResponse, engine: Engine, page: EventPage, limit: int
) -> None:
    await _write(response, f"retry: {RECONNECT_MS}\n\n".encode())
    silent = 0
    while not engine.feed.stopping and not transport.is_closing():
        try:
            for event in page.events:
                data = msgspec.json.encode(event)
                await _write(response, b"id: %b\ndata: %b\n\n" % ((event.cursor or "").encode(), data))
            if not page.events and silent % HEARTBEAT_LOOKS == 0:
                await _write(response, b": still here\n\n")
            silent = 0 if page.events else silent + 1
            page = await engine.events(after=page.cursor, limit=limit, wait_ms=LOOK_MS)
        except EventsExpired as error:
            data = msgspec.json.encode({"type": "cursor-expired", "detail": str(error), "oldest": error.oldest})
            await _write(response, b"event: problem\ndata: %b\n\n" % data)
            return
        except StockadeError as error:
            # It connects again by itself, and is told then if the store is still away.
            log.info("an event stream ended", error=str(error))
            return


async def _write(response: web.StreamResponse, data: bytes) -> None:
    async with asyncio.timeout(WRITE_WAIT_S):
        await response.write(data)


def _query(request: web.Request) -> tuple[str | None, int, int]:
    query = request.query
    errors = tuple(FieldError(f"/{name}", f"is none of {', '.join(_QUERY)}") for name in query if name not in _QUERY)
    errors += tuple(
        FieldError(f"/{name}", "is given more than once") for name in _QUERY if len(query.getall(name, ())) > 1
    )
    numbers = {"limit": PAGE_EVENTS_DEFAULT, "wait_ms": 0}
    for name in numbers:
        text = query.get(name)
        if text is not None and text.isascii() and text.isdigit() and len(text) < 10:
            numbers[name] = int(text)
        elif text is not None:
            errors += (FieldError(f"/{name}", "must be a whole number"),)
    if errors:
        raise InvalidInput(errors)
    check_bounds(numbers["limit"], numbers["wait_ms"])
    return query.get("after"), numbers["limit"], numbers["wait_ms"]
