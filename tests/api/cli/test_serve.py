"""The life of `stockade serve`: it ends when it is told to, and takes its store with it, however it ends."""

import signal
import socket
from pathlib import Path
from time import monotonic, sleep

import pytest

from engine.store import running_at
from tests.api.conftest import Door, run, store_processes
from tests.conftest import Service

END_WAIT_S = 10.0


def no_process_left(data_dir: Path) -> bool:
    """Whether everything that runs on the data directory ends in time."""
    deadline = monotonic() + END_WAIT_S
    while store_processes(data_dir):
        if monotonic() > deadline:
            return False
        sleep(0.05)
    return True


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_ends_service_and_store_in_order(service: Service, name: str) -> None:
    """Supervisors send the one, Ctrl-C the other: exit 0, nothing left running, all connections closed."""
    service.start()
    assert service.process is not None
    assert len(store_processes(service.data_dir)) == 2
    # A connection that idles must not hold the end up.
    host, port = Door(service.url).address.split(":")
    with socket.create_connection((host, int(port))) as idle:
        began = monotonic()
        service.process.send_signal(getattr(signal, name))
        assert service.process.wait(END_WAIT_S) == 0
        assert monotonic() - began < END_WAIT_S / 2
        assert idle.recv(1) == b""
    assert store_processes(service.data_dir) == []
    assert running_at(service.data_dir) is None


def test_a_service_ends_with_the_process_that_holds_its_standard_input(service: Service) -> None:
    """So that no demo and no test leaves one behind, even when it is killed."""
    service.start()
    assert service.process is not None
    assert service.process.stdin is not None
    service.process.stdin.close()
    assert service.process.wait(END_WAIT_S) == 0
    assert no_process_left(service.data_dir)


def test_a_killed_service_takes_its_store_with_it_and_starts_again(service: Service) -> None:
    """kill -9 gives no chance to tidy up, and needs none: what was acknowledged is there."""
    service.start()
    Door(service.url).put("/v1/warehouses/W", {"lat": 1, "lon": 1})
    service.kill()
    assert no_process_left(service.data_dir)
    service.start()
    assert Door(service.url).call("GET", "/v1/warehouses").json == [{"id": "W", "lat": 1.0, "lon": 1.0}]


def test_a_taken_port_ends_with_2_and_takes_the_store_away(tmp_path: Path) -> None:
    """It says which address, and how to choose another."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        finished = run("serve", "--port", port, "--data-dir", tmp_path / "store")
    assert (finished.code, finished.out) == (2, "")
    assert f"127.0.0.1:{port}" in finished.err
    assert "--port" in finished.err
    assert no_process_left(tmp_path / "store")
