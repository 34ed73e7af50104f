"""A service that is told to stop leaves the balancer time to see it, and nobody without an answer."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.conftest import Door, Shop
from tests.conftest import Service
from tests.waiting import until

END_WAIT_S = 20.0
SEEN_S = 5.0


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Service]:
    """One that drains for longer than any of these tests lasts."""
    one = Service(tmp_path / "store", STOCKADE_DRAIN_DELAY_S="60", STOCKADE_DRAIN_S="10")
    one.start()
    yield one
    if one.process is not None:
        # It would wait for its delay, and of two signals at once it may see but one.
        one.kill()


def test_a_ready_service_tells_the_version_of_the_functions_in_the_store(patient: Service) -> None:
    """Of two releases on one store, the one that was left behind shows it."""
    ready = Door(patient.url).call("GET", "/readyz").json
    assert ready["library_version"] >= 3


def test_a_stopping_service_is_not_ready_first_and_serves_on(patient: Service) -> None:
    """A balancer that sends to it until it looks again must not meet a closed door. A second signal ends the wait."""
    door = Door(patient.url)
    shop = Shop(door, "DRAIN")
    sku = shop.sku(on_hand={shop.warehouse(): 5})
    assert patient.process is not None
    patient.process.send_signal(signal.SIGTERM)
    unready = until(SEEN_S, lambda: door.call("GET", "/readyz"), lambda answer: answer.status == 503)
    assert unready.json["status"] == "draining"
    assert int(unready.headers["Retry-After"]) >= 1
    assert door.call("GET", "/livez").status == 200
    shop.reserve((sku, 1))
    patient.process.send_signal(signal.SIGTERM)
    assert patient.process.wait(END_WAIT_S) == 0
    host, port = door.address.split(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)))
