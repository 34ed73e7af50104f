"""Runs the HTTP door until it is told to stop: SIGINT or SIGTERM."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from api.http.aiohttp_lane import DOOR
from api.http.app import build_app
from api.http.fast import Door
from api.http.fast.door import KEEPALIVE_S
from api.http.keys import DRAIN, WATCH
from engine import Engine, Settings, open_engine


async def serve(
    settings: Settings, *, on_ready: Callable[[Engine, str], Awaitable[None]], stop_with_stdin: bool = False
) -> None:
    """Open the store, listen, call `on_ready` with the engine and the URL, and serve until a signal comes.

    `stop_with_stdin`: also until standard input ends, which it does when the process that holds its other end dies.

    Raises StockadeError when the store cannot be opened, OSError when the address cannot be had.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_number, stop.set)
    if stop_with_stdin:
        loop.add_reader(sys.stdin.fileno(), _stop_at_end, stop)
    async with open_engine(settings) as engine:
        app = build_app(engine)
        async with open_door(app, engine) as url:
            await on_ready(engine, url)
            await stop.wait()
            stop.clear()
            app[DRAIN].begun = True
            # A second signal is from somebody who will not wait.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), settings.drain_delay_s)


@asynccontextmanager
async def open_door(app: web.Application, engine: Engine) -> AsyncIterator[str]:
    """Both lanes on one port, as the engine's settings say; yields the URL.

    At the end: no new requests, then answers for those under way. The engine is closed by who opened it.
    """
    settings = engine.settings
    runner = web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        keepalive_timeout=KEEPALIVE_S,
        shutdown_timeout=settings.drain_s,
    )

    def aiohttp() -> RequestHandler:
        assert runner.server is not None, "set up before the door opens"
        return runner.server()

    watch = app[WATCH]
    app[DOOR] = door = Door(
        engine, watch, aiohttp, connections_max=settings.connections_max, request_read_s=settings.request_read_s
    )
    await runner.setup()
    try:
        async with watch.meter.running(door):
            host, port = await door.open(settings.host, settings.port)
            try:
                yield f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
            finally:
                await door.stop(drain_s=settings.drain_s)
    finally:
        await runner.cleanup()
        if watch.traces is not None:
            await asyncio.to_thread(watch.traces.close)


def _stop_at_end(stop: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        stop.set()
