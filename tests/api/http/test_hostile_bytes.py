"""Whatever bytes come, in either lane: well-formed answers or the end of the connection, and the service goes on.

Five seconds of it; `make fuzz-long` goes on for minutes.
"""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.api.conftest import Door, Shop
from tests.api.http.answers_in import answers_in
from tests.api.http.raw import HOST, order_body, post
from tests.conftest import Service
from tests.engine.hostile import PIECES, TIMES, changed

FUZZ_S = 5.0
CLIENTS = 12
ANSWERED_S = 20.0
"""When a connection whose client sends no more has surely ended: a body in bulk that broke off lingers for 2 s."""
PROBE_EVERY = 20

LINES = b"\n".join(order_body(f"hostile-{number}", sku="hostile") for number in range(3)) + b"\n"
ROWS = msgspec.json.encode([{"sku": "hostile", "warehouse": "hostile", "on_hand": 9}])
MOVE = msgspec.json.encode(
    {"movement_id": "m", "type": "receive", "rows": [{"sku": "hostile", "warehouse": "hostile", "quantity": 1}]}
)
BULK = b"POST /v1/orders:bulk HTTP/1.1"


def chunked(body: bytes, line: bytes) -> bytes:
    """A request whose body comes in chunks."""
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:50], body[50:]))
    return line + b"\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"


def get(path: bytes) -> bytes:
    """A request without a body."""
    return b"GET " + path + b" HTTP/1.1\r\n" + HOST + b"\r\n"


REQUESTS = (
    *(post(order_body(f"hostile-{number}", sku="hostile")) for number in range(4)),
    post(order_body("hostile-5", sku="hostile"), b"X-Request-Id: mine", b"Accept: */*", b"Stockade-Timeout-Ms: 5000"),
    post(order_body("hostile-6", sku="hostile"), b"Idempotency-Key: hostile"),
    post(order_body("hostile-7", sku="hostile"), b"Expect: 100-continue"),
    post(order_body("hostile-8", sku="hostile"), b"Content-Type: application/json", b"Connection: close"),
    chunked(order_body("hostile-9", sku="hostile"), b"POST /v1/orders HTTP/1.1"),
    post(order_body("hostile-q", sku="hostile"), line=b"POST /v1/quotes HTTP/1.1"),
    post(LINES, line=BULK),
    chunked(LINES, BULK),
    post(b"{}", line=b"POST /v1/orders/hostile-1/cancel HTTP/1.1"),
    post(ROWS, line=b"PUT /v1/stock HTTP/1.1"),
    post(MOVE, line=b"POST /v1/stock/movements HTTP/1.1"),
    post(b"{}", line=b"PUT /v1/skus/hostile-2 HTTP/1.1"),
    *(get(path) for path in (b"/livez", b"/readyz", b"/version", b"/v1/orders/hostile-1", b"/v1/skus/hostile")),
    *(get(path) for path in (b"/v1/stock?sku=hostile&limit=5", b"/v1/events?limit=3", b"/v1/warehouses", b"/nothing")),
)
HTTP_PIECES = (
    *(
        b"\r\n",
        b"\r\n\r\n",
        b"\n",
        b"\r",
        b" ",
        b"\t",
        b": ",
        b"\0",
        b"\xff",
        b"%00",
        b"%2F",
        b"/../",
        b"?a=1&a=2",
        b"#",
    ),
    *(b" HTTP/1.0", b" HTTP/2.0", b"Host: other\r\n", b"Content-Length: 5\r\n", b"Content-Length: 99999\r\n", b"POST "),
    *(b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: x, chunked\r\n", b"Content-Encoding: gzip\r\n"),
    *(
        b"Connection: close\r\n",
        b"Connection: upgrade\r\nUpgrade: h2c\r\n",
        b"Expect: 100-continue\r\n",
        b"Expect: x\r\n",
    ),
    *(
        b"Authorization: Bearer stk_x\r\n",
        b"Origin: http://elsewhere\r\n",
        b"Idempotency-Key: a\r\n",
        b"X: " + b"a" * 9_000,
    ),
    *(b"0\r\n\r\n", b"ffffffffffffffff\r\n", b"5;x=y\r\n", b"-1\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    *(get(b"/livez"), post(order_body("hostile-0", sku="hostile"))),
)


@pytest.fixture
def hardened(tmp_path: Path) -> Iterator[tuple[Service, Path]]:
    """A service of its own with stock of "hostile" and of "probe", and what it says to standard error."""
    log = tmp_path / "log"
    one = Service(tmp_path / "store", log=log, STOCKADE_LOG_FORMAT="json")
    shop = Shop(Door(one.start()), "hostile")
    shop.door.put("/v1/warehouses/hostile", {"lat": 30, "lon": 110})
    for sku in ("hostile", "probe"):
        shop.door.put(f"/v1/skus/{sku}", {})
        shop.door.put("/v1/stock", [{"sku": sku, "warehouse": "hostile", "on_hand": 1_000_000}])
    yield one, log
    one.stop()


async def exchange(address: tuple[str, int], draw: random.Random, sent: bytes) -> bytes:
    """All that comes back for these bytes, until the connection ends; nothing where the client goes first."""
    reader, writer = await asyncio.open_connection(*address)
    leaves, came = draw.random() < 0.1, bytearray()
    try:
        # A reset, or the end before all was sent, is an answer, too.
        with contextlib.suppress(OSError):
            while sent:
                size = draw.choice((1, 7, 100, 5_000, len(sent)))
                piece, sent = sent[:size], sent[size:]
                writer.write(piece)
                await asyncio.sleep(0)
            if not leaves:
                writer.write_eof()
                async with asyncio.timeout(ANSWERED_S):
                    await read_to_end(reader, came)
    except TimeoutError:
        raise AssertionError(f"the connection goes on after {bytes(came)!r}") from None
    finally:
        writer.transport.abort()
    return bytes(came)


async def read_to_end(reader: asyncio.StreamReader, into: bytearray) -> None:
    """Piece by piece: a reset takes only what was not read yet."""
    while data := await reader.read(1 << 16):
        into += data


def hostile(draw: random.Random) -> bytes:
    """One to four requests, most of them spoilt; or noise."""
    if draw.random() < 0.1:
        return b"".join(draw.choice((*HTTP_PIECES, *PIECES, draw.randbytes(5))) for _ in range(draw.randint(1, 20)))
    requests = []
    for _ in range(draw.randint(1, 4)):
        request = draw.choice(REQUESTS)
        if draw.random() < 0.8:
            request = changed(draw, request, pieces=HTTP_PIECES if draw.random() < 0.7 else PIECES)
        requests.append(request)
    return b"".join(requests)


async def attack(address: tuple[str, int], seed: int, ends_s: float) -> Counter[int]:
    """Send hostile bytes until then; returns how often each status came."""
    draw, statuses = random.Random(seed), Counter[int]()
    now_s = asyncio.get_running_loop().time
    while now_s() < ends_s:
        for _ in range(PROBE_EVERY):
            sent = hostile(draw)
            try:
                found = answers_in(await exchange(address, draw, sent))
            except (AssertionError, KeyError, ValueError) as error:
                raise AssertionError(f"{error!r} of {sent!r}") from error
            for one in found:
                assert one.status < 500 or one.status == 503, (one, sent)
                statuses[one.status] += 1
        order_id = f"probe-{seed}-{draw.getrandbits(60)}"
        came = await exchange_whole(address, post(order_body(order_id, sku="probe")) + get(b"/livez"))
        assert [one.status for one in answers_in(came)] == [201, 200], came
    return statuses


async def exchange_whole(address: tuple[str, int], sent: bytes) -> bytes:
    """The same of a decent client."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(sent)
    writer.write_eof()
    try:
        async with asyncio.timeout(ANSWERED_S):
            return await reader.read()
    finally:
        writer.transport.abort()


@pytest.mark.slow
async def test_a_service_answers_whatever_comes_and_lives(hardened: tuple[Service, Path]) -> None:
    """No 500, no traceback, no connection that hangs; who comes next, in either lane, is served."""
    service, log = hardened
    host, _, port = service.url.removeprefix("http://").partition(":")
    ends_s = asyncio.get_running_loop().time() + FUZZ_S * TIMES
    try:
        async with asyncio.TaskGroup() as group:
            attacks = [group.create_task(attack((host, int(port)), seed, ends_s)) for seed in range(CLIENTS)]
    except ExceptionGroup as failed:
        # What the service says of it is gone with the test.
        failed.add_note("\n".join(line for line in log.read_text().splitlines() if '"level":"error"' in line))
        raise
    statuses = sum((each.result() for each in attacks), Counter[int]())
    assert statuses.total() > 100
    assert {200, 201, 400, 404, 422} <= statuses.keys(), statuses
    assert service.process is not None
    assert service.process.poll() is None
    said = log.read_text()
    for bad in ("Traceback", '"level":"error"'):
        before, found, after = said.partition(bad)
        assert not found, before[-1_000:] + found + after[:4_000]
