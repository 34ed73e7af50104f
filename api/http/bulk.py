"""Orders in bulk over HTTP: lines of JSON in, lines of JSON out, while both are still on their way.

Each line is an order by itself. Lines are read only as fast as their results are taken: a client reads while it sends.
An answer that ends without its last chunk is one to a part of the body: the rest, sent again, tells what was done.
"""

import asyncio
import contextlib
from dataclasses import dataclass, field

import msgspec
import structlog
from aiohttp import web

from api.http.access.channel import other_channel
from api.http.body import too_large
from api.http.keys import ENGINE, REQUEST_ID, WATCH
from api.http.lines import LineCutter
from api.http.orders import refusal
from api.http.principal import principal_of
from api.http.problems import Problem
from api.http.request_id import HEADER
from api.watch import Watch
from engine import Engine
from engine.errors import EngineClosed
from engine.intake import Broken, Invalid, Lot, OtherChannel, Reserved
from engine.intake.lot import Told
from engine.model import limits

MEDIA_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")

BULKS_MAX = 32
"""Bodies at once."""
BULK_RETRY_S = 5
LOTS_AHEAD_MAX = 16
"""Lots of one body whose results are not taken yet: some two megabytes of orders, and of results."""
READ_WAIT_S = 60.0
"""How long a client that sends nothing is waited for."""
WRITE_WAIT_S = 30.0
"""How long one that takes no results is waited for."""

log = structlog.get_logger(__name__)


@dataclass
class Bulks:
    """Bodies of one application that are being read, by the tasks that read them."""

    readers: set[asyncio.Task[None]] = field(default_factory=set)


BULKS: web.AppKey[Bulks] = web.AppKey("bulks", Bulks)


async def post_orders_bulk(request: web.Request) -> Problem | web.StreamResponse:
    """POST /v1/orders:bulk: reserve the orders of a body of lines, each durably before its line of the answer."""
    if (problem := _refused(request)) is not None:
        return problem
    bulks, engine = request.app[BULKS], request.app[ENGINE]
    request_id = request[REQUEST_ID]
    response = web.StreamResponse(headers={"Content-Type": MEDIA_TYPES[0], HEADER: request_id})
    lots: asyncio.Queue[Lot | None] = asyncio.Queue()
    ahead = asyncio.Semaphore(LOTS_AHEAD_MAX)
    reader = asyncio.create_task(_read(request, engine, lots, ahead))
    bulks.readers.add(reader)
    transport = request.transport
    assert transport is not None, "a request comes with its connection"
    try:
        await response.prepare(request)
        while (lot := await lots.get()) is not None:
            await lot.done
            count_lot(lot, "bulk", request.app[WATCH])
            async with asyncio.timeout(WRITE_WAIT_S):
                await response.write(answer_lines(lot, request_id))
            ahead.release()
        await reader
    except (ConnectionError, TimeoutError, web.RequestPayloadError, EngineClosed, asyncio.CancelledError) as error:
        # What is committed stays. Without its last chunk, the answer says by itself that it is not whole.
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        log.info("a bulk body was not read to its end", request_id=request_id, error=repr(error))
        if transport.get_write_buffer_size() > 0 and isinstance(error, TimeoutError):
            transport.abort()
        transport.close()
    finally:
        bulks.readers.discard(reader)
        reader.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await reader
    return response


async def stop_bulks(app: web.Application) -> None:
    """Reads no further when the service stops; what was read is answered."""
    for reader in app[BULKS].readers:
        reader.cancel()


def answer_lines(lot: Lot, request_id: str) -> bytes:
    """The results of a lot, a line each, in the order of its lines."""
    return lot.core.answers([(place, result_line(told, request_id)) for place, told in lot.told.items()])


def count_lot(lot: Lot, via: str, watch: Watch) -> None:
    """Tell what became of the orders of a lot."""
    watch.observe_orders(via, "reserved", lot.core.reserved)
    for told in lot.told.values():
        problem = _problem_of(told)
        watch.observe_orders(via, "replayed" if problem is None else problem.type)


def _problem_of(told: Told) -> Problem | None:
    """Why an order is not held; None if it is."""
    match told.outcome:
        case Reserved():
            return None
        case Broken(detail, too_long):
            return too_large(limits.ORDER_BYTES_MAX).problem if too_long else Problem("broken-json", detail)
        case OtherChannel(channel):
            return other_channel(channel)
        case outcome:
            return refusal(told.order_id or "", outcome)


def result_line(told: Told, request_id: str) -> bytes:
    """The line that tells what became of one order."""
    outcome = told.outcome
    if isinstance(outcome, Reserved):
        word = b'{"outcome":"replayed",' if outcome.replayed else b'{"outcome":"reserved",'
        return word + outcome.json[1:] + b"\n"
    refused = "invalid" if isinstance(outcome, Invalid | Broken) else "rejected"
    problem = _problem_of(told)
    assert problem is not None, "what is held has another line"
    return msgspec.json.encode({"outcome": refused, "order_id": told.order_id} | problem.body(request_id)) + b"\n"


def _refused(request: web.Request) -> Problem | None:
    if request.headers.get("Content-Type") and request.content_type not in MEDIA_TYPES:
        detail = f"Send lines of JSON, an order each, as {MEDIA_TYPES[0]}: curl --data-binary, not -d."
        return Problem("unsupported-media-type", detail)
    if len(request.app[BULKS].readers) >= BULKS_MAX:
        return Problem("overloaded", f"{BULKS_MAX} bodies are being read. Come back.", retry_after_s=BULK_RETRY_S)
    return None


async def _read(
    request: web.Request, engine: Engine, lots: asyncio.Queue[Lot | None], ahead: asyncio.Semaphore
) -> None:
    """Reads the body to its end, a lot for whatever whole lines have come; then None, however it ends."""
    channel = principal_of(request).channel
    cutter = LineCutter(limits.ORDER_BYTES_MAX)
    try:
        while True:
            async with asyncio.timeout(READ_WAIT_S):
                data = await request.content.readany()
            lines = cutter.feed(data) if data else cutter.end()
            if lines:
                await ahead.acquire()
                lots.put_nowait(await engine.submit_lot(lines, channel=channel))
            if not data:
                return
    finally:
        lots.put_nowait(None)
