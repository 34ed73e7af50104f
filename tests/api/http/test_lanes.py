"""Both lanes read alike: the door answers what aiohttp alone would answer to the same bytes, however they come."""

import asyncio
import re

import msgspec
import pytest

from api.http.aiohttp_lane import DOOR
from api.http.app import build_app
from api.http.server import open_door
from engine import Settings, open_engine
from engine.model import limits
from tests.api.http.raw import HOST, WAIT_S, Client, Doors, order_body, post
from tests.engine.small_network import put_network


def comparable(answer: tuple[int, dict[str, str], bytes]) -> tuple[int, dict[str, str], bytes]:
    """Less what differs from one request to the next."""
    status, headers, body = answer
    headers = {name: value for name, value in headers.items() if name not in ("date", "x-request-id", "content-length")}
    return status, headers, re.sub(rb'"request_id":"[^"]*"', b"", body)


BIG = b"x" * (limits.ORDER_BYTES_MAX + 1)
ODD = {
    "a plain order": post(order_body("odd")),
    "a header of any name": post(order_body("odd"), b"X-Any: one", b"Accept: */*"),
    "names in any case": post(order_body("odd")).replace(b"Content-Length", b"cOnTeNt-LeNgTh"),
    "a header twice": post(order_body("odd"), b"X-Any: one", b"X-Any: two"),
    "a header value that is not ASCII": post(order_body("odd"), "X-Any: \u00e9".encode()),
    "a request id": post(order_body("odd"), b"X-Request-Id: mine"),
    "keep-alive, said": post(order_body("odd"), b"Connection: keep-alive"),
    "the end, said": post(order_body("odd"), b"Connection: close"),
    "no host": post(order_body("odd"), host=b""),
    "two hosts": post(order_body("odd"), HOST.strip()),
    "HTTP/1.0": post(order_body("odd"), line=b"POST /v1/orders HTTP/1.0"),
    "no version": post(order_body("odd"), line=b"POST /v1/orders"),
    "HTTP/2.0": post(order_body("odd"), line=b"POST /v1/orders HTTP/2.0"),
    "HTTP/1.2": post(order_body("odd"), line=b"POST /v1/orders HTTP/1.2"),
    "a query": post(order_body("odd"), line=b"POST /v1/orders?a=1 HTTP/1.1"),
    "a slash more": post(order_body("odd"), line=b"POST /v1/orders/ HTTP/1.1"),
    "an absolute address": post(order_body("odd"), line=b"POST http://stockade/v1/orders HTTP/1.1"),
    "a lower-case method": post(order_body("odd"), line=b"post /v1/orders HTTP/1.1"),
    "another method": post(order_body("odd"), line=b"DELETE /v1/orders HTTP/1.1"),
    "two blanks in the line": post(order_body("odd"), line=b"POST  /v1/orders HTTP/1.1"),
    "a tab in the line": post(order_body("odd"), line=b"POST\t/v1/orders HTTP/1.1"),
    "another path": post(order_body("odd"), line=b"POST /v1/nothing HTTP/1.1"),
    "no length": b"POST /v1/orders HTTP/1.1\r\n" + HOST + b"\r\n",
    "a negative length": b"POST /v1/orders HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n",
    "a signed length": b"POST /v1/orders HTTP/1.1\r\n" + HOST + b"Content-Length: +2\r\n\r\n{}",
    "a length in hex": b"POST /v1/orders HTTP/1.1\r\n" + HOST + b"Content-Length: 0x2\r\n\r\n{}",
    "a length that overflows": b"POST /v1/orders HTTP/1.1\r\n"
    + HOST
    + b"Content-Length: 99999999999999999999\r\n\r\n{}",
    "two lengths that differ": post(order_body("odd"), b"Content-Length: 3"),
    "two lengths that agree": post(b"{}", b"Content-Length: 2"),
    "a list of lengths": b"POST /v1/orders HTTP/1.1\r\n" + HOST + b"Content-Length: 2, 2\r\n\r\n{}",
    "length and chunks": post(b"0\r\n\r\n", b"Transfer-Encoding: chunked"),
    "chunks": b"POST /v1/orders HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "chunks, hidden": b"POST /v1/orders HTTP/1.1\r\n"
    + HOST
    + b"Transfer-Encoding: x, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "chunks of a wrong size": b"POST /v1/orders HTTP/1.1\r\n"
    + HOST
    + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    "a blank before the colon": post(order_body("odd"), b"X-Any : one"),
    "a folded header": post(order_body("odd"), b"X-Any: one\r\n two"),
    "a header without a colon": post(order_body("odd"), b"X-Any"),
    "a nul in a header": post(order_body("odd"), b"X-Any: a\0b"),
    "a bare return in a header": post(order_body("odd"), b"X-Any: a\rX-Other: b"),
    "bare newlines": post(order_body("odd")).replace(b"\r\n", b"\n"),
    "an empty line first": b"\r\n" + post(order_body("odd")),
    "a hundred and fifty headers": post(order_body("odd"), *(b"X-%d: 1" % number for number in range(150))),
    "a header of 5 KB": post(order_body("odd"), b"X-Any: " + b"a" * 5_000),
    "a header of 9 KB": post(order_body("odd"), b"X-Any: " + b"a" * 9_000),
    "an expectation": post(order_body("odd"), b"Expect: 100-continue"),
    "an unknown expectation": post(order_body("odd"), b"Expect: a miracle"),
    "an upgrade": post(order_body("odd"), b"Connection: upgrade", b"Upgrade: h2c"),
    "packed": post(b"\x1f\x8b", b"Content-Encoding: gzip"),
    "an unknown packing": post(order_body("odd"), b"Content-Encoding: rot13"),
    "too large": post(BIG),
    "too large, said only": b"POST /v1/orders HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999\r\n\r\n",
    "broken JSON": post(b"{"),
    "no body": post(b""),
    "not UTF-8": post(b'{"order_id":"\xff"}'),
    "deep": post(b"[" * 10_000),
    "a broken rule": post(order_body("odd").replace(b'"quantity":1', b'"quantity":0')),
    "an unknown SKU": post(order_body("odd", sku="none")),
    "not HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 100,
    "a key": post(order_body("odd"), b"Idempotency-Key: lanes"),
    "a key that is the id": post(order_body("odd"), b'Idempotency-Key: "odd"'),
    "a key in the place of the id": post(order_body("odd").replace(b'"order_id":"odd",', b""), b"Idempotency-Key: odd"),
    "a key that is another order's id": post(order_body("odd").replace(b":1}", b":2}"), b"Idempotency-Key: odd"),
    "a key of a refused order": post(order_body("odd-9").replace(b":1}", b":9999}"), b"Idempotency-Key: lanes-9"),
    "a malformed key": post(order_body("odd"), b"Idempotency-Key: a, b"),
    "an empty key": post(order_body("odd"), b"Idempotency-Key:"),
    "a key that is not ASCII": post(order_body("odd"), "Idempotency-Key: \u00e9".encode()),
    "two keys": post(order_body("odd"), b"Idempotency-Key: a", b"Idempotency-Key: a"),
    "a malformed key of a broken body": post(b"{", b"Idempotency-Key: a b"),
    "a time for it": post(order_body("odd"), b"Stockade-Timeout-Ms: 5000"),
    "two times for it": post(order_body("odd"), b"Stockade-Timeout-Ms: 1", b"Stockade-Timeout-Ms: 2"),
    "no time at all": post(order_body("odd"), b"Stockade-Timeout-Ms: 0"),
    "too long a time": post(order_body("odd"), b"Stockade-Timeout-Ms: 60001"),
    "a time that is no number": post(order_body("odd"), b"Stockade-Timeout-Ms: 1.5"),
    "an empty time": post(order_body("odd"), b"Stockade-Timeout-Ms:"),
    "another route": b"GET /livez HTTP/1.1\r\n" + HOST + b"\r\n",
}


@pytest.mark.parametrize("cut", ["whole", "in two"])
@pytest.mark.parametrize("request_bytes", ODD.values(), ids=ODD)
async def test_the_door_answers_what_aiohttp_alone_answers(doors: Doors, request_bytes: bytes, cut: str) -> None:
    """The same status, headers and body; and it keeps or ends the connection as aiohttp does."""
    # Both are retries, so that one does not make the other one.
    first = await Client.of(doors.aiohttp)
    first.writer.write(post(order_body("odd")))
    await first.answer()
    await first.close()
    found = []
    for address in (doors.ours, doors.aiohttp):
        client = await Client.of(address)
        half = len(request_bytes) // 2
        pieces = {
            "whole": [request_bytes],
            "in two": [request_bytes[:half], request_bytes[half:]],
        }[cut]
        for piece in pieces:
            client.writer.write(piece)
            await asyncio.sleep(0)
        try:
            answers = [comparable(await client.answer())]
        except (asyncio.IncompleteReadError, ConnectionError):
            answers = []
        found.append((answers, await client.ended()))
        await client.close()
    assert found[0] == found[1]


async def test_a_request_may_come_byte_by_byte(doors: Doors) -> None:
    """And be followed by the next one in the same packet."""
    client = await Client.of(doors.ours)
    stream = post(order_body("drip-1")) + post(order_body("drip-2")) + b"GET /livez HTTP/1.1\r\n" + HOST + b"\r\n"
    for byte in stream:
        client.writer.write(bytes((byte,)))
        await client.writer.drain()
        await asyncio.sleep(0)
    assert [(await client.answer())[0] for _ in range(3)] == [201, 201, 200]
    await client.close()


async def test_requests_sent_ahead_are_answered_in_their_order(doors: Doors) -> None:
    """However many: what is not read yet waits with the client."""
    client = await Client.of(doors.ours)
    count = 1_000
    flood = b"".join(post(order_body(f"ahead-{number % 50}")) for number in range(count))
    sending = asyncio.create_task(_send(client, flood))
    for number in range(count):
        status, _, body = await client.answer()
        assert (status, msgspec.json.decode(body)["order_id"]) == (
            201 if number < 50 else 200,
            f"ahead-{number % 50}",
        )
    await sending
    await client.close()


async def _send(client: Client, data: bytes) -> None:
    client.writer.write(data)
    await client.writer.drain()


async def test_connections_beyond_the_limit_are_told_and_closed(doors: Doors) -> None:
    """Those that are open go on."""
    clients = [await Client.of(doors.ours) for _ in range(20)]
    for client in clients:
        client.writer.write(post(order_body("many")))
        assert (await client.answer())[0] in (200, 201)
    one_more = await Client.of(doors.ours)
    status, headers, _ = await one_more.answer()
    # Nobody has left yet: as if all were idle, one of 20 places is free in 75 s / 20.
    assert (status, headers["retry-after"], headers["connection"]) == (503, "4", "close")
    assert await one_more.ended()
    await one_more.close()
    await clients.pop().close()
    clients[0].writer.write(post(order_body("many")))
    assert (await clients[0].answer())[0] == 200
    for client in clients:
        await client.close()


async def test_what_is_under_way_is_answered_when_the_service_stops(empty_store_url: str) -> None:
    """Nothing that was taken goes without its answer; whoever is idle is closed."""
    settings = Settings(redis_url=empty_store_url, port=0, drain_s=5)
    async with open_engine(settings) as engine:
        await put_network(engine, {("x", "A"): 1_000})
        app = build_app(engine)
        door = open_door(app, engine)
        host, _, port = (await door.__aenter__()).removeprefix("http://").partition(":")
        clients = [await Client.of((host, int(port))) for _ in range(50)]
        idle = await Client.of((host, int(port)))
        async with engine.intake.exclusive:
            for number, client in enumerate(clients):
                client.writer.write(post(order_body(f"last-{number}")))
            async with asyncio.timeout(WAIT_S):
                while app[DOOR].under_way < len(clients):
                    await asyncio.sleep(0.01)
            stopping = asyncio.create_task(door.__aexit__(None, None, None))
            assert await idle.ended()
        answers = [await client.answer() for client in clients]
        assert [status for status, _, _ in answers] == [201] * 50
        assert {headers["connection"] for _, headers, _ in answers} == {"close"}
        await stopping
        for client in (*clients, idle):
            await client.close()
