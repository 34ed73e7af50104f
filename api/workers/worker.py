"""One worker: `python -m api.workers.worker CHANNEL`, where CHANNEL is the descriptor of its end of the channel.

It serves until it is sent SIGTERM, or until its supervisor is gone, however that ended.
"""

import contextlib
import os
import shutil
import signal
import socket
import sys
import threading
import time

import msgspec
import structlog
import uvloop

from api.cli.console import EXIT_WRONG
from api.http import serve
from api.http.seat import Seat
from api.logs import log_to_standard_error
from api.workers.channel import Said, read_job
from engine import Engine, Settings
from engine.errors import StockadeError

DRAINS = 3
"""An ending worker may wait for `drain_s` at its fast lane, at its other lane and in its engine."""
END_MARGIN_S = 5.0


def end_wait_s(settings: Settings) -> float:
    """How long a worker may take to end."""
    return DRAINS * settings.drain_s + END_MARGIN_S


def main() -> None:
    """Exit codes: 0 told to end, EXIT_WRONG could not serve, and said why."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    with channel.makefile("rb") as reader:
        line = reader.readline()
    if not line.endswith(b"\n"):
        sys.exit(EXIT_WRONG)
    settings, seat, descriptors = read_job(line)
    log_to_standard_error(settings.log_format)
    if settings.run_dir is None:
        settings = msgspec.structs.replace(settings, run_dir=seat.run_dir)
    structlog.contextvars.bind_contextvars(worker=seat.number)
    threading.Thread(target=_end_with, args=(channel, settings), daemon=True).start()
    sockets = [socket.socket(fileno=descriptor) for descriptor in descriptors]
    try:
        uvloop.run(_serve(settings, seat, sockets, channel))
    except (StockadeError, OSError) as error:
        _say(channel, Said(failure=str(error)))
        sys.exit(EXIT_WRONG)
    finally:
        if _is_gone(channel):
            # Nobody else is left to do it.
            shutil.rmtree(seat.run_dir, ignore_errors=True)


async def _serve(settings: Settings, seat: Seat, sockets: list[socket.socket], channel: socket.socket) -> None:
    async def ready(_engine: Engine, _url: str) -> None:
        _say(channel, Said())

    await serve(settings, on_ready=ready, sockets=sockets, seat=seat)


def _say(channel: socket.socket, said: Said) -> None:
    # Where it is gone, the thread below knows.
    with contextlib.suppress(OSError):
        channel.sendall(msgspec.json.encode(said) + b"\n")


def _is_gone(channel: socket.socket) -> bool:
    try:
        return channel.recv(1, socket.MSG_DONTWAIT | socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def _end_with(channel: socket.socket, settings: Settings) -> None:
    """Ends this process when the supervisor is gone: in order, and by force where that does not help."""
    with contextlib.suppress(OSError):
        channel.recv(1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(end_wait_s(settings))
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
