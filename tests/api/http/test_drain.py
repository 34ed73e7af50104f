"""A service that is told to stop leaves the balancer time to see it, and nobody without an answer."""

import asyncio
import http.client
import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.api.conftest import Door, Shop
from tests.api.http.raw import Client, Doors, open_doors, order_body, post
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


BODY = order_body("arrives")
HALF = len(BODY) // 2
ARRIVING = {
    "fast": (post(BODY)[:-HALF], BODY[-HALF:]),
    "fast, its head": (post(BODY)[:30], post(BODY)[30:]),
    "chunks": (
        b"POST /v1/orders HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(BODY),
        BODY + b"\r\n0\r\n\r\n",
    ),
    "aiohttp": (post(BODY, b"Connection: close")[:-HALF], BODY[-HALF:]),
    "aiohttp, its head": (b"GET /livez HTTP/1.1\r\n", b"Host: x\r\n\r\n"),
    "a quote": (post(BODY, line=b"POST /v1/quotes HTTP/1.1")[:-HALF], BODY[-HALF:]),
}


async def until_read(doors: Doors, clients: int) -> None:
    """Wait until so many have a request that has begun to come."""
    async with asyncio.timeout(SEEN_S):
        while sum(not link.idle for link in doors.door._connections.values()) < clients:
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("lane", ARRIVING)
async def test_a_request_that_comes_while_the_service_stops_is_served(doors: Doors, lane: str) -> None:
    """In either lane: whoever had begun is waited for."""
    first, rest = ARRIVING[lane]
    client, idle = await Client.of(doors.ours), await Client.of(doors.ours)
    client.writer.write(first)
    await until_read(doors, 1)
    stopping = asyncio.create_task(doors.door.drain(END_WAIT_S))
    assert await idle.ended()
    client.writer.write(rest)
    status, headers, _ = await client.answer()
    assert (status // 100, headers["connection"]) == (2, "close")
    async with asyncio.timeout(SEEN_S):
        await stopping
    for one in (client, idle):
        await one.close()


@pytest.mark.parametrize("lane", ARRIVING)
async def test_a_request_that_does_not_come_before_the_end_is_told_so(empty_store_url: str, lane: str) -> None:
    """It is as certain that nothing was done as it is for any other refusal, and who retries goes elsewhere."""
    async with open_doors(empty_store_url, drain_s=0.5) as doors:
        client = await Client.of(doors.ours)
        client.writer.write(ARRIVING[lane][0])
        await until_read(doors, 1)
        engine = doors.engine
    status, headers, body = await client.answer()
    problem = msgspec.json.decode(body)
    assert (status, problem["type"], problem["retryable"]) == (503, "shutting-down", True)
    assert (headers["connection"], headers["retry-after"]) == ("close", "1")
    assert await client.ended()
    assert engine.intake.queued == 0
    await client.close()


async def test_a_bulk_body_is_read_on_while_the_service_stops(doors: Doors) -> None:
    """To its end, if that comes in time."""
    client = await Client.of(doors.ours)
    client.writer.write(
        b"POST /v1/orders:bulk HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        + chunk(order_body("b-1") + b"\n")
    )
    async with asyncio.timeout(SEEN_S):
        await client.reader.readuntil(b'"reserved"')
        stopping = asyncio.create_task(doors.door.drain(END_WAIT_S))
        await asyncio.sleep(0.1)
        client.writer.write(chunk(order_body("b-2") + b"\n") + b"0\r\n\r\n")
        rest = await client.reader.read()
        assert rest.count(b'"reserved"') == 1
        assert rest.endswith(b"0\r\n\r\n")
        await stopping
    await client.close()


@pytest.fixture
def counting(tmp_path: Path) -> Iterator[Service]:
    """One whose counters outlive it."""
    settings = {"STOCKADE_RUN_DIR": str(tmp_path / "run"), "STOCKADE_STORE_TIMEOUT_MS": "60000"}
    one = Service(tmp_path / "store", STOCKADE_DRAIN_S="3", **settings)
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
