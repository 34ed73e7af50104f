"""One worker: `python -P -m api.workers.worker CHANNEL`, where CHANNEL is the descriptor of its end of the channel.

It serves until it is sent SIGTERM, or until its supervisor is gone, however that ended.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable

import msgspec
import structlog
import uvloop

from api.cli.console import EXIT_WRONG
from api.http import serve
from api.http.fast import Door
from api.http.seat import Seat
from api.http.server import end_wait_s
from api.logs import log_to_standard_error
from api.workers.channel import (
    BEAT_S,
    MESSAGE_BYTES_MAX,
    Beat,
    Cover,
    Failed,
    Listens,
    Told,
    await_told,
    read_job,
    say,
)
from engine import Engine, Settings
from engine.errors import StockadeError
from engine.tasks import end_task

log = structlog.get_logger(__name__)

Heard = Callable[[Told, list[socket.socket]], None]


def main() -> None:
    """Exit codes: 0 told to end, EXIT_WRONG could not serve, and said why."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    message = channel.recv(MESSAGE_BYTES_MAX)
    if not message:
        sys.exit(EXIT_WRONG)
    settings, seat, descriptors = read_job(message)
    log_to_standard_error(settings.log_format)
    if settings.run_dir is None:
        settings = msgspec.structs.replace(settings, run_dir=seat.run_dir)
    structlog.contextvars.bind_contextvars(worker=seat.number)
    sockets = [socket.socket(fileno=descriptor) for descriptor in descriptors]
    try:
        uvloop.run(_serve(settings, seat, sockets, channel))
    except (StockadeError, OSError) as error:
        say(channel, Failed(str(error)))
        sys.exit(EXIT_WRONG)
    finally:
        if _is_gone(channel):
            # Nobody else is left to do it.
            shutil.rmtree(seat.run_dir, ignore_errors=True)


async def _serve(settings: Settings, seat: Seat, sockets: list[socket.socket], channel: socket.socket) -> None:
    loop, tasks = asyncio.get_running_loop(), [asyncio.create_task(_beat(channel))]
    inbox: asyncio.Queue[tuple[Told, list[socket.socket]]] = asyncio.Queue()

    def hear(told: Told, with_it: list[socket.socket]) -> None:
        # The loop may have ended before its supervisor.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(inbox.put_nowait, (told, with_it))

    def open_(door: Door) -> None:
        tasks.append(asyncio.create_task(_obey(door, inbox)))

    async def ready(_engine: Engine, _url: str) -> None:
        say(channel, Listens())

    threading.Thread(target=_listen_and_end_with, args=(channel, settings, hear), daemon=True).start()
    try:
        await serve(settings, on_door=open_, on_ready=ready, sockets=sockets, seat=seat)
    finally:
        for task in tasks:
            await end_task(task)


async def _beat(channel: socket.socket) -> None:
    while True:
        say(channel, Beat())
        await asyncio.sleep(BEAT_S)


async def _obey(door: Door, inbox: asyncio.Queue[tuple[Told, list[socket.socket]]]) -> None:
    while True:
        told, sockets = await inbox.get()
        if isinstance(told, Cover):
            # Once is enough: it may be told twice, when it hung meanwhile.
            door.release(told.place)
            try:
                await door.cover(told.place, sockets)
            except OSError as error:
                log.warning("another worker's clients cannot be served", place=told.place, error=str(error))
        else:
            door.release(told.place)


def _is_gone(channel: socket.socket) -> bool:
    try:
        return channel.recv(1, socket.MSG_DONTWAIT | socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def _listen_and_end_with(channel: socket.socket, settings: Settings, hear: Heard) -> None:
    """Passes on what the supervisor tells, and ends this process with it: in order, else by force."""
    with contextlib.suppress(OSError):
        while (message := await_told(channel)) is not None:
            hear(*message)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(end_wait_s(settings))
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
