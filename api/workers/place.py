"""One worker's place: a process serves there, and when it dies the next one, on the same socket."""

import asyncio
import contextlib
import signal
import socket

import structlog

from api.http.seat import Seat
from api.workers.backoff import Backoff
from api.workers.port import Port
from api.workers.process import WorkerProcess
from engine import Settings
from engine.errors import StockadeError

QUEUE_HELD_S = 1.0
"""A place that stays empty longer gives up its socket: else every so manyth client would wait for it in vain."""

log = structlog.get_logger(__name__)


class WorkerFailed(StockadeError):
    """A worker could not begin; the message is its own."""


class Place:
    """Keeps one worker alive."""

    def __init__(self, settings: Settings, seat: Seat, port: Port) -> None:
        self._settings = settings
        self._seat = seat
        self._port = port
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
        worker = await WorkerProcess.start(self._settings, self._seat, self._sockets)
        self._worker = worker
        if self._stop.is_set():
            worker.tell(self._ends_by)
        said = await worker.said()
        if said is not None and said.failure is None:
            self.listens.set()
            log.info("a worker listens", worker=self._seat.number, pid=worker.pid)
        how = await worker.gone()
        self._worker = None
        failure = said.failure if said is not None else None
        if not self.listens.is_set() and not self._stop.is_set():
            raise WorkerFailed(failure or f"Worker {self._seat.number} ended before it was ready: {how}.")
        return how if failure is None else f"{how}: {failure}"

    async def _pause(self, how: str, wait_s: float) -> None:
        log.error("a worker ended, and is started again", worker=self._seat.number, how=how, in_s=wait_s)
        if wait_s > QUEUE_HELD_S:
            self._drop_sockets()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), wait_s)

    def _drop_sockets(self) -> None:
        for one in self._sockets:
            one.close()
        self._sockets = []
