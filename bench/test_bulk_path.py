"""What each stage costs of orders that come in bulk: reading lines, planning, settling, writing results.

Lots of two-line orders on the sample network, every cell well stocked. Divide by the lot's size for one order.
"""

from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.bulk_intake import body_of
from bench.stepped import Bench
from engine.planner import CoreLot

SIZES = (50, 200, 1000)
_lots = iter(range(1_000_000_000))


def lot_of(size: int) -> CoreLot:
    """Orders that were never seen."""
    lot = CoreLot(body_of(size, f"l{next(_lots)}"), 1)
    assert not lot.declined(), "common orders are read in one go"
    return lot


@pytest.mark.parametrize("size", SIZES)
def test_read_lines(benchmark: BenchmarkFixture, size: int) -> None:
    """Lines of JSON to orders in Rust."""
    benchmark(CoreLot, body_of(size, "l"), 1)


@pytest.mark.parametrize("size", SIZES)
def test_plan_lot(benchmark: BenchmarkFixture, bench: Bench, size: int) -> None:
    """Resolve and plan; given back afterwards."""
    core, share = bench.engine.planner.core, [(lot_of(size), 0, size)]

    def plan() -> None:
        batch, _ = core.plan([], None, None, None, share)
        core.abandon(batch)

    benchmark(plan)


@pytest.mark.parametrize("size", SIZES)
def test_settle_lot(benchmark: BenchmarkFixture, bench: Bench, size: int) -> None:
    """From the store's reply to the lines of the answer."""
    core = bench.engine.planner.core

    def prepare() -> tuple[tuple[Any, ...], dict[str, object]]:
        lot = lot_of(size)
        share = [(lot, 0, size)]
        batch, decided = core.plan([], None, None, None, share)
        assert not decided, "every order must be planned"
        return (lot, share, batch, [bench.committed(batch)]), {}

    def settle(lot: CoreLot, share: Any, batch: Any, replies: Any) -> bytes:
        core.settle(batch, replies, 0, share)
        return lot.answers([])

    benchmark.pedantic(settle, setup=prepare, rounds=50, warmup_rounds=3)
