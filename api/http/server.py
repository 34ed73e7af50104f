"""Runs the HTTP door until it is told to stop: SIGINT or SIGTERM."""

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial

from aiohttp import web

from api.http.access.start import check_door, check_parser
from api.http.aiohttp_lane import DOOR
from api.http.app import build_app
from api.http.bulk import stop_bulks
from api.http.bulk_lines import result_line
from api.http.events import stop_streams
from api.http.fast import Door
from api.http.fast.door import KEEPALIVE_S
from api.http.keys import DRAIN, WATCH
from api.http.principal import GATE
from api.http.reader import Reader, readers
from api.http.seat import Seat
from engine import Engine, Settings, open_engine
from engine.stream_intake import StreamIntake

DRAINS = 5
"""Who stops waits for `drain_s` for the stream intake, the connections, twice for whom aiohttp has left, the engine."""
END_MARGIN_S = 5.0


def end_wait_s(settings: Settings) -> float:
    """How long `serve` may take to end, at the most."""
    return settings.drain_delay_s + DRAINS * settings.drain_s + END_MARGIN_S


async def serve(
    settings: Settings,
    *,
    on_ready: Callable[[Engine, str], Awaitable[None]],
    stop_with_stdin: bool = False,
    sockets: Sequence[socket.socket] = (),
    seat: Seat | None = None,
    on_door: Callable[[Door], None] | None = None,
) -> None:
    """Open the store, listen, call `on_ready` with the engine and the URL, and serve until a signal comes.

    `stop_with_stdin`: also until standard input ends, which it does when the process that holds its other end dies.
    `sockets` are bound already, and listened on in place of the settings' address. `seat`: of several workers.
    `on_door` is called before `on_ready`, with the door as it opens.

    Raises StockadeError when the store cannot be opened or the service would be unsafe, OSError when the address cannot
    be had.
    """
    check_parser()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_number, stop.set)
    if stop_with_stdin:
        loop.add_reader(sys.stdin.fileno(), stop_at_end, stop)
    async with open_engine(settings) as engine:
        check_door(engine)
        app = build_app(engine, seat)
        spare_what_stays()
        async with open_door(app, engine, sockets) as url, contextlib.AsyncExitStack() as stack:
            if settings.stream_intake:
                count = partial(app[WATCH].observe_orders, "stream")
                await stack.enter_async_context(StreamIntake(engine, line_of=result_line, count=count))
            if on_door is not None:
                on_door(app[DOOR])
            await on_ready(engine, url)
            await stop.wait()
            stop.clear()
            app[DRAIN].begun = app[WATCH].meter.draining = True
            # A second signal is from somebody who will not wait.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), settings.drain_delay_s)


def spare_what_stays() -> None:
    """Have the collector of garbage leave alone what is there once a service has started.

    It would look at all of it again now and then, which keeps every request waiting: 65 to 80 ms.
    """
    gc.collect()
    gc.freeze()


@contextlib.asynccontextmanager
async def open_door(app: web.Application, engine: Engine, sockets: Sequence[socket.socket] = ()) -> AsyncIterator[str]:
    """Both lanes on one port, that of `sockets`, else as the engine's settings say; yields the URL.

    At the end: no new connections, then answers for what has begun to come. The engine is closed by who opened it.
    """
    settings = engine.settings
    runner = web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        shutdown_timeout=settings.drain_s,
    )
    watch = app[WATCH]

    def aiohttp() -> Reader:
        return make_reader()

    app[DOOR] = door = Door(
        engine,
        app[GATE],
        watch,
        aiohttp,
        connections_max=settings.connections_max,
        request_read_s=settings.request_read_s,
    )
    async with contextlib.AsyncExitStack() as stack:
        if watch.traces is not None:
            stack.push_async_callback(asyncio.to_thread, watch.traces.close)
        # Ends after both lanes: what they answer to their end counts.
        await stack.enter_async_context(watch.meter.running(door))
        stack.push_async_callback(runner.cleanup)
        await runner.setup()
        assert runner.server is not None, "it was set up just now"
        make_reader = readers(runner.server, watch, keepalive_s=KEEPALIVE_S)
        address = await door.open(settings.host, settings.port, sockets)
        try:
            yield url_of(address)
        finally:
            await stop_streams(app)
            await door.drain(settings.drain_s)
            app[DRAIN].end()
            await stop_bulks(app)
            await door.give_up()


def url_of(address: tuple[str, int]) -> str:
    """Where an address is served."""
    host, port = address
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def stop_at_end(stop: asyncio.Event) -> None:
    """Set `stop` once standard input has ended; the loop's reader of it."""
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        stop.set()
