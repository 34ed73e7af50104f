"""A worker's process, as its supervisor sees it."""

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Sequence

from api.http.seat import Seat
from api.workers.channel import Beat, Cover, Failed, Listens, Release, all_said, channel, job_message, tell
from engine import Settings


class WorkerProcess:
    """A worker that was started. Our end of its channel stays open as long as this process lives, or until `gone`."""

    def __init__(self, process: asyncio.subprocess.Process, end: socket.socket) -> None:
        self.heard = 0
        """Messages that came from it: the beats of its event loop, above all."""
        self._process = process
        self._end = end
        self._loop = asyncio.get_running_loop()
        self._said: asyncio.Future[Listens | Failed | None] = self._loop.create_future()
        self._loop.add_reader(end, self._read)

    @classmethod
    async def start(cls, settings: Settings, seat: Seat, sockets: Sequence[socket.socket]) -> "WorkerProcess":
        """Start one that listens on `sockets`. Raises OSError."""
        ours, theirs = channel()
        descriptors = tuple(one.fileno() for one in sockets)
        try:
            process = await asyncio.create_subprocess_exec(
                # Safely (-P): the folder that the service was started in may have an `api` of its own.
                *(sys.executable, "-P", "-m", "api.workers.worker", str(theirs.fileno())),
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
        worker = cls(process, ours)
        # One that has died already is seen by its end.
        with contextlib.suppress(ConnectionError):
            ours.send(job_message(settings, seat, descriptors))
        return worker

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    async def said(self) -> Listens | Failed | None:
        """How its start went; None when it ended without a word."""
        return await self._said

    async def gone(self) -> str:
        """Wait until it has ended; returns how, in words."""
        code = await self._process.wait()
        self._loop.remove_reader(self._end)
        self._end.close()
        return how_it_ended(code)

    def tell(self, number: signal.Signals) -> None:
        """Send a signal, if it lives."""
        if self._process.returncode is None:
            self._process.send_signal(number)

    def cover(self, place: int, sockets: Sequence[socket.socket]) -> None:
        """Have it serve another place's sockets, too."""
        tell(self._end, Cover(place), sockets)

    def release(self, place: int) -> None:
        """Have it leave them again to that place's own worker."""
        tell(self._end, Release(place))

    def _read(self) -> None:
        found = all_said(self._end)
        if found is None:
            self._loop.remove_reader(self._end)
            self._settle(None)
            return
        self.heard += len(found)
        for said in found:
            if not isinstance(said, Beat):
                self._settle(said)

    def _settle(self, said: Listens | Failed | None) -> None:
        if not self._said.done():
            self._said.set_result(said)


def how_it_ended(code: int) -> str:
    """A process's return code in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"
