"""Clients that are slow, shut their side or read nothing: what was asked is answered, and no place is held for ever."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import msgspec
import pytest

from api.http.fast import unsent
from api.http.fast.beyond import BEYOND_MAX
from api.http.keys import WATCH
from api.metrics.counts import ORDERS_ROUTE, UNREAD
from tests.api.http.raw import CONNECTIONS_MAX, HOST, QUIET_S, READ_S, WAIT_S, Client, Doors, order_body, post

LIVEZ = b"GET /livez HTTP/1.1\r\n" + HOST + b"\r\n"
COUNTS = b'[{"sku": "x", "warehouse": "A", "on_hand": 900}]'
PUT_STOCK = b"PUT /v1/stock HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n%b" % (len(COUNTS), COUNTS)
LARGE = b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\n" + HOST + b"\r\n"
STREAM = b"GET /v1/events HTTP/1.1\r\n" + HOST + b"Accept: text/event-stream\r\n\r\n"


SLOW = {
    "fast, its head": (b"POST /v1/or", UNREAD),
    "fast": (post(order_body("slow"))[:-10], ORDERS_ROUTE),
    "aiohttp, its head": (b"GET /livez HTTP/1.1\r\nHost: x\r\n", UNREAD),
    "aiohttp": (b"PUT /v1/stock HTTP/1.1\r\n" + HOST + b"Content-Length: 100\r\n\r\n[", "PUT /v1/stock"),
    "chunks": (
        b"POST /v1/orders HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
        ORDERS_ROUTE,
    ),
}


@pytest.mark.parametrize("before", ["", "an order", "another request"])
@pytest.mark.parametrize("lane", SLOW)
async def test_a_client_that_stops_in_mid_request_is_told_that_it_is_too_slow(
    doors: Doors, lane: str, before: str
) -> None:
    """In either lane, in the head and in the body, first on its connection or not; and it is counted."""
    client = await Client.of(doors.ours)
    for served in {"": [], "an order": [post(order_body("slow-0"))], "another request": [LIVEZ]}[before]:
        client.writer.write(served)
        assert (await client.answer())[0] in (200, 201)
    sent, route = SLOW[lane]
    client.writer.write(sent)
    async with asyncio.timeout(READ_S + 3):
        status, headers, body = await client.answer()
    assert (status, msgspec.json.decode(body)["type"], headers["connection"]) == (408, "too-slow", "close")
    assert await ended_after(client) == b""
    assert sum(doors.app[WATCH].meter.counts.requests[route, 408, "too-slow"][:-1]) == 1
    assert doors.door.connections == 0
    await client.close()


WAITING = {
    "its expectation was refused": (post(b"{}", b"Expect: a miracle"), b"", 417),
    "the rest of a body came after its answer": (
        b"POST /nowhere HTTP/1.1\r\n" + HOST + b"Content-Length: 10\r\n\r\n12345",
        b"67890",
        404,
    ),
}


@pytest.mark.parametrize("case", WAITING)
async def test_a_connection_between_two_requests_is_told_nothing(doors: Doors, case: str) -> None:
    """A 408 without a request would be taken for the answer to the next one."""
    asked, rest, status = WAITING[case]
    client = await Client.of(doors.ours)
    client.writer.write(asked)
    assert (await client.answer())[0] == status
    client.writer.write(rest)
    await asyncio.sleep(READ_S + 2.5)
    client.writer.write(LIVEZ)
    assert (await client.answer())[0] == 200
    await client.close()


async def test_a_client_that_sends_nothing_at_all_is_not_waited_for(doors: Doors) -> None:
    """It costs a place; one that was served may keep its connection for longer."""
    served, silent = await Client.of(doors.ours), await Client.of(doors.ours)
    served.writer.write(post(order_body("kept")))
    assert (await served.answer())[0] == 201
    async with asyncio.timeout(READ_S + 3):
        with contextlib.suppress(ConnectionError):
            assert await silent.reader.read() == b""
    served.writer.write(post(order_body("kept")))
    assert (await served.answer())[0] == 200
    for one in (served, silent):
        await one.close()


@pytest.fixture
async def full(doors: Doors) -> AsyncIterator[Doors]:
    """A door with all the connections that it may have, each of them in use."""
    clients = [await Client.of(doors.ours) for _ in range(CONNECTIONS_MAX)]
    for client in clients:
        client.writer.write(post(order_body("full")))
        await client.answer()
    yield doors
    for client in clients:
        await client.close()


@pytest.mark.parametrize("path", [b"/livez", b"/readyz", b"/metrics", b"/livez?a=1"])
@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
async def test_a_service_with_all_its_connections_still_tells_how_it_is(
    full: Doors, method: bytes, path: bytes
) -> None:
    """A balancer, or whoever restarts it, would take it for dead; and the numbers are wanted then most of all."""
    for _ in range(3):
        client = await Client.of(full.ours)
        client.writer.write(method + b" " + path + b" HTTP/1.1\r\n")
        await asyncio.sleep(0.01)
        client.writer.write(HOST + b"\r\n")
        came = await ended_after(client)
        assert came.startswith(b"HTTP/1.1 200 ")
        assert b"connection: close" in came.lower()
        await client.close()
    assert full.door.refused == 0


@pytest.mark.parametrize("asked", [post(order_body("beyond")), b"GET /version HTTP/1.1\r\n" + HOST + b"\r\n", b""])
async def test_a_connection_too_many_is_told_so_whatever_else_it_asks(full: Doors, asked: bytes) -> None:
    """Also where it asks nothing: within a second, so that it keeps nobody from asking how the service is."""
    client = await Client.of(full.ours)
    client.writer.write(asked)
    status, headers, body = await client.answer()
    assert (status, msgspec.json.decode(body)["type"], headers["connection"]) == (503, "overloaded", "close")
    assert (full.door.refused, full.door.connections) == (1, CONNECTIONS_MAX)
    assert await client.ended()
    await client.close()


async def test_connections_too_many_that_ask_nothing_have_a_bound(full: Doors) -> None:
    """Those beyond it are told at once."""
    waiting = [await Client.of(full.ours) for _ in range(BEYOND_MAX)]
    await asyncio.sleep(0.05)
    one_more = await Client.of(full.ours)
    assert (await one_more.answer())[0] == 503
    assert full.door.refused == 1
    assert [(await client.answer())[0] for client in waiting] == [503] * BEYOND_MAX
    again = await Client.of(full.ours)
    again.writer.write(LIVEZ)
    assert (await again.answer())[0] == 200
    for client in (*waiting, one_more, again):
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
