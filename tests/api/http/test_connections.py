"""Clients that are slow, shut their side or read nothing: what was asked is answered, and no place is held for ever."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import msgspec
import pytest

from api.http.fast import unsent
from tests.api.http.raw import HOST, QUIET_S, READ_S, WAIT_S, Client, Doors, order_body, post

LIVEZ = b"GET /livez HTTP/1.1\r\n" + HOST + b"\r\n"
COUNTS = b'[{"sku": "x", "warehouse": "A", "on_hand": 900}]'
PUT_STOCK = b"PUT /v1/stock HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n%b" % (len(COUNTS), COUNTS)
LARGE = b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\n" + HOST + b"\r\n"
STREAM = b"GET /v1/events HTTP/1.1\r\n" + HOST + b"Accept: text/event-stream\r\n\r\n"


@pytest.mark.parametrize(
    "first", [b"POST /v1/or", post(order_body("slow"))[:-10], b"GET /livez HTTP/1.1\r\nHost: x\r\n"]
)
async def test_a_client_that_stops_in_mid_request_is_not_waited_for(doors: Doors, first: bytes) -> None:
    """In neither lane, in the head nor in the body."""
    client = await Client.of(doors.ours)
    client.writer.write(first)
    async with asyncio.timeout(READ_S + 3):
        with contextlib.suppress(ConnectionError):
            await client.reader.read()
    await client.close()


async def test_a_slow_body_of_the_other_lane_is_told_so(doors: Doors) -> None:
    """Its request has begun, so it gets an answer."""
    client = await Client.of(doors.ours)
    client.writer.write(b"PUT /v1/stock HTTP/1.1\r\n" + HOST + b"Content-Length: 100\r\n\r\n[")
    status, headers, body = await client.answer()
    assert (status, msgspec.json.decode(body)["type"], headers["connection"]) == (408, "too-slow", "close")
    await client.close()


def chunked(*orders: str) -> bytes:
    """Orders in bulk."""
    lines = b"".join(order_body(order_id) + b"\n" for order_id in orders)
    head = b"POST /v1/orders:bulk HTTP/1.1\r\n" + HOST + b"Content-Type: application/x-ndjson\r\n"
    return head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(lines), lines)


async def ended_after(client: Client) -> bytes:
    """All that comes until the other side ends."""
    async with asyncio.timeout(WAIT_S):
        return await client.reader.read()


@pytest.mark.parametrize("pieces", ["at once", "one by one"])
@pytest.mark.parametrize(
    ("asked", "statuses"),
    [
        ([post(order_body("h-1"))], [201]),
        ([post(order_body("h-1")), post(order_body("h-2")), post(order_body("h-3"))], [201, 201, 201]),
        ([post(order_body("h-1")), post(b"{"), post(order_body("h-2"))], [201, 400, 201]),
        ([post(b"{"), post(b"{}"), post(b"{"), post(order_body("h-1"))], [400, 422, 400, 201]),
        ([LIVEZ], [200]),
        ([PUT_STOCK], [200]),
        ([LIVEZ, LIVEZ, PUT_STOCK, LIVEZ], [200] * 4),
        ([post(order_body("h-1")), LIVEZ, post(order_body("h-2"))], [201, 200, 201]),
        ([LIVEZ] * 300, [200] * 300),
        ([chunked("h-1", "h-2")], [200]),
        ([chunked("h-1", "h-2"), LIVEZ], [200, 200]),
        ([post(order_body("h-1")), b"POST /v1/orders HTTP/1.1\r\nHost"], [201]),
        ([LIVEZ, b"GET /liv"], [200]),
        ([LIVEZ, PUT_STOCK[:-5]], [200, 400]),
        ([chunked("h-1")[:-5]], [200]),
        ([b"BLAH\r\n\r\n"], [400]),
        ([], []),
    ],
)
async def test_a_client_that_shuts_its_side_gets_what_it_asked_for(
    doors: Doors, asked: list[bytes], statuses: list[int], pieces: str
) -> None:
    """All of it, in either lane and in their order; of what it did not send whole, that; then the connection ends."""
    client = await Client.of(doors.ours)
    if pieces == "one by one":
        for piece in asked:
            client.writer.write(piece)
            await client.writer.drain()
            await asyncio.sleep(0)
    else:
        client.writer.write(b"".join(asked))
    client.writer.write_eof()
    came = await ended_after(client)
    assert [int(answer.split()[0]) for answer in came.split(b"HTTP/1.1 ")[1:]] == statuses
    assert (
        came.count(b'"outcome":"reserved"') == came.count(b"application/x-ndjson") * 2
        or asked[0] == chunked("h-1")[:-5]
    )
    await client.close()


async def test_a_stream_ends_with_its_readers_side(doors: Doors) -> None:
    """It would have no end by itself."""
    client = await Client.of(doors.ours)
    client.writer.write(STREAM)
    async with asyncio.timeout(WAIT_S):
        head = await client.reader.readuntil(b"\r\n\r\n")
    assert b"X-Request-Id: " in head
    client.writer.write_eof()
    assert (await ended_after(client)).endswith(b"0\r\n\r\n")
    await client.close()


async def test_a_client_that_does_not_read_is_not_read_from(doors: Doors) -> None:
    """It costs a bounded number of bytes, and others nothing."""
    client = await Client.of(doors.ours)
    client.reader._limit = 1  # type: ignore[attr-defined] # so that its own side takes little
    flood = post(order_body("deaf")) * 1_000
    sent = 0
    with contextlib.suppress(TimeoutError):
        while sent < 400:
            client.writer.write(flood)
            async with asyncio.timeout(QUIET_S):
                await client.writer.drain()
            sent += 1
    assert sent < 400
    other = await Client.of(doors.ours)
    other.writer.write(post(order_body("heard")))
    assert (await other.answer())[0] == 201
    await other.close()
    client.writer.transport.abort()


@pytest.fixture
async def deaf(doors: Doors) -> AsyncIterator[socket.socket]:
    """A connection whose client reads nothing, and has the kernel take little for it."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        client.setblocking(False)
        await asyncio.get_running_loop().sock_connect(client, doors.ours)
        yield client


@pytest.mark.parametrize("asked", [LARGE * 16, post(order_body("deaf")) * 400], ids=["aiohttp", "fast"])
async def test_a_client_that_never_reads_loses_its_place(
    doors: Doors, deaf: socket.socket, monkeypatch: pytest.MonkeyPatch, asked: bytes
) -> None:
    """In either lane: its requests are done, but for an answer nobody is waited for without end."""
    monkeypatch.setattr(unsent, "WRITE_WAIT_S", 1.0)
    # Its end is told by a reset, as there was more to read.
    async with asyncio.timeout(WAIT_S):
        while doors.door.timed_out == 0 or doors.door.connections:
            await asyncio.sleep(0.05)
            with contextlib.suppress(BlockingIOError, ConnectionError):
                deaf.send(asked)


async def test_a_client_that_reads_slowly_is_waited_for(
    doors: Doors, deaf: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as it takes something, however long it takes for the whole."""
    monkeypatch.setattr(unsent, "WRITE_WAIT_S", 3.0)
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(deaf, LARGE)
    began, came = loop.time(), 0
    while loop.time() - began < 6.0:
        came += len(await loop.sock_recv(deaf, 65_536))
        await asyncio.sleep(0.2)
    assert doors.door.timed_out == 0
    assert came > 0
