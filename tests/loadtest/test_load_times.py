"""The generator's latencies are those that were planted, from when requests were due and from when they were sent."""

import asyncio
import itertools
import os
import threading
import time
from pathlib import Path

import msgspec
import pytest

from loadtest.load import run_load
from loadtest.load_plan import Arrivals, Closed, Constant, Kind, LoadPlan, Poisson, Record, Spike, Trace
from loadtest.load_result import LoadResult
from loadtest.verdict import findings
from tests.loadtest.planted import OK, Planted, planted

STALL_S = 1.0
STALLED = 300
"""The request at which the server stalls."""


def plan(url: str, arrivals: Arrivals, seconds: float, connections: int = 32, **more: object) -> LoadPlan:
    """Orders with nothing but an id."""
    kind = Kind(name="order", path="/v1/orders", body='{"order_id":"${id}"}')
    given = {"kinds": [kind], "id_prefix": "t", "connections": connections, "timeout_s": 10.0} | more
    return LoadPlan(url=url, arrivals=arrivals, seconds=seconds, **given)  # type: ignore[arg-type]


def stalled(arrivals: Arrivals, **more: object) -> LoadResult:
    """A run against a server that does nothing at all for a while, once."""

    async def answering(request: Planted) -> None:
        if request.number == STALLED:
            time.sleep(STALL_S)  # noqa: ASYNC251 - the stall
        await request.answer(OK)

    with planted(answering) as url:
        return run_load(plan(url, arrivals, 3.0, connections=2, **more))


def test_reported_percentiles_are_the_planted_ones() -> None:
    """Against what the server itself measured from having a request to answering it."""
    delays = itertools.cycle([0.04] * 6 + [0.12] * 3 + [0.4])
    taken_ms: list[float] = []

    async def answering(request: Planted) -> None:
        begun = time.perf_counter()
        await asyncio.sleep(next(delays))
        taken_ms.append((time.perf_counter() - begun) * 1_000)
        await request.answer(OK)

    with planted(answering) as url:
        result = run_load(plan(url, Constant(200), 3.0, connections=200))
    assert result.classes["ok"].count == result.offered == 600
    taken_ms.sort()
    for share, told in (
        (0.5, result.from_sent.p50_ms),
        (0.9, result.from_sent.p90_ms),
        (0.99, result.from_sent.p99_ms),
    ):
        planted_ms = taken_ms[int(share * len(taken_ms)) - 1]
        assert planted_ms * 0.99 <= told <= planted_ms * 1.1 + 20, (share, planted_ms)


def test_a_stall_shows_in_p99_from_when_requests_were_due_and_not_from_when_they_were_sent() -> None:
    """Who had to wait for it has waited, sent or not; only two requests, of two connections, were with the server."""
    result = stalled(Constant(400))
    assert result.from_intended.p99_ms > 0.8 * STALL_S * 1_000
    assert result.from_sent.p99_ms < 0.5 * STALL_S * 1_000
    assert result.from_sent.max_ms > 0.9 * STALL_S * 1_000
    assert result.late_connection > 0.8 * 400 * STALL_S
    assert (result.offered, result.sent, result.dropped) == (1_200, 1_200, 0)
    waiting = max(second.backlog for second in result.timeline)
    assert waiting > 0, "nothing was seen to wait"


def test_a_closed_loop_hides_the_stall_and_says_that_it_is_one() -> None:
    """As the tools do that wait for an answer before they send again."""
    result = stalled(Closed())
    assert result.loop == "closed"
    assert result.from_intended.p99_ms < 0.5 * STALL_S * 1_000
    assert result.late_connection == 0


def test_every_connection_of_a_closed_loop_sends_at_once(tmp_path: Path) -> None:
    """However many have become free together: none waits for the answer to another."""
    connections = 320
    came = itertools.count(1)
    all_came = asyncio.Event()

    async def answering(request: Planted) -> None:
        if next(came) == connections:
            all_came.set()
        await all_came.wait()
        await request.answer(OK)

    record = tmp_path / "record"
    with planted(answering) as url:
        result = run_load(plan(url, Closed(), 0.5, connections=connections, record=Record(str(record))))
    assert result.failures == {}
    sent_us = sorted(msgspec.json.decode(line)["sent_us"] for line in record.read_bytes().splitlines())
    assert sent_us[connections - 1] - sent_us[0] < 100_000


def test_what_finds_no_place_to_wait_is_dropped_and_counted() -> None:
    """Nothing is forgotten: what was due was sent or dropped."""
    result = stalled(Constant(400), backlog_max=10)
    assert result.dropped > 0.7 * 400 * STALL_S
    assert result.offered == result.sent + result.dropped == 1_200
    assert result.classes["ok"].count == result.sent
    assert sum(second.dropped for second in result.timeline) == result.dropped


def test_a_generator_that_cannot_keep_up_says_so(tmp_path: Path) -> None:
    """Planted: its record goes into a pipe that nobody reads for a while.

    In a closed loop nothing is ever late: there the time for which it stood still tells.
    """
    pipe = tmp_path / "record"
    os.mkfifo(pipe)

    def read() -> None:
        with pipe.open("rb") as lines:
            time.sleep(1.5)
            while lines.read(1 << 20):
                pass

    async def answering(request: Planted) -> None:
        await request.answer(OK)

    kind = Kind(name="order", path="/v1/orders", body='{"order_id":"${id}","note":"%s"}' % ("x" * 20_000))
    results = []
    for arrivals in (Constant(500), Closed()):
        reader = threading.Thread(target=read)
        reader.start()
        with planted(answering) as url:
            record = Record(str(pipe), requests=True)
            results.append(run_load(plan(url, arrivals, 2.0, kinds=[kind], record=record, backlog_max=100_000)))
        reader.join()
        assert any("stood still for its record" in one for one in findings(results[-1]))
    opened, closed = results
    assert opened.generator_bound
    assert opened.generator.bound_by[-2:] == ["record", "lateness"]
    assert opened.late_generator > 0
    assert closed.generator_bound
    assert closed.generator.record_share > 0.3


def sent_bodies(seed: int, tmp_path: Path, threads: int = 1) -> tuple[list[bytes], list[int]]:
    """Bodies as they came, by content; and the times at which they were due."""
    bodies: list[bytes] = []

    async def answering(request: Planted) -> None:
        bodies.append(request.body)
        await request.answer(OK)

    record = tmp_path / f"{seed}-{threads}-{time.monotonic_ns()}"
    kind = Kind(name="order", path="/v1/orders", body='{"order_id":"${id}","n":${number:1000000}}')
    with planted(answering) as url:
        run_load(plan(url, Poisson(300), 1.0, kinds=[kind], seed=seed, threads=threads, record=Record(str(record))))
    due = [msgspec.json.decode(line)["intended_us"] for line in record.read_bytes().splitlines()]
    return sorted(bodies), sorted(due)


def test_a_seed_repeats_a_run_in_every_detail(tmp_path: Path) -> None:
    """Times and contents, whatever the answers do."""
    first = sent_bodies(1, tmp_path)
    assert len(first[0]) == len(first[1]) > 200
    assert first == sent_bodies(1, tmp_path)
    assert first != sent_bodies(2, tmp_path)
    assert sent_bodies(1, tmp_path, threads=2) == sent_bodies(1, tmp_path, threads=2)


def test_a_spike_and_a_trace_are_sent_as_planned() -> None:
    """A trace twice as fast takes half the time, and sends the bodies that were recorded, in their order."""
    bodies: list[bytes] = []

    async def answering(request: Planted) -> None:
        bodies.append(request.body)
        await request.answer(OK)

    with planted(answering) as url:
        spike = run_load(plan(url, Spike(20, 300, at_s=1, for_s=1, poisson=False), 3.0))
        bodies.clear()
        recorded = Kind(name="recorded", path="/v1/orders", bodies=[f'{{"n":{number}}}' for number in range(5)])
        at_s = [0.0, 0.5, 1.0, 1.5, 2.0]
        trace = run_load(plan(url, Trace(at_s, speed=2), 1.1, connections=1, kinds=[recorded]))
    assert [second.offered for second in spike.timeline][:3] == pytest.approx([20, 300, 20], abs=15)
    assert spike.offered == 340
    assert bodies == [b'{"n":%d}' % number for number in range(5)]
    assert trace.wall_s < 2.0


def test_the_warm_up_is_sent_and_not_counted() -> None:
    """What is due in it is told apart."""

    async def answering(request: Planted) -> None:
        await request.answer(OK)

    with planted(answering) as url:
        result = run_load(plan(url, Constant(100), 2.0, warmup_s=1.0))
    assert (result.warmup_requests, result.offered, result.classes["ok"].count) == (100, 100, 100)
    assert result.goodput_per_s == pytest.approx(100, rel=0.1)


def test_a_run_can_be_stopped() -> None:
    """And tells what it had found."""

    async def answering(request: Planted) -> None:
        await request.answer(OK)

    def stop(_: object) -> None:
        raise StopIteration

    with planted(answering) as url:
        result = run_load(plan(url, Constant(100), 600.0), stop)
    assert result.cancelled
    assert 50 < result.offered < 2_000
    assert 20 < result.goodput_per_s < 200
