"""Orders in bulk over HTTP: lines of JSON in, lines of JSON out, while both are still on their way.

Each line is an order by itself. Lines are read only as fast as their results are taken: a client reads while it sends;
and as fast as the limit of its key allows, of which each line is one request.
An answer that ends without its last chunk is one to a part of the body: the rest, sent again, tells what was done.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog
from aiohttp import web

from api.http.bulk_ahead import Ahead
from api.http.bulk_lines import answer_lines, observe
from api.http.keys import ENGINE, REQUEST_ID, WATCH
from api.http.lines import LineCutter, parts
from api.http.principal import GATE, principal_of
from api.http.problems import Problem
from api.http.reader import LINGER_S
from api.http.request_id import HEADER
from api.rate_limit import paced
from api.watch import Watch
from engine import Engine
from engine.errors import EngineClosed
from engine.intake import Lot
from engine.model import limits
from engine.slices import Slices
from engine.tasks import end_task

MEDIA_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")

BULKS_MAX = 32
"""Bodies at once."""
BULK_RETRY_S = 5
LOT_LINES_MAX = 500
"""Lines of one lot: what comes of them is many times as long where they are short and bad."""
READ_WAIT_S = 60.0
"""How long a client that sends nothing is waited for."""
WRITE_WAIT_S = 30.0
"""How long one that takes no results is waited for."""

log = structlog.get_logger(__name__)


@dataclass
class Bulks:
    """Bodies of one application that are being read, by the tasks that read them, with whose they are."""

    readers: dict[asyncio.Task[None], str] = field(default_factory=dict)
    unheard: set[asyncio.Task[None]] = field(default_factory=set)
    """What was decided for clients that had gone, and is still to be counted."""
    slices: Slices = field(default_factory=Slices)
    """In which their results are written, where that takes long."""


BULKS: web.AppKey[Bulks] = web.AppKey("bulks", Bulks)


async def post_orders_bulk(request: web.Request) -> Problem | web.StreamResponse:
    """POST /v1/orders:bulk: reserve the orders of a body of lines, each durably before its line of the answer."""
    if (problem := _refused(request)) is not None:
        return problem
    bulks, engine = request.app[BULKS], request.app[ENGINE]
    request_id = request[REQUEST_ID]
    response = web.StreamResponse(headers={"Content-Type": MEDIA_TYPES[0], HEADER: request_id})
    ahead = Ahead()
    reader = asyncio.create_task(_read(request, engine, ahead))
    answerer = asyncio.create_task(_answer(ahead, request_id, bulks.slices, request.app[WATCH]))
    bulks.readers[reader] = principal_of(request).source
    transport = request.transport
    assert transport is not None, "a request begins with its connection"
    try:
        await response.prepare(request)
        while (lines := await ahead.lines()) is not None:
            async with asyncio.timeout(WRITE_WAIT_S):
                await response.write(lines)
            ahead.taken(lines)
        await answerer
        await reader
    except (ConnectionError, TimeoutError, web.RequestPayloadError, EngineClosed, asyncio.CancelledError) as error:
        # What is committed stays. Without its last chunk, the answer says by itself that it is not whole.
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        log.info("a bulk body was not read to its end", request_id=request_id, error=repr(error))
        if transport.get_write_buffer_size() > 0 and isinstance(error, TimeoutError):
            transport.abort()
        else:
            await _linger(request, transport)
        transport.close()
    finally:
        bulks.readers.pop(reader, None)
        for task in (reader, answerer):
            with contextlib.suppress(asyncio.CancelledError):
                await end_task(task)
        if lots := ahead.abandon():
            unheard = asyncio.create_task(_count(lots, request.app[WATCH], bulks.slices))
            bulks.unheard.add(unheard)
            unheard.add_done_callback(bulks.unheard.discard)
    return response


async def _linger(request: web.Request, transport: asyncio.Transport) -> None:
    """Take what the client still sends, for a while: to close on unread data would have it lose answers, too."""
    with contextlib.suppress(Exception):
        transport.write_eof()
        async with asyncio.timeout(LINGER_S):
            while await request.content.readany():
                pass


async def stop_bulks(app: web.Application) -> None:
    """Reads no further when the service stops; what was read is answered."""
    for reader in list(app[BULKS].readers):
        reader.cancel()


def _refused(request: web.Request) -> Problem | None:
    if request.headers.get("Content-Type") and request.content_type not in MEDIA_TYPES:
        detail = f"Send lines of JSON, an order each, as {MEDIA_TYPES[0]}: curl --data-binary, not -d."
        return Problem("unsupported-media-type", detail)
    readers, source = request.app[BULKS].readers, principal_of(request).source
    # As lots do (engine/intake/lots.py): each key may have as many as are left, so that no one takes them all.
    own = sum(whose == source for whose in readers.values())
    if own >= BULKS_MAX - len(readers):
        detail = f"{len(readers)} bodies are being read, {own} of them with this key. Come back."
        return Problem("overloaded", detail, retry_after_s=BULK_RETRY_S)
    return None


async def _read(request: web.Request, engine: Engine, ahead: Ahead) -> None:
    """Reads the body to its end, lots for whatever whole lines have come; then ends them, however it ends."""
    principal, limiter = principal_of(request), request.app[GATE].limiter
    cutter = LineCutter(limits.ORDER_BYTES_MAX)
    try:
        while True:
            async with asyncio.timeout(READ_WAIT_S):
                data = await request.content.readany()
            lines = cutter.feed(data) if data else cutter.end()
            async for due in paced(lines, limiter, principal):
                for part in parts(due, LOT_LINES_MAX):
                    await ahead.room()
                    lot = await engine.submit_lot(part, channel=principal.channel, source=principal.source)
                    ahead.add(lot, len(part))
            if not data:
                return
    finally:
        ahead.end()


async def _answer(ahead: Ahead, request_id: str, slices: Slices, watch: Watch) -> None:
    """Makes lines of lots that are done, in their order."""
    try:
        while (lot := await ahead.lot()) is not None:
            # A lot ends for whoever else has to do with it, not with this task.
            await asyncio.shield(lot.done)
            ahead.answer(lot, await answer_lines(lot, request_id, watch=watch, slices=slices))
    finally:
        ahead.answered_all()


async def _count(lots: Sequence[Lot], watch: Watch, slices: Slices) -> None:
    """Has the watch know what became of orders whose client had gone."""
    for lot in lots:
        with contextlib.suppress(EngineClosed):
            await asyncio.shield(lot.done)
            await observe(lot, watch=watch, slices=slices)
