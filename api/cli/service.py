"""Runs `stockade serve` as a process of its own, for commands that need a service to talk to."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import NamedTuple

from api.cli.serve import READY_LINE
from engine.config import PREFIX
from engine.errors import StockadeError

READY_WAIT_S = 60.0
STOP_WAIT_S = 20.0
LOG_LINES_TOLD = 10


class ServiceFailed(StockadeError):
    """The service ended, or did not get ready; the message carries what it said."""


class Running(NamedTuple):
    """A service, and the process that was started for it."""

    url: str
    pid: int


@contextlib.asynccontextmanager
async def running_service(data_dir: Path) -> AsyncIterator[str]:
    """A service on an embedded store in `data_dir`, on a free port of the loopback; yields its URL."""
    async with started_service(data_dir) as service:
        yield service.url


@contextlib.asynccontextmanager
async def started_service(
    data_dir: Path, *, sample: bool = False, settings: Mapping[str, str] | None = None, log: Path | None = None
) -> AsyncIterator[Running]:
    """The same with its process. `settings`: as environment variables; `sample`: it has the sample network.
    `log`: a file for what it says to standard error; a Ctrl-C at this terminal is then none for it.

    It ends with this block, and also when this process is killed: it reads from a pipe whose other end we hold.
    """
    # Default settings and a store of its own, whatever the caller's shell says.
    environment = {
        name: value for name, value in os.environ.items() if name != "REDIS_URL" and not name.startswith(PREFIX)
    } | dict(settings or {})
    stderr = None if log is None else os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "api.cli", "serve", "--port", "0", "--stop-with-stdin", "--data-dir", str(data_dir)),
        *(("--sample",) if sample else ()),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=stderr,
        env=environment,
        start_new_session=log is not None,
    )
    if stderr is not None:
        os.close(stderr)
    assert process.stdout is not None, "asked for a pipe"
    try:
        try:
            url = await asyncio.wait_for(_url(process.stdout), READY_WAIT_S)
        except TimeoutError:
            raise ServiceFailed(f"The service was not ready in {READY_WAIT_S:g} s.{_end_of(log)}") from None
        except ServiceFailed as error:
            raise ServiceFailed(f"{error}{_end_of(log)}") from None
        yield Running(url, process.pid)
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_WAIT_S)
        except TimeoutError:
            process.kill()
            await process.wait()


def _end_of(log: Path | None) -> str:
    """The last that a service said in its log, which nobody saw."""
    if log is None:
        return ""
    lines = log.read_text(errors="replace").splitlines()[-LOG_LINES_TOLD:]
    return "".join(f"\n{line}" for line in lines)


async def _url(stdout: asyncio.StreamReader) -> str:
    said = []
    while line := await stdout.readline():
        text = line.decode().rstrip()
        if text.startswith(READY_LINE):
            return text.removeprefix(READY_LINE).split(" ")[0]
        said.append(text)
    raise ServiceFailed("The service ended before it was ready. " + " ".join(said[-5:]))
