"""The event feed over HTTP: pages for those who ask, and a stream of server-sent events for those who stay."""

import asyncio
from dataclasses import dataclass, field

import msgspec
import structlog
from aiohttp import web

from api.http.answer import Answer, json_answer
from api.http.keys import ENGINE, REQUEST_ID
from api.http.principal import principal_of
from api.http.problems import Problem
from api.http.query import Query
from api.http.reader import client_ended
from api.http.request_id import HEADER
from engine import Engine
from engine.errors import EventsExpired, StockadeError
from engine.feed.pages import EVENTS_MAX, WAIT_MS_MAX
from engine.model.event import EventPage

PAGE_EVENTS_DEFAULT = 100

STREAMS_MAX = 100
"""Streams at once: each costs the store a look with every change. One key alone has half of them."""
STREAM_RETRY_S = 5
LOOK_MS = 1_000
"""How soon it is seen that a reader went while nothing happened."""
HEARTBEAT_LOOKS = 10
"""Looks without an event after which a comment shows the reader that we are there."""
WRITE_WAIT_S = 30.0
"""How long a reader that takes nothing is waited for. Meanwhile it costs one page."""
RECONNECT_MS = 1_000
STREAM_HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache", "X-Accel-Buffering": "no"}

_QUERY = ("after", "limit", "wait_ms")

log = structlog.get_logger(__name__)


@dataclass
class Streams:
    """Streams of one application, by their connections, with whose they are."""

    open: dict[asyncio.Transport, str] = field(default_factory=dict)


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
    streams, source = request.app[STREAMS].open, principal_of(request).source
    # As bodies in bulk: each key may have as many as are left, so that no one takes them all.
    own = sum(whose == source for whose in streams.values())
    if own >= STREAMS_MAX - len(streams):
        detail = f"{len(streams)} streams are open, {own} of them with this key. Read pages, or come back."
        return Problem("overloaded", detail, retry_after_s=STREAM_RETRY_S)
    transport = request.transport
    assert transport is not None, "a request begins with its connection"
    streams[transport] = source
    try:
        # Before the first byte, so that a cursor that leads nowhere is answered as everywhere else.
        page = await engine.events(after=after, limit=limit)
        response = web.StreamResponse(headers={**STREAM_HEADERS, HEADER: request[REQUEST_ID]})
        await response.prepare(request)
        try:
            await _write_pages(request, transport, response, page, limit)
        except (ConnectionError, TimeoutError):
            # It went, or has taken nothing for long: what it has not read is still there when it comes back.
            transport.abort()
        return response
    finally:
        streams.pop(transport, None)


async def _write_pages(
    request: web.Request, transport: asyncio.Transport, response: web.StreamResponse, page: EventPage, limit: int
) -> None:
    engine = request.app[ENGINE]
    await _write(response, f"retry: {RECONNECT_MS}\n\n".encode())
    silent = 0
    # What has no end by itself ends with the client's side.
    while not (engine.feed.stopping or transport.is_closing() or client_ended(request)):
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
    query = Query(request.query, _QUERY)
    limit = query.number("limit", PAGE_EVENTS_DEFAULT, 1, EVENTS_MAX)
    wait_ms = query.number("wait_ms", 0, 0, WAIT_MS_MAX)
    query.check()
    return query.text("after"), limit, wait_ms
