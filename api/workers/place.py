"""One worker's place: a process serves there, and when it dies the next one, on the same socket."""

import asyncio
import contextlib
import signal
import socket

import structlog

from api.http.seat import Seat
from api.workers.backoff import Backoff
from api.workers.channel import BEAT_S, Failed, Listens
from api.workers.cover import Cover
from api.workers.port import Port
from api.workers.process import WorkerProcess
from engine import Settings
from engine.errors import StockadeError
from engine.tasks import end_task

QUEUE_HELD_S = 1.0
"""While no worker at all serves, clients are let into a queue for a pause of so long, and for the start after it."""
SILENT_BEATS_COVERED = 3
"""A worker that was silent for so many beats is helped by the others, who take clients from its queue, ..."""
SILENT_BEATS_MAX = 15
"""... and after so many it is killed: those whom it has already are helped by nothing else."""
START_BEATS_MAX = 120
"""Beats that a worker may take to its first: before, it loads modules, which a busy machine may take long for."""

log = structlog.get_logger(__name__)


class WorkerFailed(StockadeError):
    """A worker could not begin; the message is its own."""


class Place:
    """Keeps one worker alive."""

    def __init__(self, settings: Settings, seat: Seat, port: Port, cover: Cover) -> None:
        self._settings = settings
        self._seat = seat
        self._port = port
        self._cover = cover
        self._backoff = Backoff()
        self._sockets: list[socket.socket] = []
        self._worker: WorkerProcess | None = None
        self._stop = asyncio.Event()
        self._ends_by = signal.SIGTERM
        self.listens = asyncio.Event()
        """Set once the first worker of this place listens."""

    async def keep(self) -> None:
        """Have a worker here until `stop`. Raises WorkerFailed, or OSError, when the first one cannot begin."""
        loop = asyncio.get_running_loop()
        try:
            while not self._stop.is_set():
                began = loop.time()
                try:
                    how = await self._one_life()
                except OSError as error:
                    if not self.listens.is_set():
                        raise
                    how = f"not started: {error}"
                if not self._stop.is_set():
                    await self._pause(how, self._backoff.after(loop.time() - began))
        finally:
            self._drop_sockets()

    def stop(self, number: signal.Signals) -> None:
        """Send the worker a signal that ends it, and start no other; `keep` returns when it has ended."""
        self._ends_by = number
        self._stop.set()
        # First ours, then its own: while either is open, clients are let into a queue that nobody serves.
        self._drop_sockets()
        if self._worker is not None:
            self._worker.tell(number)

    async def _one_life(self) -> str:
        self._sockets = self._sockets or self._port.sockets()
        self._worker = worker = await WorkerProcess.start(self._settings, self._seat, self._sockets)
        if self._stop.is_set():
            worker.tell(self._ends_by)
        watch = asyncio.create_task(self._watch(worker))
        try:
            said = await worker.said()
            if isinstance(said, Listens):
                self.listens.set()
                self._cover.serves(self._seat.number, worker)
                log.info("a worker listens", worker=self._seat.number, pid=worker.pid)
            how = await worker.gone()
        finally:
            await end_task(watch)
            self._worker = None
            self._cover.gone(self._seat.number)
        failure = said.failure if isinstance(said, Failed) else None
        if not self._stop.is_set():
            if not self.listens.is_set():
                raise WorkerFailed(failure or f"Worker {self._seat.number} ended before it was ready: {how}.")
            self._cover.wanted(self._seat.number, self._sockets)
        return how if failure is None else f"{how}: {failure}"

    async def _watch(self, worker: WorkerProcess) -> None:
        """Have the others serve for a worker that does not beat, and end it if that lasts."""
        silent, heard, covered = 0, 0, False
        while not self._stop.is_set():
            # Counted in beats, not by a clock: where the supervisor itself stood still, they lie ready.
            await asyncio.sleep(BEAT_S)
            silent, heard = silent + 1 if worker.heard == heard else 0, worker.heard
            if silent >= (SILENT_BEATS_MAX if heard else START_BEATS_MAX):
                log.error("a worker is silent, and is killed", worker=self._seat.number, pid=worker.pid)
                worker.tell(signal.SIGKILL)
                return
            if silent >= SILENT_BEATS_COVERED and heard and not covered:
                covered = True
                log.warning("a worker is silent: others serve for it", worker=self._seat.number, pid=worker.pid)
                self._cover.wanted(self._seat.number, self._sockets)
            elif covered and not silent:
                covered = False
                log.warning("a worker is heard again", worker=self._seat.number, pid=worker.pid)
                self._cover.serves(self._seat.number, worker)

    async def _pause(self, how: str, wait_s: float) -> None:
        log.error("a worker ended, and is started again", worker=self._seat.number, how=how, in_s=wait_s)
        if wait_s > QUEUE_HELD_S and not self._cover.anybody:
            # Better refused at once than after that.
            self._drop_sockets()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), wait_s)

    def _drop_sockets(self) -> None:
        self._cover.forget(self._seat.number)
        for one in self._sockets:
            one.close()
        self._sockets = []
