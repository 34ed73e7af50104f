"""A service of two workers, its processes, and buyers that keep account of what they were told."""

import contextlib
import http.client
import itertools
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from tests.api.conftest import Answer, Door, store_processes
from tests.conftest import Service

WORKERS = 2
WAIT_S = 60.0
BUYERS = 8


def until(true: Callable[[], object], what: str) -> None:
    """Wait for something that other processes do."""
    deadline = monotonic() + WAIT_S
    while not true():
        assert monotonic() < deadline, what
        sleep(0.02)


def alive(pid: int) -> bool:
    """Whether a process runs, and is not only waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Several(Service):
    """`stockade serve` with workers."""

    @property
    def pid(self) -> int:
        """The supervisor."""
        assert self.process is not None
        return self.process.pid

    def settings(self, **environment: str) -> None:
        """Other settings, for the next start."""
        self._environment |= environment

    def said(self) -> str:
        """Its log so far."""
        return (self.data_dir.parent / "log").read_text()

    def workers(self) -> list[int]:
        """Processes of workers."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [int(child) for child in children if alive(int(child)) and b"api.workers.worker" in _command(int(child))]

    def processes(self) -> list[int]:
        """All of them, the store among them."""
        return [*store_processes(self.data_dir), *self.workers()]

    def run_dir(self) -> Path:
        """What the workers share: the one folder in the place for temporary ones."""
        (found,) = (self.data_dir.parent / "tmp").iterdir()
        return found


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


@pytest.fixture
def several(tmp_path: Path) -> Iterator[Several]:
    """A service that is not started yet; it is stopped after the test."""
    (tmp_path / "tmp").mkdir()
    service = Several(
        tmp_path / "store",
        log=tmp_path / "log",
        TMPDIR=str(tmp_path / "tmp"),
        STOCKADE_WORKERS=str(WORKERS),
        STOCKADE_DRAIN_S="2",
        STOCKADE_STORE_RECOVERY_MS="500",
    )
    yield service
    if service.process is not None and service.process.poll() is None:
        for pid in service.workers():
            # A test may have stopped one.
            os.kill(pid, signal.SIGCONT)
    service.stop()


def put_shop(door: Door, *, units: int) -> None:
    """One SKU at one warehouse, which every worker knows at the end."""
    door.put("/v1/warehouses/W", {"lat": 30.0, "lon": 110.0})
    door.put("/v1/skus/S", {})
    stock = [{"sku": "S", "warehouse": "W", "on_hand": units}]
    # Another worker than the one that was told of the SKU may be asked.
    until(lambda: door.call("PUT", "/v1/stock", stock).status == 200, "no worker learns of the shop")
    known = 0
    deadline = monotonic() + WAIT_S
    # Each call is a connection of its own, so it comes to any worker.
    while known < 10 * WORKERS:
        known = known + 1 if door.call("POST", "/v1/quotes", order("q")).status == 200 else 0
        assert monotonic() < deadline, "a worker does not learn of the shop"


def order(order_id: str) -> dict[str, Any]:
    """An order of one unit."""
    return {"order_id": order_id, "ship_to": {"lat": 30.0, "lon": 110.0}, "lines": [{"sku": "S", "quantity": 1}]}


class Buyers:
    """Threads that send orders, each once, until they are told to stop; they keep what they were told."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._numbers = itertools.count()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._buy) for _ in range(BUYERS)]
        self.answers: dict[str, Answer] = {}
        self.unanswered: list[str] = []
        """Orders whose connection broke, or was not to be had."""
        self.hung: list[str] = []
        """Orders that nobody answered, nor refused: there must be none."""

    @property
    def acknowledged(self) -> dict[str, Answer]:
        """Orders that were accepted."""
        return {order_id: answer for order_id, answer in self.answers.copy().items() if answer.status in (200, 201)}

    def await_more(self, count: int = 50) -> None:
        """Return when so many more orders were accepted."""
        wanted = len(self.acknowledged) + count
        until(lambda: len(self.acknowledged) >= wanted, "the sale stands still")

    def _buy(self) -> None:
        while not self._stop.is_set():
            order_id = f"o{next(self._numbers)}"
            try:
                self.answers[order_id] = self._door.call("POST", "/v1/orders", order(order_id))
            except TimeoutError:
                self.hung.append(order_id)
            except (OSError, http.client.HTTPException):
                self.unanswered.append(order_id)

    @contextlib.contextmanager
    def buying(self) -> Iterator["Buyers"]:
        """While this block runs."""
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join()
        assert not self.hung
