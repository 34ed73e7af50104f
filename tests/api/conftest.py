"""The doors of a running service as its users meet them: HTTP over sockets, commands as processes."""

import contextlib
import http.client
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from email.message import Message
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
import redis

from engine.store import running_at
from tests.api.contract import check_answer
from tests.conftest import Service

ANSWER_WAIT_S = 20
COMMAND_WAIT_S = 60
COMMANDS_AT_ONCE = 3

PROBLEM_MEMBERS = {"type", "title", "status", "detail", "errors", "retryable", "request_id"}


@pytest.fixture(scope="session", autouse=True)
def compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Processes of these tests share compiled modules: a third of the start-up where the environment forbids them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        patch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path_factory.mktemp("compiled")))
        yield


class Answer(NamedTuple):
    """One HTTP answer."""

    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)

    def problem(self, status: int, type_: str) -> dict[str, Any]:
        """The body as the problem that it must be, with every member."""
        assert (self.status, self.headers["Content-Type"]) == (status, "application/problem+json"), self.body[:500]
        found = self.json
        assert found.keys() >= PROBLEM_MEMBERS
        assert (found["type"], found["status"]) == (type_, status), found
        assert found["title"]
        assert found["detail"]
        assert found["request_id"] == self.headers["X-Request-Id"]
        assert found["retryable"] is (status >= 500 or status == 429)
        return found

    def pointers(self) -> list[str]:
        """Where a problem points."""
        return [error["pointer"] for error in self.json["errors"]]


class Door:
    """The HTTP door of a service. A connection a call, so that threads may share it."""

    def __init__(self, url: str) -> None:
        self.address = url.removeprefix("http://")

    def call(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """One request; bytes are sent as they are, an iterator in chunks, anything else as JSON."""
        chunked = isinstance(body, Iterator)
        if body is not None and not chunked and not isinstance(body, bytes):
            body = msgspec.json.encode(body)
        with contextlib.closing(http.client.HTTPConnection(self.address, timeout=ANSWER_WAIT_S)) as connection:
            connection.request(method, path, body, dict(headers or {}), encode_chunked=chunked)
            answer = connection.getresponse()
            found = Answer(answer.status, answer.headers, answer.read())
        # Whatever a test is about, the answer is one that callers were told of.
        check_answer(method, path, found.status, found.headers, found.body)
        return found

    def call_at_once(self, calls: Iterable[tuple[Any, ...]]) -> list[Answer]:
        """Many requests from as many threads."""
        calls = list(calls)
        with ThreadPoolExecutor(len(calls)) as pool:
            return list(pool.map(lambda call: self.call(*call), calls))

    def put(self, path: str, body: Any) -> None:
        """A PUT that must succeed."""
        answer = self.call("PUT", path, body)
        assert answer.status in (200, 201), answer.body

    def stock(self, query: str = "") -> list[dict[str, Any]]:
        """The cells of one page."""
        answer = self.call("GET", f"/v1/stock?{query}")
        assert answer.status == 200, answer.body
        return answer.json["cells"]


class Shop:
    """SKUs, warehouses and orders with names of one test's own, on a service that other tests use too."""

    def __init__(self, door: Door, name: str) -> None:
        self.door = door
        self.name = name
        self._orders = itertools.count(1)

    def warehouse(self, name: str = "W", *, lat: float = 30.0, lon: float = 120.0, **terms: Any) -> str:
        """Add a warehouse; returns its id."""
        self.door.put(f"/v1/warehouses/{self.name}-{name}", {"lat": lat, "lon": lon, **terms})
        return f"{self.name}-{name}"

    def sku(self, name: str = "A", *, on_hand: Mapping[str, int] | None = None, **terms: Any) -> str:
        """Add a SKU with units at warehouses; returns its name."""
        sku = f"{self.name}-{name}"
        self.door.put(f"/v1/skus/{sku}", terms)
        if on_hand:
            rows = [{"sku": sku, "warehouse": warehouse, "on_hand": units} for warehouse, units in on_hand.items()]
            self.door.put("/v1/stock", rows)
        return sku

    def order(self, *lines: tuple[str, int], **fields: Any) -> dict[str, Any]:
        """An order with an id of its own; a field that is None is left out."""
        order = {
            "order_id": f"{self.name}-{next(self._orders)}",
            "ship_to": {"lat": 31.0, "lon": 121.0},
            "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines],
            **fields,
        }
        return {name: value for name, value in order.items() if value is not None}

    def post(self, order: Any) -> Answer:
        """POST /v1/orders."""
        return self.door.call("POST", "/v1/orders", order)

    def reserve(self, *lines: tuple[str, int], **fields: Any) -> dict[str, Any]:
        """The Allocation of an order that must be reserved."""
        answer = self.post(self.order(*lines, **fields))
        assert answer.status == 201, answer.body
        return answer.json

    def cell(self, sku: str, warehouse: str) -> dict[str, Any]:
        """One cell as it stands."""
        (cell,) = self.door.stock(f"sku={sku}&warehouse={warehouse}")
        return cell


@pytest.fixture(scope="session")
def door(shared_service: Service) -> Door:
    """The HTTP door of the service that tests share."""
    return Door(shared_service.url)


_shops = itertools.count(1)


@pytest.fixture
def shop(door: Door) -> Shop:
    """Names of this test's own."""
    return Shop(door, f"T{next(_shops)}")


@pytest.fixture(scope="session")
def live_store(shared_service: Service) -> Iterator["redis.Redis[bytes]"]:
    """A second client of the store under the shared service."""
    url = running_at(shared_service.data_dir)
    assert url is not None
    with redis.Redis.from_url(url) as client:
        yield client


class Finished(NamedTuple):
    """A command that ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as the one JSON value that it must be."""
        return json.loads(self.out)


def run(*arguments: object, given: str = "", **environment: str) -> Finished:
    """`stockade ARGUMENTS`, with `given` on its standard input."""
    command = [sys.executable, "-m", "api.cli", *map(str, arguments)]
    inherited = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
    done = subprocess.run(
        command,
        check=False,
        input=given,
        capture_output=True,
        text=True,
        timeout=COMMAND_WAIT_S,
        env=inherited | environment,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def make_store(data_dir: Path) -> None:
    """An empty store in a directory, as a command makes one that puts something there."""
    made = run("events", "followers", "--add", "nobody", "--data-dir", data_dir)
    assert made.code == 0, made.err


def run_all(commands: Iterable[tuple[object, ...]]) -> list[Finished]:
    """Many commands, a few at a time."""
    with ThreadPoolExecutor(COMMANDS_AT_ONCE) as pool:
        return list(pool.map(lambda arguments: run(*arguments), commands))


def store_processes(data_dir: Path) -> list[int]:
    """Process ids of whatever still runs with this data directory on its command line."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            if str(data_dir).encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found
