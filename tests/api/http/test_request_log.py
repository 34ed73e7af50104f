"""What the log says about requests, and what it never says."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import Door, Shop
from tests.conftest import Service

SECRET = "hunter2-not-for-the-log"

Logged = Callable[[], list[dict[str, Any]]]
Start = Callable[..., tuple[Door, Logged]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a service with settings; its log, decoded, can be had at any time."""
    services: list[Service] = []

    def run(**settings: str) -> tuple[Door, Logged]:
        log = tmp_path / "log"
        environment = {f"STOCKADE_{name.upper()}": value for name, value in settings.items()}
        one = Service(tmp_path / "store", log=log, **environment)
        services.append(one)

        def lines() -> list[dict[str, Any]]:
            return [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]

        return Door(one.start()), lines

    yield run
    for one in services:
        one.stop()


def test_each_request_of_the_sample_has_a_line_with_its_id(start: Start) -> None:
    """JSON where no terminal is; the id is the caller's, so that theirs and ours can be put together."""
    door, logged = start(log_sample="1")
    shop = Shop(door, "L")
    sku = shop.sku(on_hand={shop.warehouse(): 5})
    order = shop.order((sku, 1), metadata={"note": SECRET})
    headers = {"X-Request-Id": "mine-1", "Authorization": f"Bearer {SECRET}"}
    assert door.call("POST", "/v1/orders", order, headers).status == 201
    assert door.call("GET", f"/v1/orders/{order['order_id']}?key={SECRET}", headers=headers).status == 422
    assert door.call("GET", f"/v1/{SECRET}").status == 404
    (posted,) = [line for line in logged() if line.get("outcome") == "reserved"]
    assert posted.pop("ms") > 0
    assert posted.pop("timestamp").endswith("Z")
    assert posted == {
        "event": "request",
        "level": "info",
        "request_id": "mine-1",
        "method": "POST",
        "route": "/v1/orders",
        "status": 201,
        "outcome": "reserved",
    }
    routes = [line["route"] for line in logged() if line["event"] == "request"]
    assert "/v1/orders/{order_id}" in routes
    assert "(unmatched)" in routes
    assert SECRET not in json.dumps(logged())


def test_errors_and_slow_requests_have_a_line_without_any_sample(start: Start) -> None:
    """They are what one looks for."""
    door, logged = start(log_sample="0", log_slow_ms="100")
    assert door.call("GET", "/livez").status == 200
    assert door.call("GET", "/v1/events?after=$&wait_ms=300").status == 200
    requests = [line for line in logged() if line["event"] == "request"]
    assert [line["route"] for line in requests] == ["/v1/events"]


def test_a_share_of_the_requests_has_a_line(start: Start) -> None:
    """One in ten is every tenth, whatever comes."""
    door, logged = start(log_sample="0.1")
    for _ in range(40):
        assert door.call("GET", "/livez").status == 200
    assert len([line for line in logged() if line["event"] == "request"]) in (3, 4)


def test_no_value_of_a_variable_stands_in_a_traceback() -> None:
    """A key or an address with a password may be one."""
    program = (
        "from api.logs import log_to_standard_error; import structlog, sys\n"
        "log_to_standard_error(sys.argv[1])\n"
        f"password = '{SECRET[:3]}' + '{SECRET[3:]}'\n"
        "try: 1 / 0\n"
        "except ZeroDivisionError: structlog.get_logger().exception('broken')\n"
    )
    for form in ("json", "console"):
        told = subprocess.run([sys.executable, "-c", program, form], capture_output=True, text=True, check=True)
        assert "ZeroDivisionError" in told.stderr
        assert SECRET not in told.stderr
