"""The service as a process that is forked off one which has imported it already: it starts in a tenth of the time.

What runs in it is what `stockade serve` runs; only the reading of the command line is left out.
"""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import parent_process
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import uvloop

from api.http import serve
from api.logs import log_to_standard_error
from engine import Engine, Settings

START_WAIT_S = 60.0
POLL_S = 0.005

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([__name__])


class ForkedService:
    """A service on an embedded store, to be started and killed again and again."""

    def __init__(self, data_dir: Path, **settings: Any) -> None:
        self.data_dir = data_dir
        self._settings = Settings(data_dir=data_dir, port=0, **settings)
        self._process: multiprocessing.context.ForkServerProcess | None = None
        self._url: Connection | None = None

    def launch(self) -> None:
        """Start it; it may be killed before it is ready. Its store may be that of its predecessor, on its way out."""
        self._url, theirs = _processes.Pipe(duplex=False)
        self._process = _processes.Process(target=_run, args=(self._settings, theirs))
        self._process.start()
        theirs.close()

    def ready(self) -> str:
        """Wait until it listens; returns its URL."""
        assert self._url is not None
        assert self._url.poll(START_WAIT_S), "the service does not start"
        try:
            url = self._url.recv()
        except EOFError:
            raise AssertionError("the service ended before it was ready") from None
        assert isinstance(url, str)
        return url

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        assert self._process.pid is not None
        return self._process.pid

    @property
    def store_pid(self) -> int:
        """The process of its own store, 0 while there is none: its launcher wrote the pid into the lock."""
        try:
            text = (self.data_dir / "lock").read_text()
            stat = Path(f"/proc/{int(text)}/stat").read_text() if text.endswith("\n") else ""
        except (FileNotFoundError, ProcessLookupError):
            return 0
        # A pid that a former store left there may be anybody's by now.
        parent = stat.rpartition(")")[2].split()[1:2]
        return int(text) if self._process is not None and parent == [str(self._process.pid)] else 0

    def kill(self, *, with_store: bool = False) -> None:
        """kill -9, of its store at the same instant if so wanted; returns when it is gone."""
        if with_store:
            # Stopped first: neither sees the other die.
            os.kill(self.pid, signal.SIGSTOP)
            self.kill_store()
        os.kill(self.pid, signal.SIGKILL)
        self._gone()

    def kill_store(self) -> bool:
        """kill -9 of the store alone; whether there was one."""
        pid = self.store_pid
        try:
            if pid:
                os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return pid != 0

    def await_another_store(self, former: int) -> None:
        """Return when the service has started a store in the place of one that was killed."""
        deadline = monotonic() + START_WAIT_S
        while self.store_pid in (0, former):
            assert monotonic() < deadline, "the service does not start its store again"
            sleep(POLL_S)

    def stop(self) -> None:
        """Ask it to stop, and wait for it."""
        if self._process is not None and self._process.is_alive():
            self._process.terminate()
        self._gone()

    def _gone(self) -> None:
        if self._process is not None:
            self._process.join(START_WAIT_S)
            self._process.close()
            self._process = None
        if self._url is not None:
            self._url.close()
            self._url = None


@contextmanager
def forked_service(data_dir: Path, **settings: Any) -> Iterator[ForkedService]:
    """A service that is not started yet; it is stopped at the end of the block."""
    service = ForkedService(data_dir, **settings)
    try:
        yield service
    finally:
        service.stop()


def _run(settings: Settings, ready: Connection) -> None:
    log_to_standard_error()

    async def tell(_engine: Engine, url: str) -> None:
        parent = parent_process()
        assert parent is not None
        # Whoever started us is gone: so are we, and our store with us.
        asyncio.get_running_loop().add_reader(parent.sentinel, os.kill, os.getpid(), signal.SIGTERM)
        ready.send(url)

    uvloop.run(serve(settings, on_ready=tell))
