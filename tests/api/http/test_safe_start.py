"""What the service refuses to start with, and whom it serves without keys."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.http.access.start import is_loopback
from tests.api.conftest import Door, run, store_processes
from tests.api.guarded import bearer, operator_of
from tests.conftest import Service


@pytest.fixture
def everywhere(tmp_path: Path) -> Iterator[Service]:
    """A service that listens on all addresses of this machine."""
    service = Service(tmp_path / "store", STOCKADE_HOST="0.0.0.0")
    yield service
    service.stop()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_without_a_key_it_serves_this_machine_only(tmp_path: Path, host: str) -> None:
    """One wrong address, and everybody in the office, or on the internet, could sell the stock."""
    finished = run("serve", "--host", host, "--port", "0", "--data-dir", tmp_path)
    assert (finished.code, finished.out) == (2, "")
    assert host in finished.err
    for advice in ("stockade keys create", "127.0.0.1", "STOCKADE_ACCESS=open"):
        assert advice in " ".join(finished.err.split())
    assert store_processes(tmp_path) == []


def test_with_a_key_it_serves_every_address(everywhere: Service) -> None:
    """Who has it, wherever they are; nobody else."""
    key = operator_of(everywhere.data_dir).create("read")
    door = Door(everywhere.start().replace("0.0.0.0", "127.0.0.1"))
    assert door.call("GET", "/v1/warehouses", headers=bearer(key)).status == 200
    door.call("GET", "/v1/warehouses").problem(401, "unauthorized")
    # Not even when it was the last one that is revoked.
    operator_of(everywhere.data_dir).revoke(key)
    door.call("GET", "/v1/warehouses").problem(401, "unauthorized")
    everywhere.stop()
    door = Door(everywhere.start().replace("0.0.0.0", "127.0.0.1"))
    door.call("GET", "/v1/warehouses").problem(401, "unauthorized")


def test_a_gateway_that_checks_is_said_so(tmp_path: Path) -> None:
    """It serves whom the gateway lets through, by whatever name, and asks for no key; but no page from elsewhere."""
    service = Service(tmp_path / "store", STOCKADE_HOST="0.0.0.0", STOCKADE_ACCESS="open")
    operator_of(service.data_dir).create("read")
    try:
        door = Door(service.start().replace("0.0.0.0", "127.0.0.1"))
        headers = {"Host": "orders.example.com"}
        for own in ({}, {"Origin": "https://orders.example.com"}):
            assert door.call("GET", "/v1/warehouses", headers=headers | own).status == 200
        foreign = headers | {"Origin": "https://shop.example.com"}
        door.call("GET", "/v1/warehouses", headers=foreign).problem(403, "forbidden")
    finally:
        service.stop()


def test_keys_can_be_required_on_this_machine_too(tmp_path: Path) -> None:
    """Behind a proxy on the same machine the loopback is the internet."""
    service = Service(tmp_path / "store", STOCKADE_ACCESS="required")
    try:
        Door(service.start()).call("GET", "/v1/warehouses").problem(401, "unauthorized")
    finally:
        service.stop()


def test_the_slow_parser_is_refused(tmp_path: Path) -> None:
    """It reads some requests otherwise than the one that is tested: that is how requests are smuggled past a proxy."""
    finished = run("serve", "--port", "0", "--data-dir", tmp_path / "store", AIOHTTP_NO_EXTENSIONS="1")
    assert (finished.code, finished.out) == (2, "")
    assert "AIOHTTP_NO_EXTENSIONS" in finished.err
    assert not (tmp_path / "store").exists()
    told = "import aiohttp.http_parser as p; print(p.HttpRequestParser is p.HttpRequestParserPy)"
    assert subprocess.check_output([sys.executable, "-c", told], text=True).strip() == "False"


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        *((name, True) for name in ("127.0.0.1", "127.1.2.3", "::1", "localhost")),
        *((name, False) for name in ("0.0.0.0", "::", "", "10.0.0.1", "no-such-name.invalid", "fe80::1")),
    ],
)
def test_the_loopback_is_what_only_this_machine_reaches(host: str, loopback: bool) -> None:
    """By whatever name; and what is not known is not it."""
    assert is_loopback(host) is loopback


BROWSERS = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1"},
    {"Host": "evil.example:8080"},
    {"Host": "127.0.0.1.evil.example:8080"},
    {"Host": "evil.example", "Origin": "http://evil.example"},
]


@pytest.mark.parametrize("headers", BROWSERS, ids=str)
def test_a_web_page_cannot_use_the_browser_of_this_machine(door: Door, headers: dict[str, str]) -> None:
    """Neither by a form that it sends here, nor by a name of its own that it points here (DNS rebinding)."""
    for method, path in (("POST", "/v1/orders"), ("GET", "/v1/warehouses"), ("GET", "/v1/events")):
        door.call(method, path, None, headers).problem(403, "forbidden")
    assert door.call("GET", "/livez", headers=headers).status == 200


def test_a_page_of_the_service_itself_and_local_names_are_served(door: Door) -> None:
    """Its documents try calls out; people call it localhost, or by a name without dots in their hosts file."""
    own = {"Origin": f"http://{door.address}"}
    assert door.call("GET", "/v1/warehouses", headers=own).status == 200
    for host in ("localhost:8080", "localhost", "stockade", "[::1]:8080", "127.0.0.1", "127.1.2.3:80", "x.localhost"):
        assert door.call("GET", "/v1/warehouses", headers={"Host": host}).status == 200, host
