"""What each stage of a batch costs: decode, canonical bytes, plan, pack, commit, settle; and the whole of it.

And what it costs to count, log and trace an answer.

Batches of two-line orders on the sample network, every cell well stocked. Divide by the batch size for one order.
"""

import asyncio
from typing import Any

import msgspec
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from api.watch import Watch
from bench.network import make_orders
from bench.stepped import Bench
from engine.model import Order
from engine.planner import canonical_bytes

SIZES = (50, 200, 1000)
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Order).decode


@pytest.mark.parametrize("size", SIZES)
def test_decode_json(benchmark: BenchmarkFixture, size: int) -> None:
    """Bodies to typed orders."""
    bodies = [_encode(order) for order in make_orders(size)]
    benchmark(lambda: [_decode(body) for body in bodies])


@pytest.mark.parametrize("size", SIZES)
def test_canonical_bytes(benchmark: BenchmarkFixture, size: int) -> None:
    """Orders to what crosses into Rust."""
    orders = make_orders(size)
    benchmark(lambda: [canonical_bytes(order) for order in orders])


@pytest.mark.parametrize("size", SIZES)
def test_plan(benchmark: BenchmarkFixture, bench: Bench, size: int) -> None:
    """Plan a batch in Rust, through Python; given back afterwards."""
    core = bench.engine.planner.core
    intakes = [(canonical_bytes(order), 0, 0, False) for order in make_orders(size)]

    def plan() -> None:
        batch, _ = core.plan(intakes)
        core.abandon(batch)

    benchmark(plan)


@pytest.mark.parametrize("size", SIZES)
def test_pack(benchmark: BenchmarkFixture, bench: Bench, size: int) -> None:
    """The commit's arguments of a planned batch."""
    core = bench.engine.planner.core
    batch, _ = core.plan([(canonical_bytes(order), 0, 0, False) for order in make_orders(size)])
    benchmark(batch.commit_args, 0, 1_700_000_000_000)
    core.abandon(batch)


@pytest.mark.parametrize("fsync", ["always", "off"])
@pytest.mark.parametrize("size", SIZES)
def test_commit(benchmark: BenchmarkFixture, bench: Bench, size: int, fsync: str) -> None:
    """One commit call: client, wire, store, and the disk unless off."""
    store, core, run = bench.engine.store, bench.engine.planner.core, bench.runner.run
    commit = store.partitions[0].orders.commit

    def prepare() -> tuple[tuple[list[bytes]], dict[str, object]]:
        batch, _ = core.plan([(canonical_bytes(order), 0, 0, False) for order in make_orders(size)])
        return (batch.commit_args(0, 1_700_000_000_000),), {}

    if fsync == "off":
        run(store.wire.command("CONFIG", "SET", "appendonly", "no"))
    try:
        benchmark.pedantic(lambda args: run(commit(args)), setup=prepare, rounds=100, warmup_rounds=5)
    finally:
        run(store.wire.command("CONFIG", "SET", "appendonly", "yes"))


@pytest.mark.parametrize("size", SIZES)
def test_settle(benchmark: BenchmarkFixture, bench: Bench, size: int) -> None:
    """From the store's reply to the callers' answers, as JSON."""

    def prepare() -> tuple[tuple[Any, list[Any]], dict[str, object]]:
        batch = bench.planned(make_orders(size))
        return (batch, [bench.committed(batch)]), {}

    benchmark.pedantic(bench.engine.planner.core.settle, setup=prepare, rounds=50, warmup_rounds=3)


@pytest.mark.parametrize("size", SIZES)
def test_whole_intake(benchmark: BenchmarkFixture, bench: Bench, size: int) -> None:
    """`size` orders submitted at once until all have their durable answer."""
    run, intake = bench.runner.run, bench.engine.intake

    async def submit(orders: list[Order]) -> None:
        await asyncio.gather(*(intake.submit(order) for order in orders))

    benchmark.pedantic(
        lambda orders: run(submit(orders)), setup=lambda: ((make_orders(size),), {}), rounds=50, warmup_rounds=3
    )


def test_observe(benchmark: BenchmarkFixture, bench: Bench) -> None:
    """A thousand answers counted, ten of them with a line in the log: at most 0.6 µs each."""
    watch = Watch(bench.engine)

    def observe() -> None:
        for _ in range(1_000):
            watch.observe("POST /v1/orders", 201, "reserved", 0.0021, "a-1", {})

    benchmark(observe)
