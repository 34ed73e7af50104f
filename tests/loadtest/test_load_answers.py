"""Whatever a server does to a request, it is counted once, as what it was."""

import asyncio
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from loadtest.load import NoRun, run_load
from loadtest.load_plan import Constant, Kind, LoadPlan, Record, Retries
from loadtest.load_result import LoadResult
from loadtest.verdict import findings
from tests.loadtest.planted import OK, Answering, Planted, planted

ORDER = Kind(name="order", path="/v1/orders", body='{"order_id":"${id}"}')


def run(answering: Answering, *, requests: int = 200, kinds: list[Kind] | None = None, **more: object) -> LoadResult:
    """So many requests within a second."""
    given: dict[str, object] = {"connections": 8, "timeout_s": 5.0, "id_prefix": "t"} | more
    with planted(answering) as url:
        arrivals = Constant(requests)
        return run_load(LoadPlan(url=url, arrivals=arrivals, seconds=1.0, kinds=kinds or [ORDER], **given))  # type: ignore[arg-type]


async def accept(request: Planted) -> None:
    """201."""
    await request.answer(OK)


@pytest.mark.parametrize(
    ("pieces", "failure"),
    [
        ([], "closed"),
        ([b"HTTP/1.1 201 Crea"], "truncated"),
        ([b"HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\nhalf"], "truncated"),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"], "truncated"),
        ([b"SSH-2.0-OpenSSH_9.2\r\n\r\n"], "malformed"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"], "malformed"),
    ],
)
def test_answers_that_are_none_are_failures_by_their_reason(pieces: list[bytes], failure: str) -> None:
    """Every tenth is broken; the others are not touched by it, as connections are made anew."""

    async def breaks(request: Planted) -> None:
        if request.number % 10 == 3:
            await request.answer(*pieces)
            request.cut()
        else:
            await request.answer(OK)

    result = run(breaks)
    assert result.failures == {failure: 20}
    assert (result.classes["failed"].count, result.classes["ok"].count) == (20, 180)
    # One that ends the run is not made anew.
    assert result.reconnects >= 18
    assert any("no answer" in one for one in findings(result))


def test_resets_are_failures() -> None:
    """Before an answer or within one."""

    async def resets(request: Planted) -> None:
        if request.number % 10 == 3:
            request.reset()
        else:
            await request.answer(OK)

    result = run(resets)
    assert result.classes["ok"].count == 180
    # The kernel may tell a reset as an end.
    assert sum(result.failures.values()) == result.failures.get("reset", 0) + result.failures.get("closed", 0) == 20


def test_an_answer_that_does_not_come_is_given_up_in_time() -> None:
    """And its connection with it."""

    async def keeps(request: Planted) -> None:
        if request.number % 50 == 3:
            await asyncio.sleep(3)
        await request.answer(OK)

    result = run(keeps, timeout_s=0.3)
    assert result.failures == {"timeout": 4}
    assert result.classes["ok"].count == 196
    assert result.classes["failed"].from_sent.p50_ms == pytest.approx(325, abs=75)
    assert result.wall_s < 2.5


@pytest.mark.parametrize(
    "pieces",
    [
        [bytes([byte]) for byte in OK],
        [b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n{\r\n1\r\n", b"}\r\n0\r\n", b"\r\n"],
        [b"HTTP/1.1 100 Continue\r\n\r\n", OK],
        [b"HTTP/1.1 204 No Content\r\n\r\n"],
    ],
    ids=["byte by byte", "chunked", "after an interim answer", "without a body"],
)
def test_answers_in_any_form_are_answers(pieces: list[bytes]) -> None:
    """On connections that go on."""

    async def answers(request: Planted) -> None:
        await request.answer(*pieces)

    result = run(answers)
    assert (result.classes["ok"].count, result.reconnects, result.surplus_answers) == (200, 0, 0)


@pytest.mark.parametrize(
    "told", [b"Connection: close\r\nContent-Length: 2\r\n\r\n{}", b"\r\n{}"], ids=["told", "shown"]
)
def test_connections_that_end_with_an_answer_are_made_anew(told: bytes) -> None:
    """Such an answer is as good as any."""

    async def closes(request: Planted) -> None:
        await request.answer(b"HTTP/1.1 201 Created\r\n" + told)
        request.cut()

    result = run(closes)
    assert (result.classes["ok"].count, result.failures) == (200, {})
    assert result.reconnects >= 190


def test_bytes_that_nobody_asked_for_end_the_connection() -> None:
    """An answer too many would be taken for the one to the next request."""

    async def doubles(request: Planted) -> None:
        await request.answer(OK + OK if request.number % 20 == 0 else OK)

    result = run(doubles)
    assert result.classes["ok"].count == 200
    assert result.surplus_answers == result.reconnects == 10


def test_outcomes_are_told_apart() -> None:
    """By class, status and problem; a refusal is no failure, an error is."""
    answers = {
        1: b'HTTP/1.1 409 Conflict\r\nContent-Length: 29\r\n\r\n{"type":"insufficient-stock"}',
        2: b'HTTP/1.1 429 Slow\r\nContent-Length: 21\r\n\r\n{"type":"overloaded"}',
        3: b"HTTP/1.1 500 Error\r\nContent-Length: 4\r\n\r\noops",
        4: b"HTTP/1.1 200 OK\r\nIdempotent-Replayed: true\r\nContent-Length: 0\r\n\r\n",
    }

    async def mixes(request: Planted) -> None:
        await request.answer(answers.get(request.number % 10, OK))

    result = run(mixes)
    counts = {word: one.count for word, one in result.classes.items()}
    assert counts == {"ok": 140, "refused": 20, "overloaded": 20, "other": 20, "failed": 0}
    assert result.statuses == {200: 20, 201: 120, 409: 20, 429: 20, 500: 20}
    assert result.problems == {"insufficient-stock": 20, "overloaded": 20, "(none)": 20}
    assert result.replayed == 20
    assert any("20 with 500" in one for one in findings(result))


def test_what_an_overloaded_service_turned_away_is_sent_again_under_the_same_id() -> None:
    """After its Retry-After; counted apart, and as long as it took from the first time on."""
    seen: Counter[bytes] = Counter()
    busy = b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"

    async def turns_away(request: Planted) -> None:
        seen[request.body] += 1
        turned_away = (request.body.endswith(b'5"}') and seen[request.body] < 2) or request.body.endswith(b'-66"}')
        await request.answer(busy if turned_away else OK)

    result = run(turns_away, requests=100, retries=Retries(times_max=2, wait_s_max=0.5))
    assert (result.classes["ok"].count, result.classes["overloaded"].count) == (99, 1)
    assert (result.retries.sent, result.retries.recovered) == (12, 10)
    assert result.statuses == {201: 99, 503: 13}
    assert result.offered == result.sent == len(seen) == 100
    assert 500 <= result.retries.from_intended.p50_ms < 900
    assert seen[b'{"order_id":"t-0-66"}'] == 3


def test_replays_are_the_very_same_request_and_life_cycles_name_accepted_orders() -> None:
    """Nothing is confirmed that was not accepted, nor twice."""
    orders: Counter[bytes] = Counter()
    paths: Counter[str] = Counter()

    async def keeps(request: Planted) -> None:
        path = request.head.split(b" ")[1].decode()
        paths[path] += 1
        if path == "/v1/orders":
            orders[request.body] += 1
        await request.answer(OK)

    order = msgspec.structs.replace(ORDER, body='{"order_id":"${id}","n":${number:1000000000}}')
    replay = Kind(name="replay", path="/v1/orders", replays="order")
    confirm = Kind(name="confirm", path="/v1/orders/${id}/confirm", accepted="order")
    result = run(keeps, requests=600, kinds=[order, replay, confirm])
    ids = {msgspec.json.decode(body)["order_id"] for body in orders}
    assert len(ids) == len(orders) < sum(orders.values()), "an id came with two contents, or none came twice"
    confirmed = {path.split("/")[3] for path in paths if path.endswith("/confirm")}
    assert confirmed
    assert confirmed <= ids
    assert all(count == 1 for path, count in paths.items() if path.endswith("/confirm"))
    assert {one.name: one.offered for one in result.kinds} == {one.name: one.done["ok"] for one in result.kinds}
    assert sum(one.offered for one in result.kinds) == 600


def test_a_record_has_every_send_and_what_became_of_it(tmp_path: Path) -> None:
    """Ids of what was accepted and bodies of refusals, as the audit after a run needs them."""
    file = tmp_path / "record"

    async def refuses_some(request: Planted) -> None:
        if request.number % 4 == 0:
            await request.answer(b'HTTP/1.1 409 No\r\nContent-Length: 13\r\n\r\n{"why":"\xe2\x82\xac"}')
        elif request.number % 4 == 1:
            request.cut()
        else:
            await request.answer(OK)

    result = run(refuses_some, record=Record(str(file), requests=True), threads=2)
    rows = [msgspec.json.decode(line) for line in file.read_bytes().splitlines()]
    assert len(rows) == result.offered == 200
    assert {row["id"] for row in rows} == {f"t-0-{number}" for number in range(200)}
    assert all(msgspec.json.decode(row["request"])["order_id"] == row["id"] for row in rows)
    assert Counter((row["status"], row.get("failure"), row.get("answer")) for row in rows) == {
        (409, None, '{"why":"€"}'): 50,
        (None, "closed", None): 50,
        (201, None, None): 100,
    }
    assert all(row["intended_us"] <= row["sent_us"] <= row["done_us"] for row in rows)


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ({"url": "https://localhost"}, "/url"),
        ({"url": "http://127.0.0.1:9"}, "cannot reach the service"),
        ({"id_prefix": "a b"}, "/id_prefix"),
        ({"kinds": [msgspec.structs.replace(ORDER, body="${what}")]}, "/kinds/0/body"),
        ({"kinds": [msgspec.structs.replace(ORDER, path="/a b")]}, "/kinds/0/path"),
        ({"kinds": [msgspec.structs.replace(ORDER, replays="none")]}, "/kinds/0/replays"),
        ({"record": Record("/")}, "cannot write the record"),
        ({"seconds": 1.0, "warmup_s": 1.0}, "/warmup_s"),
    ],
)
def test_a_plan_that_cannot_be_done_is_refused_with_its_reason(broken: dict[str, object], told: str) -> None:
    """Before anything is sent."""
    with planted(accept) as url:
        given = {"url": url, "arrivals": Constant(1), "seconds": 1.0, "kinds": [ORDER], "id_prefix": "t"} | broken
        with pytest.raises(NoRun, match=told):
            run_load(LoadPlan(**given))  # type: ignore[arg-type]
