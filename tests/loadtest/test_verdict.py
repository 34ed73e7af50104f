"""A load test that is no success is told as none: each finding is planted, on a real server and a real run."""

import asyncio

import pytest

from loadtest.load import run_load
from loadtest.load_plan import Arrivals, Constant, Kind, LoadPlan
from loadtest.load_result import LoadResult
from loadtest.verdict import failed_share, findings
from tests.loadtest.planted import OK, Answering, Planted, planted

ORDER = Kind(name="order", path="/v1/orders", body='{"order_id":"${id}"}')
LINES = 20
BULK = Kind(name="bulk", path="/v1/orders:bulk", body='{"order_id":"${id}"}', bulk_lines=LINES)
BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 21\r\n\r\n" + b'{"type":"overloaded"}'


def run(answering: Answering, arrivals: Arrivals | None = None, kind: Kind = ORDER, **more: object) -> LoadResult:
    """A second's run, of 100 requests where nothing else is said."""
    given: dict[str, object] = {"connections": 16, "timeout_s": 5.0, "id_prefix": "t", "seconds": 1.0} | more
    with planted(answering) as url:
        return run_load(LoadPlan(url=url, arrivals=arrivals or Constant(100), kinds=[kind], **given))  # type: ignore[arg-type]


def told(result: LoadResult, words: str, **targets: float) -> bool:
    """Whether a finding has these words."""
    return any(words in one for one in findings(result, **targets))


def bulk_answer(*lines: bytes) -> bytes:
    """200 with these lines."""
    body = b"".join(line + b"\n" for line in lines)
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


RESERVED = b'{"outcome":"reserved","order_id":"a","status":"confirmed"}'
SOLD_OUT = b'{"outcome":"rejected","type":"insufficient-stock","status":409}'
STORE_DOWN = b'{"outcome":"rejected","type":"store-unavailable","status":503}'


def test_quick_refusals_meet_no_target() -> None:
    """The target is for what was accepted, and turning nearly all away is a finding of its own."""

    async def refuses(request: Planted) -> None:
        if request.number % 10:
            await request.answer(BUSY)
        else:
            await asyncio.sleep(0.3)
            await request.answer(OK)

    result = run(refuses)
    assert result.orders["overloaded"] == 90
    assert result.from_intended.p50_ms < 250
    assert told(result, "p99 of what was accepted", p99_ms=250)
    assert told(result, "90 of 100 orders (90.0%) were turned away")
    assert not told(result, "turned away", overloaded_max=0.9)


def test_a_bulk_whose_lines_a_stopped_store_turned_away_was_not_accepted() -> None:
    """Though its body was answered with 200."""

    async def refuses(request: Planted) -> None:
        await request.answer(bulk_answer(*[STORE_DOWN] * LINES))

    result = run(refuses, Constant(20), BULK)
    assert result.classes["ok"].count == 20
    assert result.orders == {"ok": 0, "refused": 0, "overloaded": 20 * LINES, "other": 0, "failed": 0}
    assert (result.goodput_per_s, result.problems) == (0, {"store-unavailable": 20 * LINES})
    assert told(result, "400 of 400 orders (100.0%) were turned away")
    assert told(result, "Nothing was accepted")


def test_confirmations_that_fail_are_told_though_they_are_no_orders() -> None:
    """Each order is taken, and nothing can be done to it."""
    kinds = [ORDER, Kind(name="confirm", path="/v1/orders/${id}/confirm", accepted="order", body="{}")]

    async def answers(request: Planted) -> None:
        failed = b"/confirm" in request.head
        await request.answer(b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\n{}" if failed else OK)

    with planted(answers) as url:
        plan = LoadPlan(url=url, arrivals=Constant(100), kinds=kinds, connections=16, id_prefix="t", seconds=1.0)
        result = run_load(plan)
    assert (result.orders["other"], result.orders["failed"]) == (0, 0)
    assert failed_share(result) == pytest.approx(0.5, abs=0.15)
    assert told(result, "with 500")
    assert not told(result, "with 500", failed_max=0.7)


@pytest.mark.parametrize(("more", "missing", "surplus"), [(0, 0, 0), (-2, 40, 0), (1, 0, 20)])
def test_each_order_of_a_bulk_is_accepted_refused_or_missing(more: int, missing: int, surplus: int) -> None:
    """A line that is left out, or one too many, is seen; what is sold out is no finding."""

    async def answers(request: Planted) -> None:
        await request.answer(bulk_answer(*[SOLD_OUT] * 5, *[RESERVED] * (LINES - 5 + more)))

    result = run(answers, Constant(20), BULK)
    accepted = 20 * (LINES - 5) - missing
    assert result.orders == {"ok": accepted, "refused": 100, "overloaded": 0, "other": 0, "failed": missing}
    assert (result.lines_missing, result.lines_surplus) == (missing, surplus)
    assert told(result, "Bulk answers left out 40 of the orders") == (more < 0)
    assert told(result, "Bulk answers told 20 lines beyond the orders") == (more > 0)
    assert not told(result, "turned away")


def test_a_bulk_that_is_turned_away_whole_counts_with_all_its_orders() -> None:
    """One body in ten is a tenth of the orders."""

    async def refuses(request: Planted) -> None:
        await request.answer(BUSY if request.number % 10 == 3 else bulk_answer(*[RESERVED] * LINES))

    result = run(refuses, Constant(20), BULK)
    assert result.orders["overloaded"] == 2 * LINES
    assert told(result, "40 of 400 orders (10.0%) were turned away")


def test_what_is_done_to_an_order_is_no_order_more() -> None:
    """A target for the share of orders is of orders; nor is a confirmation goodput."""

    async def serves_half(request: Planted) -> None:
        is_order = request.head.startswith(b"POST /v1/orders HTTP")
        sold_out = b"HTTP/1.1 409 No\r\nContent-Length: 0\r\n\r\n"
        await request.answer(sold_out if is_order and request.number % 2 else OK)

    confirm = Kind(name="confirm", path="/v1/orders/${id}/confirm", accepted=ORDER.name)
    with planted(serves_half) as url:
        result = run_load(
            LoadPlan(url=url, arrivals=Constant(200), seconds=1, kinds=[ORDER, confirm], id_prefix="t", connections=16)
        )
    orders, confirmations = result.kinds
    assert confirmations.offered > 10
    assert result.orders["ok"] == orders.done["ok"]
    assert sum(result.orders.values()) == orders.offered < result.offered
    assert result.goodput_per_s <= orders.done["ok"] / result.seconds * 1.01


def test_what_a_service_does_after_the_end_is_none_of_its_goodput() -> None:
    """Offered twice what it can do, it does the rest from its backlog once nothing more is due."""

    async def follows_slowly(request: Planted) -> None:
        await asyncio.sleep(0.02)
        await request.answer(OK)

    result = run(follows_slowly, Constant(200), connections=2)
    assert result.orders["ok"] == result.offered == 200
    assert result.goodput_per_s <= 2 / 0.02
    assert result.accepted_after_end == 200 - round(result.goodput_per_s) > 80
    assert result.waiting_at_end > 50
    assert told(result, "The service did not follow")


def test_a_service_that_follows_accepts_what_is_offered() -> None:
    """Whatever little it does after the end."""

    async def follows(request: Planted) -> None:
        await asyncio.sleep(0.02)
        await request.answer(OK)

    result = run(follows, connections=100)
    assert result.goodput_per_s > 50
    assert (round(result.goodput_per_s) + result.accepted_after_end, result.waiting_at_end) == (100, 0)
    assert not told(result, "did not follow")
