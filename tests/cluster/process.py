"""One cluster node as a process of this machine: starts, is killed, ends with the test. Knows no other node."""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import RedisError

from engine.store import launch

HOST = "127.0.0.1"
READY_TIMEOUT_S = 20.0
CALL_TIMEOUT_S = 10.0
KILL_WAIT_S = 5.0
LOCK_WAIT_S = 5.0
POLL_S = 0.02
PORT_TRIES = 50
LOG_TAIL_LINES = 12

PORT_MIN = 20_000
_EPHEMERAL_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")


class NodeFailed(Exception):
    """A node did not start, answer or end in time; says which, and how its log ends."""


class PortTaken(NodeFailed):
    """Somebody else listens there by now: start another node on other ports."""


def free_ports(count: int) -> list[int]:
    """Ports of the loopback address on which nobody listens.

    Below those the kernel gives to outgoing connections: none of these may take a node's port while the node is down.
    """
    end = int(_EPHEMERAL_PORTS.read_text().split()[0])
    found: list[int] = []
    with ExitStack() as held:
        for _ in range(PORT_TRIES * count):
            candidate = held.enter_context(socket.socket())
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                candidate.bind((HOST, random.randrange(PORT_MIN, end)))
            except OSError:
                continue
            found.append(candidate.getsockname()[1])
            if len(found) == count:
                return found
    raise NodeFailed(f"Found {len(found)} of {count} free ports from {PORT_MIN} to {end}: see who listens there.")


class NodeProcess:
    """A server in cluster mode on `folder` and two TCP ports; `client` is a connection to this node alone.

    `client` gives bytes, does not follow redirections and never sends a command twice.
    """

    def __init__(self, binary: Path, folder: Path, options: dict[str, str]) -> None:
        self.folder = folder
        self.port, self.bus_port = free_ports(2)
        self.client = Redis(
            host=HOST,
            port=self.port,
            protocol=2,
            socket_timeout=CALL_TIMEOUT_S,
            socket_connect_timeout=CALL_TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        )
        own = {"port": str(self.port), "cluster-port": str(self.bus_port), "dir": str(folder)}
        self._command = [
            str(binary),
            *(part for name, value in (own | options).items() for part in (f"--{name}", value)),
        ]
        self._log = folder / "server.log"
        self._log_start = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._paused = False

    @property
    def pid(self) -> int:
        """Its process id, alive or not. Raises NodeFailed before the first start."""
        if self._process is None:
            raise NodeFailed(f"The node on port {self.port} was never started.")
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether its process is there, paused or not."""
        return self._process is not None and self._process.poll() is None

    @property
    def running(self) -> bool:
        """Whether it is alive and not paused."""
        return self.alive and not self._paused

    async def start(self) -> None:
        """Start it on its folder and ports, and wait until it answers. Raises NodeFailed, PortTaken.

        On the main thread only: the node ends with the thread that started it.
        """
        if self.alive:
            raise NodeFailed(f"The node on port {self.port} runs already: kill it first.")
        self.folder.mkdir(parents=True, exist_ok=True)
        self._process = self._launch()
        self._paused = False
        await self._wait_until_ready(self._process)

    def pause(self) -> None:
        """Stop it in its tracks (SIGSTOP), as a stalled machine would; follow up with `resume` or `kill`."""
        os.kill(self.pid, signal.SIGSTOP)
        self._paused = True

    def resume(self) -> None:
        """Let a paused node go on where it was."""
        os.kill(self.pid, signal.SIGCONT)
        self._paused = False

    async def kill(self) -> None:
        """kill -9, and wait until it is gone; nothing where it is. Raises NodeFailed after KILL_WAIT_S."""
        await self.client.connection_pool.disconnect()
        if self._process is None:
            return
        self._process.kill()
        deadline = time.monotonic() + KILL_WAIT_S
        while self._process.poll() is None:
            if time.monotonic() > deadline:
                raise NodeFailed(f"Process {self.pid} on port {self.port} survives SIGKILL: see what its disk does.")
            await asyncio.sleep(POLL_S)

    def _launch(self) -> subprocess.Popen[bytes]:
        # The product's own launcher: the node ends with this process, however that ends.
        launcher = [sys.executable, "-I", "-S", launch.__file__, str(os.getpid()), str(self.folder / "lock")]
        with self._log.open("ab") as log:
            self._log_start = log.tell()
            return subprocess.Popen(
                [*launcher, str(LOCK_WAIT_S), *self._command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
            )

    def log_tail(self) -> str:
        """The last lines it logged since its last start."""
        with self._log.open("rb") as log:
            log.seek(self._log_start)
            lines = log.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-LOG_TAIL_LINES:]) or "(nothing)"

    async def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline:
            if process.poll() is not None:
                kind = PortTaken if "Address already in use" in self.log_tail() else NodeFailed
                raise kind(f"The node on port {self.port} ended with {process.returncode}:\n{self.log_tail()}")
            try:
                answered = await self.client.info()
            except (NoConnection, RedisError, OSError):
                await asyncio.sleep(POLL_S)
                continue
            # By the pid: another program may have taken the port.
            if answered["process_id"] == process.pid and not answered["loading"]:
                return
            await asyncio.sleep(POLL_S)
        raise NodeFailed(f"The node on port {self.port} takes over {READY_TIMEOUT_S:g} s:\n{self.log_tail()}")
