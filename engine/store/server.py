"""Runs the embedded store: one real server on a unix socket, every write on disk before its reply.

It lives at most as long as this process, however that ends, and never shares its data directory: see launch.py.
"""

import asyncio
import contextlib
import fcntl
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from shlex import quote
from types import TracebackType

import structlog

from engine.errors import DataDirInUse, StoreError, StoreUnavailable
from engine.store import launch
from engine.store.address import APPEND_ONLY_DIR, probe, socket_path, socket_url
from engine.store.rewrite import append_only_bytes, keep_rewrites_aside
from engine.tasks import end_task, supervised

LOCK_WAIT_S = 10.0
"""How long a start waits for the former server on the data directory to go."""

READY_TIMEOUT_S = 60.0
"""How long a start waits for the first PONG, beside the time that its append-only file may take to load."""

LOAD_BYTES_PER_S = 10 * 1024 * 1024
"""So fast it loads at the least: one that is slower is told, with how to wait for longer."""

STOP_WAIT_S = 10.0
"""How long a stop waits for an orderly end before it kills, which loses nothing that was acknowledged."""

KILL_WAIT_S = 5.0
POLL_S = 0.02
FORMER_TOLD_S = 1.0
"""A former server of the directory that is there for so long is told of."""

AOF_REWRITE_BYTES_MIN = 1024 * 1024 * 1024
"""Below this the server rewrites its append-only file only where it is told to, in calm times (rewrite.py): a fork in
mid-sale costs latency. It loads in 6 to 14 s (2026-11-23, 2 cores, the wheel's Valkey 9.1: 190 MB/s of what batches of
a rush wrote, 78 of orders that came one by one)."""

LOG_BYTES_MAX = 4 * 1024 * 1024
"""A log longer than this is put aside at the next start, in place of the one put aside before."""

DAMAGED = re.compile(r"Bad file format reading the append only file (\S+):")
"""What the server's log says of a file that it does not mend by itself."""

LOG_TAIL_BYTES = 4096
LOG_TAIL_LINES = 15
LAST_WORDS = 3
"""Lines of the log that are passed on when it ends by itself."""

log = structlog.get_logger(__name__)

_LAUNCHER = Path(launch.__file__)


def server_options(*, data_dir: Path, socket: Path, log: Path) -> list[str]:
    """The server's command line after its name. Only options that Redis 7.0 and Valkey both know."""
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(data_dir),
        "logfile": str(log),
        "daemonize": "no",
        "save": "",
        "appendonly": "yes",
        "appendfsync": "always",
        "no-appendfsync-on-rewrite": "no",
        # A crash can cut the last, unacknowledged write short: drop that one and start.
        "aof-load-truncated": "yes",
        "auto-aof-rewrite-percentage": "100",
        "auto-aof-rewrite-min-size": str(AOF_REWRITE_BYTES_MIN),
        "maxmemory-policy": "noeviction",
    }
    return [argument for name, value in options.items() for argument in (f"--{name}", value)]


class EmbeddedServer:
    """A server program on a data directory: `async with EmbeddedServer(binary, data_dir) as server: server.url`.

    `binary` is a valkey-server or redis-server of 7.0 or later; `data_dir` is made, for its owner only, if missing.
    """

    def __init__(
        self,
        binary: Path,
        data_dir: Path,
        *,
        lock_wait_s: float = LOCK_WAIT_S,
        ready_timeout_s: float = READY_TIMEOUT_S,
    ) -> None:
        self.binary = binary
        self.data_dir = data_dir.resolve()
        self.socket = socket_path(data_dir)
        self.url = socket_url(self.socket)
        self.log = self.data_dir / "server.log"
        self.lock = self.data_dir / "lock"
        self._lock_wait_s = lock_wait_s
        self._ready_timeout_s = ready_timeout_s
        self._process: subprocess.Popen[bytes] | None = None
        self._starter_pid = 0
        self._wanted = False
        self._log_start = 0
        self._aside: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process id of the server while it lives, else None."""
        if self._process is None or self._process.poll() is not None:
            return None
        return self._process.pid

    async def start(self) -> None:
        """Start the server and wait until it takes commands.

        Call it on the main thread: the server ends with the thread that started it. Raises StoreError off that thread
        or when started already, DataDirInUse when another server keeps the directory for `lock_wait_s`, and
        StoreUnavailable, with the end of the server's log, when it ends at once or is not ready in `ready_timeout_s`.
        """
        if self._process is not None:
            raise StoreError(f"The server on {self.data_dir} is started already: stop it first.")
        # The main thread is the one whose id is the process's; true also in a child forked off another thread.
        if threading.get_native_id() != os.getpid():
            raise StoreError("Start the embedded store on the main thread: it ends with the thread that started it.")
        try:
            self._process = self._launch()
        except OSError as error:
            raise StoreUnavailable(
                f"Cannot start {self.binary} on {self.data_dir}: {error}. Choose another place with --data-dir."
            ) from error
        try:
            await self._wait_until_ready(self._process)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End the server and wait for it: SIGTERM, then SIGKILL after STOP_WAIT_S. Again, or before a start, nothing.

        Raises StoreError when even SIGKILL does not end it within KILL_WAIT_S.
        """
        process = self._process
        # A worker forked off this process shares the object, but the server is not its child.
        if process is None or self._starter_pid != os.getpid():
            return
        if process.poll() is None:
            process.terminate()
        if not await _ended(process, wait_s=STOP_WAIT_S):
            process.kill()
            if not await _ended(process, wait_s=KILL_WAIT_S):
                raise StoreError(
                    f"Process {process.pid} survives SIGKILL: it is stuck in the kernel, most likely on the disk under"
                    f" {self.data_dir}. Mend that first."
                )
        self._process = None
        self._remove_socket()

    async def revive(self) -> None:
        """Start the server again if it ended or was killed; nothing while it lives. Raises as `start` does.

        Only within `async with`: what is being left must not come back.
        """
        if self._wanted and self.pid is None:
            # Where its disk was full, only its own log says so.
            log.warning("the store ended and is started again", log_tail=self._log_tail().splitlines()[-LAST_WORDS:])
            await self.stop()
            await self.start()

    async def __aenter__(self) -> "EmbeddedServer":
        await self.start()
        self._wanted = True
        self._aside = supervised(keep_rewrites_aside(lambda: self.pid, self.data_dir, self.socket), lambda: None)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wanted = False
        try:
            if self._aside is not None:
                await end_task(self._aside)
        finally:
            # However often we are told to hurry: nobody else ends it.
            await self.stop()

    def _launch(self) -> subprocess.Popen[bytes]:
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES_MAX:
            self.log.replace(self.log.with_suffix(".log.1"))
        self._starter_pid = os.getpid()
        options = server_options(data_dir=self.data_dir, socket=self.socket, log=self.log)
        launcher = [sys.executable, "-I", "-S", str(_LAUNCHER), str(self._starter_pid), str(self.lock)]
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            return subprocess.Popen(
                [*launcher, str(self._lock_wait_s), str(self.binary), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.data_dir,
                umask=0o077,
                # Else the terminal's Ctrl-C would end the store before we answered those who wait.
                start_new_session=True,
            )

    async def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        ready_s = self._ready_timeout_s + sum(append_only_bytes(self.data_dir)) / LOAD_BYTES_PER_S
        began, told = time.monotonic(), False
        deadline = began + self._lock_wait_s + ready_s
        while (status := process.poll()) is None:
            # In a thread, for a server that is busy loading may take a second to reply.
            answer = await asyncio.to_thread(probe, self.socket)
            # By the pid: until it is gone, the former server answers at the same socket.
            if answer is not None and answer.pid == process.pid and answer.ready:
                return
            if not told and answer is not None and time.monotonic() > began + FORMER_TOLD_S:
                told = True
                log.warning(
                    "another process has the data directory: waiting for its end",
                    data_dir=str(self.data_dir),
                    pid=self._lock_holder(),
                    at_most_s=self._lock_wait_s,
                )
            if time.monotonic() > deadline:
                raise StoreUnavailable(
                    f"{self.binary} on {self.data_dir} is not ready after {ready_s:.3g} s. If it is still"
                    f" loading, allow more with ready_timeout_s. Its log ends:\n{self._log_tail()}"
                )
            await asyncio.sleep(POLL_S)
        if status == launch.EXIT_DIR_IN_USE:
            raise DataDirInUse(self.data_dir, self._lock_holder())
        tail = self._log_tail()
        raise StoreUnavailable(
            f"{self.binary} on {self.data_dir} ended at its start with status {status}.{self._repair_advice(tail)} Its"
            f" log ends:\n{tail}"
        )

    def _repair_advice(self, log_tail: str) -> str:
        damaged = DAMAGED.search(log_tail)
        if damaged is None:
            return ""
        folder = self.data_dir / APPEND_ONLY_DIR
        advice = f" Its append-only file is damaged: copy {folder} to a safe place."
        newest = max(folder.glob("*.incr.aof"), key=lambda path: path.stat().st_mtime, default=None)
        if newest is None or newest.name != damaged[1]:
            return f"{advice} Later files build on the damaged one: restore a backup of all."
        # Every server is its own repair program: it goes by the name that it is called by.
        name = self.binary.name.replace("-server", "-check-aof")
        repair = f"exec -a {name} {quote(str(self.binary))} --fix {quote(str(newest))}"
        return f"{advice} Then, to keep all that was written before the damage, run: bash -c {quote(repair)}\n"

    def _lock_holder(self) -> int | None:
        try:
            return int(self.lock.read_bytes())
        except (OSError, ValueError):
            return None

    def _log_tail(self) -> str:
        with self.log.open("rb") as log:
            end = log.seek(0, os.SEEK_END)
            log.seek(max(self._log_start, end - LOG_TAIL_BYTES))
            lines = log.read(LOG_TAIL_BYTES).decode(errors="replace").splitlines()
        return "\n".join(lines[-LOG_TAIL_LINES:]) or "(nothing)"

    def _remove_socket(self) -> None:
        # Only under the lock: without it, the socket may be that of a successor which listens already.
        with contextlib.suppress(FileNotFoundError, BlockingIOError), self.lock.open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.socket.unlink(missing_ok=True)


async def _ended(process: subprocess.Popen[bytes], *, wait_s: float) -> bool:
    deadline = time.monotonic() + wait_s
    while process.poll() is None:
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(POLL_S)
    return True
