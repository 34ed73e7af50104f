"""The bench that holds the generator against wrk judges rate, median and p99, each as both tools count it."""

import pytest

from bench.agreement import corrected_ms, disagreements

TARGETS = {"requests_per_second": 0.1, "p50_ms": 0.1, "p99_ms": 0.2}


def test_a_p99_that_is_off_is_no_agreement() -> None:
    """However well rate and median agree; a difference that is no number agrees with nothing."""
    same = {"requests_per_second": 0.01, "p50_ms": -0.05, "p99_ms": 0.15}
    assert disagreements(same, TARGETS) == []
    assert disagreements(same | {"p99_ms": -0.4}, TARGETS) == ["p99_ms: -40.0%, where 20% are allowed"]
    assert len(disagreements(same | {"p99_ms": float("nan"), "p50_ms": 0.2}, TARGETS)) == 2


def test_what_wrk_adds_is_added() -> None:
    """A hundredth took 100 ms where a request came every 10 ms: to each, wrk adds 90 ms, 80 ms, and so on to 20 ms."""
    curve = [(0.0, 5.0), (0.99, 5.0), (0.99, 100.0), (1.0, 100.0)]
    assert corrected_ms(curve, 0.96, 10.0) == pytest.approx(60)
    assert corrected_ms(curve, 0.9, 10.0) == pytest.approx(5)
    assert corrected_ms(curve, 0.999, 10.0) == pytest.approx(100)
    assert corrected_ms(curve, 0.98, 1_000.0) == pytest.approx(5)


def test_waits_that_nothing_was_kept_by_are_left_as_they_are() -> None:
    """Up to twice the interval."""
    curve = [(0.0, 0.0), (1.0, 20.0)]
    assert corrected_ms(curve, 0.5, 10.0) == pytest.approx(10, rel=0.01)
    assert corrected_ms(curve, 0.99, 10.0) == pytest.approx(19.8, rel=0.01)
