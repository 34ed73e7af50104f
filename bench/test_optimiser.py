"""What the batch optimiser takes: orders of two and a half lines over shared stock, on one thread."""

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.batch_instances import random_batch
from engine import assign_batch

LINES = (1_000, 10_000)


@pytest.mark.parametrize("lines", LINES)
def test_assign_batch(benchmark: BenchmarkFixture, lines: int) -> None:
    """A batch from arrays to pieces; how far it is above the bound goes into the result."""
    problem = random_batch(lines, 0)
    found = benchmark.pedantic(assign_batch, args=(problem,), kwargs={"threads": 1}, rounds=3, warmup_rounds=1)
    benchmark.extra_info["gap"] = found.gap
    benchmark.extra_info["lines"] = problem.lines
