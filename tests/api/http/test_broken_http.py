"""What cannot be read as HTTP is a problem like any other: told why, counted, and without a word of what we run."""

import asyncio

import msgspec
import pytest
import structlog

from api.http.keys import WATCH
from api.http.reader import LINGER_S
from api.logs import log_to_standard_error
from api.metrics.counts import UNREAD
from tests.api.http.raw import HOST, Client, Doors, order_body, post

CHUNKED = b"POST /v1/quotes HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
BROKEN = {
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 100,
    "a bad request line": b"GET\r\n\r\n",
    "no version": b"PUT /v1/skus/none\r\n" + HOST + b"Content-Length: 2\r\n\r\n{}",
    "a version before headers": post(order_body("b"), line=b"POST /v1/orders HTTP/0.9"),
    "a long field": post(order_body("b"), b"X-Any: " + b"a" * 9_000),
    "a long line": b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "many fields": post(order_body("b"), *(b"X-%d: 1" % number for number in range(200))),
    "a bad size of a chunk": CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n",
    "a size that overflows": CHUNKED + b"f" * 40 + b"\r\n{}\r\n",
    "a negative size": CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n",
    "a chunk longer than it says": CHUNKED + b"1\r\n{}\r\n0\r\n\r\n",
    "two lengths": b"POST /v1/quotes HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
}


def problem(answer: tuple[int, dict[str, str], bytes], status: int, type_: str) -> None:
    """It must be that, whole, and the last of its connection."""
    found, headers, body = answer
    assert (found, headers["content-type"]) == (status, "application/problem+json"), body
    told = msgspec.json.decode(body)
    assert (told["type"], told["status"], told["request_id"]) == (type_, status, headers["x-request-id"])
    assert told["detail"]
    assert told["title"]
    assert "server" not in headers


@pytest.mark.parametrize("after", [b"", b"GET /livez HTTP/1.1\r\n" + HOST + b"\r\n"], ids=["first", "later"])
@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
async def test_what_cannot_be_read_is_a_problem(doors: Doors, data: bytes, after: bytes) -> None:
    """Whether it comes first on its connection or behind another request; and it is counted."""
    before = refused(doors)
    client = await Client.of(doors.ours)
    if after:
        client.writer.write(after)
        assert (await client.answer())[0] == 200
    client.writer.write(data)
    answer = await client.answer()
    problem(answer, 400, "broken-http")
    assert answer[1]["connection"] == "close"
    assert b"X-Any" not in answer[2]
    assert await client.ended()
    await client.close()
    assert refused(doors) == before + 1


@pytest.mark.parametrize("field", [b"Origin: http://\xe7", b"Host: \xff.example"], ids=["origin", "host"])
@pytest.mark.parametrize("fast", [True, False], ids=["fast", "aiohttp"])
async def test_what_is_no_text_is_refused_in_text(doors: Doors, field: bytes, fast: bool) -> None:
    """Where the refusal quotes a header: in either lane, and the connection goes on."""
    host = b"" if field.startswith(b"Host") else HOST
    client = await Client.of(doors.ours)
    for _ in range(2):
        if fast:
            client.writer.write(post(order_body("b"), field, host=host))
        else:
            client.writer.write(b"GET /v1/warehouses HTTP/1.1\r\n" + host + field + b"\r\n\r\n")
        problem(await client.answer(), 403, "forbidden")
    await client.close()


async def test_an_expectation_that_is_no_text_is_unknown(doors: Doors) -> None:
    """As any other that is not known."""
    client = await Client.of(doors.ours)
    client.writer.write(post(order_body("b"), b"Expect: \x85"))
    problem(await client.answer(), 417, "unknown-expectation")
    await client.close()


def test_a_line_of_the_log_may_have_what_is_no_text(capsys: pytest.CaptureFixture[str]) -> None:
    """Else the log would be where a request fails."""
    try:
        log_to_standard_error("json")
        structlog.get_logger().error("a request failed", path="/\udcff")
    finally:
        structlog.reset_defaults()
    assert msgspec.json.decode(capsys.readouterr().err.replace("\\udcff", "?"))["path"] == "/?"


def refused(doors: Doors) -> float:
    """Requests that could not be read, by the counters."""
    rows = doors.app[WATCH].meter.counts.requests.items()
    return sum(sum(row[:-1]) for (route, _, outcome), row in rows if (route, outcome) == (UNREAD, "broken-http"))


async def test_a_body_that_breaks_while_it_is_read_is_answered_once(doors: Doors) -> None:
    """Two answers to one request would be taken for those to two."""
    client = await Client.of(doors.ours)
    client.writer.write(CHUNKED + b"2\r\n{}")
    await client.writer.drain()
    client.writer.write(b"\r\nzz\r\n")
    answer = await client.answer()
    assert answer[0] == 400
    assert answer[1]["content-type"] == "application/problem+json"
    assert await client.ended()
    await client.close()


async def test_a_bulk_body_that_breaks_is_cut_off_at_once(doors: Doors) -> None:
    """Its answer has begun, so it has no last chunk; the whole lines before are done and answered."""
    client = await Client.of(doors.ours)
    line = order_body("b-1") + b"\n"
    client.writer.write(CHUNKED.replace(b"quotes", b"orders:bulk") + b"%x\r\n%b\r\n" % (len(line), line))
    async with asyncio.timeout(LINGER_S + 3):
        await client.reader.readuntil(b'"reserved"')
        client.writer.write(b"zz\r\n")
        assert not (await client.reader.read()).endswith(b"0\r\n\r\n")
    await client.close()


@pytest.mark.parametrize("fields", [b"gzip, chunked", b"identity, chunked", b"chunked, chunked"])
async def test_a_transfer_coding_that_is_not_known_is_refused(doors: Doors, fields: bytes) -> None:
    """What is inside would be taken for what it is not."""
    client = await Client.of(doors.ours)
    client.writer.write(CHUNKED.replace(b"chunked", fields) + b"2\r\n{}\r\n0\r\n\r\n")
    status, _, body = await client.answer()
    assert status in (400, 415)
    assert msgspec.json.decode(body)["type"] in ("broken-http", "unsupported-encoding")
    await client.close()


@pytest.mark.parametrize("path", [b"/v1/quotes", b"/v1/orders", b"/nowhere"])
async def test_an_unknown_expectation_is_a_problem(doors: Doors, path: bytes) -> None:
    """Also where there is nothing by the path; one that is known is met."""
    client = await Client.of(doors.ours)
    for _ in range(2):
        client.writer.write(post(b"{}", b"Expect: a miracle", line=b"POST %b HTTP/1.1" % path))
        problem(await client.answer(), 417, "unknown-expectation")
    await client.close()


async def test_no_answer_names_what_the_service_is_made_of(doors: Doors) -> None:
    """Of neither lane: whoever looks for a release with a known hole finds none named."""
    client = await Client.of(doors.ours)
    for data in (
        post(order_body("b")),
        b"GET /livez HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /nowhere HTTP/1.1\r\n" + HOST + b"\r\n",
    ):
        client.writer.write(data)
        assert "server" not in (await client.answer())[1]
    await client.close()
