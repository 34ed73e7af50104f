"""A service that is told to stop leaves the balancer time to see it, and nobody without an answer."""

import asyncio
import http.client
import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.http.fast.connection import Connection
from tests.api.conftest import Door, Shop
from tests.api.http.raw import Client, Doors, order_body, post
from tests.api.metrics.exposed import scrape, value
from tests.api.under_way import is_read, is_refused, writes_held
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
    assert value(scrape(door), "stockade_ready") == 0
    shop.reserve((sku, 1))
    patient.process.send_signal(signal.SIGTERM)
    assert patient.process.wait(END_WAIT_S) == 0
    host, port = door.address.split(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)))


async def test_a_stop_looks_at_each_connection_once(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    """With every one that goes to look at all the others would keep orders that are under way waiting."""
    looks = 0
    served_here = Connection.served_here.fget
    assert served_here is not None

    def look(connection: Connection) -> bool:
        nonlocal looks
        looks += 1
        return served_here(connection)

    clients = [await Client.of(doors.ours) for _ in range(20)]
    async with doors.engine.intake.exclusive:
        clients[0].writer.write(post(order_body("last")))
        async with asyncio.timeout(END_WAIT_S):
            while doors.door.under_way == 0 or doors.door.connections < len(clients):
                await asyncio.sleep(0.005)
        monkeypatch.setattr(Connection, "served_here", property(look))
        stopping = asyncio.create_task(doors.door.stop(drain_s=END_WAIT_S))
        async with asyncio.timeout(END_WAIT_S):
            while doors.door.connections > 1:
                await asyncio.sleep(0.005)
        assert not stopping.done()
    assert (await clients[0].answer())[0] == 201
    await stopping
    assert len(clients) <= looks <= 3 * len(clients)
    for client in clients:
        await client.close()


@pytest.fixture
def counting(tmp_path: Path) -> Iterator[Service]:
    """One whose counters outlive it, and that drains for long."""
    settings = {"STOCKADE_RUN_DIR": str(tmp_path / "run"), "STOCKADE_STORE_TIMEOUT_MS": "60000"}
    one = Service(tmp_path / "store", STOCKADE_DRAIN_S="60", **settings)
    one.start()
    yield one
    one.stop()


def test_bulk_orders_that_were_read_are_answered_and_counted_while_the_service_ends(counting: Service) -> None:
    """The other lane ends last, and what it did to its end is in the numbers of the next one."""
    door = Door(counting.url)
    shop = Shop(door, "BULK")
    sku = shop.sku(on_hand={shop.warehouse(): 5})
    lines = [json.dumps(shop.order((sku, 1))).encode() + b"\n" for _ in range(2)]
    with socket.create_connection(door.address.split(":"), timeout=END_WAIT_S) as client:
        client.sendall(
            b"POST /v1/orders:bulk HTTP/1.1\r\nHost: stockade\r\nContent-Type: application/x-ndjson\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n" + chunk(lines[0])
        )
        answer = http.client.HTTPResponse(client)
        answer.begin()
        assert json.loads(answer.readline())["outcome"] == "reserved"
        with writes_held(counting.data_dir):
            client.sendall(chunk(lines[1]))
            until(END_WAIT_S, lambda: is_read(client), bool)
            assert counting.process is not None
            counting.process.send_signal(signal.SIGTERM)
            until(END_WAIT_S, lambda: is_refused(door), bool)
        assert json.loads(answer.readline())["outcome"] == "reserved"
        with pytest.raises(http.client.IncompleteRead):
            answer.read()
    assert counting.process.wait(END_WAIT_S) == 0
    counting.stop()
    counting.start()
    numbers = scrape(Door(counting.url))
    assert value(numbers, "stockade_orders_total", via="bulk", outcome="reserved") == 2


def chunk(data: bytes) -> bytes:
    """Some of a body."""
    return b"%x\r\n%b\r\n" % (len(data), data)
