"""Runs the HTTP door until it is told to stop: SIGINT or SIGTERM."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable

from aiohttp import web

from api.http.app import build_app
from api.http.bulk import result_line
from engine import Engine, Settings, open_engine
from engine.stream_intake import StreamIntake

KEEPALIVE_S = 75.0
BACKLOG = 1_024
"""Connections that the kernel holds for us while we are busy."""


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
    async with open_engine(settings) as engine, contextlib.AsyncExitStack() as stack:
        runner = web.AppRunner(
            build_app(engine),
            access_log=None,
            handle_signals=False,
            keepalive_timeout=KEEPALIVE_S,
            shutdown_timeout=settings.drain_s,
        )
        await runner.setup()
        try:
            site = web.TCPSite(runner, settings.host, settings.port, backlog=BACKLOG)
            await site.start()
            host, port = runner.addresses[0][:2]
            if settings.stream_intake:
                await stack.enter_async_context(StreamIntake(engine, line_of=result_line))
            await on_ready(engine, f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")
            await stop.wait()
        finally:
            # First no new requests, then answers for those under way, then the engine closes.
            await runner.cleanup()


def _stop_at_end(stop: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        stop.set()
