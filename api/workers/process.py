"""A worker's process, as its supervisor sees it."""

import asyncio
import signal
import socket
import sys
from collections.abc import Sequence

import msgspec

from api.http.seat import Seat
from api.workers.channel import Said, job_line
from engine import Settings


class WorkerProcess:
    """A worker that was started. Our end of its channel stays open as long as this process lives, or until `gone`."""

    def __init__(
        self, process: asyncio.subprocess.Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer

    @classmethod
    async def start(cls, settings: Settings, seat: Seat, sockets: Sequence[socket.socket]) -> "WorkerProcess":
        """Start one that listens on `sockets`. Raises OSError."""
        ours, theirs = socket.socketpair()
        descriptors = tuple(one.fileno() for one in sockets)
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "api.workers.worker", str(theirs.fileno())),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), *descriptors),
                # The terminal's Ctrl-C is for the supervisor, which tells them.
                start_new_session=True,
            )
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        reader, writer = await asyncio.open_connection(sock=ours)
        writer.write(job_line(settings, seat, descriptors))
        return cls(process, reader, writer)

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    async def said(self) -> Said | None:
        """What it says of its start; None when it ended without a word."""
        try:
            line = await self._reader.readline()
        except ConnectionError:
            return None
        return msgspec.json.decode(line, type=Said) if line.endswith(b"\n") else None

    async def gone(self) -> str:
        """Wait until it has ended; returns how, in words."""
        code = await self._process.wait()
        self._writer.close()
        return how_it_ended(code)

    def tell(self, number: signal.Signals) -> None:
        """Send a signal, if it lives."""
        if self._process.returncode is None:
            self._process.send_signal(number)


def how_it_ended(code: int) -> str:
    """A process's return code in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"
