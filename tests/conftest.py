"""Real servers for every test: one embedded store for the session, emptied between tests; services as processes."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import pytest
import redis

from api.cli.serve import READY_LINE
from engine import Engine, Settings, open_engine
from engine.config import PREFIX
from engine.store import EmbeddedServer, choose_store


@pytest.fixture(scope="session")
def store_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A store for the whole session: REDIS_URL's, else an embedded one, with fsync before each reply."""
    chosen = choose_store(os.environ.get("STOCKADE_TEST_REDIS_URL"))
    if isinstance(chosen, str):
        yield chosen
        return
    server = EmbeddedServer(chosen, tmp_path_factory.mktemp("store"))
    asyncio.run(server.start())
    yield server.url
    asyncio.run(server.stop())


@pytest.fixture
def empty_store_url(store_url: str) -> str:
    """The session's store with nothing in it."""
    with redis.Redis.from_url(store_url) as client:
        client.flushall()
    return store_url


@pytest.fixture
async def engine(empty_store_url: str) -> AsyncIterator[Engine]:
    """An engine in this process on an empty store."""
    async with open_engine(Settings(redis_url=empty_store_url)) as opened:
        yield opened


def without_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment less what would choose another store or other settings than the test's."""
    return {name: value for name, value in environ.items() if name != "REDIS_URL" and not name.startswith(PREFIX)}


class Service:
    """`stockade serve` as a process of its own on an embedded store."""

    def __init__(
        self, data_dir: Path, *, log: Path | None = None, folder: Path | None = None, **environment: str
    ) -> None:
        """`log`: a file for what it says to standard error. `folder`: where it is started, as the command would be."""
        self.data_dir = data_dir
        self._folder = folder
        self._log = log
        self._environment = environment
        self.process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self) -> str:
        """Start it and wait until it listens; returns its URL."""
        environment = without_settings(os.environ) | self._environment
        python = (sys.executable,) if self._folder is None else (sys.executable, "-P")
        command = (*python, "-m", "api.cli", "serve", "--port", "0", "--stop-with-stdin", "--data-dir")
        with self._log.open("a") if self._log is not None else contextlib.nullcontext() as log:
            self.process = subprocess.Popen(
                [*command, str(self.data_dir)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=environment,
                cwd=self._folder,
            )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(READY_LINE):
                self.url = line.removeprefix(READY_LINE).split(" ")[0]
                return self.url
        raise AssertionError(f"the service ended with {self.process.wait()} before it was ready")

    def kill(self) -> None:
        """kill -9: no chance to tidy up."""
        assert self.process is not None
        self.process.kill()
        self._reap()

    def stop(self) -> None:
        """Ask it to stop, and wait for it."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
        self._reap()

    def _reap(self) -> None:
        if self.process is not None:
            self.process.wait(30)
            for pipe in (self.process.stdin, self.process.stdout):
                if pipe is not None:
                    pipe.close()
            self.process = None


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A service that is not started yet; it is stopped after the test."""
    one = Service(tmp_path / "store")
    yield one
    one.stop()


@pytest.fixture(scope="session")
def shared_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A running service for tests that do not mind each other: give SKUs, warehouses and orders names of your own."""
    one = Service(tmp_path_factory.mktemp("service") / "store")
    one.start()
    yield one
    one.stop()
