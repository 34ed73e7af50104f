"""Peers as processes: started, set, loaded, asked for their books, ended."""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from bench.http_ratio import cpu_s
from bench.peers.goods import load
from bench.peers.postgres_server import tree_cpu_s
from bench.peers.shop import Books, Settings
from loadtest.load import run_load

BOOKS_WAIT_S = 300.0
"""How long a peer may add up a million orders."""
SET_WAIT_S = 60.0
END_WAIT_S = 60.0
PAUSE_S = 0.5


class NotStarted(Exception):
    """A peer did not start; its own message is on standard error."""


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """One run of load on one entrant."""

    accepted_per_s: float
    p50_ms: float
    p99_ms: float
    """Of a request: in bulk, of a whole body."""
    service_cpu_us: float
    """An accepted order; of the store alike."""
    store_cpu_us: float
    accepted: int
    refused: int
    """For stock."""
    others: int
    """Orders that were neither, and failures: a round with any is no result."""
    generator_bound: bool


@dataclass
class Driven:
    """A service under measurement."""

    kind: str
    url: str
    books_url: str
    pid: int
    store_pid: int
    about: str
    accepted: int = 0
    """Orders that it said were reserved, in all."""
    runs: int = field(default=0)

    def use(self, settings: Settings) -> None:
        """Have it use other settings."""
        self._ask("PUT", "/bench/settings", msgspec.json.encode(settings), SET_WAIT_S)

    def run(
        self,
        *,
        bulk: bool,
        seconds: float,
        connections: int,
        lines: int,
        scarce: bool = False,
        pause_s: float = PAUSE_S,
    ) -> Round:
        """Load it for so long, after a pause in which what the run before left to be done is done. Raises NoRun."""
        time.sleep(pause_s)
        self.runs += 1
        plan = load(
            self.url,
            f"{self.kind}-{self.runs}",
            bulk=bulk,
            seconds=seconds,
            connections=connections,
            lines=lines,
            scarce=scarce,
        )
        before = cpu_s(self.pid), tree_cpu_s(self.store_pid)
        result = run_load(plan)
        used = cpu_s(self.pid) - before[0], tree_cpu_s(self.store_pid) - before[1]
        accepted, refused = result.orders.get("ok", 0), result.orders.get("refused", 0)
        self.accepted += accepted
        waits = result.classes["ok"].from_sent
        return Round(
            # Until the last answer: a body of a slow peer may take longer than the run.
            accepted_per_s=accepted / result.wall_s,
            p50_ms=waits.p50_ms,
            p99_ms=waits.p99_ms,
            service_cpu_us=used[0] / max(1, accepted) * 1e6,
            store_cpu_us=used[1] / max(1, accepted) * 1e6,
            accepted=accepted,
            refused=refused,
            others=sum(result.orders.values()) - accepted - refused + result.lines_missing,
            generator_bound=result.generator_bound,
        )

    def books(self) -> Books:
        """What its store says."""
        return msgspec.json.decode(self._ask("GET", "/bench/books", None, BOOKS_WAIT_S), type=Books)

    def _ask(self, method: str, path: str, body: bytes | None, wait_s: float) -> bytes:
        connection = http.client.HTTPConnection(urlsplit(self.books_url).netloc, timeout=wait_s)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            told = answer.read()
        finally:
            connection.close()
        if answer.status >= 300:
            raise RuntimeError(f"{self.kind} answered {method} {path} with {answer.status}: {told.decode()}")
        return told


@contextmanager
def driven(kind: str, home: Path) -> Iterator[Driven]:
    """Start one on a store of its own in `home`, and end it. Raises NotStarted."""
    command = [sys.executable, "-m", "bench.peers.service", kind, str(home / kind)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        told = process.stdout.readline().rstrip("\n").split("\t")
        if len(told) != 4:
            raise NotStarted(f"{kind} did not start; its message is above.")
        yield Driven(kind, told[0], told[1], process.pid, int(told[2]), told[3])
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(END_WAIT_S)
        except subprocess.TimeoutExpired:
            # Its store ends with it.
            process.kill()
            process.wait()
        process.stdout.close()


def open_to_all(home: Path) -> None:
    """PostgreSQL's user must find its folder in it."""
    os.chmod(home, 0o711)
