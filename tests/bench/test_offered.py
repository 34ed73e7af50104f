"""The benchmark of offered load: each promise that is not kept is told, and none that is."""

from dataclasses import replace

import msgspec
import pytest

from bench.offered import Run, broken_promises, recovered_s
from loadtest.load_result import Second

KEPT = Run(
    name="share",
    offered_per_s=1_000.0,
    accepted_per_s=1_000.0,
    turned_away=0,
    never_sent=0,
    other_ends=0,
    p50_ms=3.0,
    p99_ms=15.0,
    sent_p50_ms=3.0,
    sent_p99_ms=15.0,
    memory_mib=100.0,
    bound_by=[],
)


def runs(**changed: dict[str, object]) -> list[Run]:
    """All loads, with these fields of some of them changed."""
    full = replace(KEPT, name="full", p50_ms=50.0, sent_p99_ms=60.0)
    overload = replace(full, name="overload", sent_p99_ms=120.0, turned_away=500, never_sent=500, memory_mib=110.0)
    after = replace(KEPT, name="after", recovered_s=2.0)
    return [
        msgspec.convert({**_fields(run), **changed.get(run.name, {})}, Run) for run in (KEPT, full, overload, after)
    ]


def _fields(run: Run) -> dict[str, object]:
    return {name: getattr(run, name) for name in run.__dataclass_fields__}


def test_promises_that_are_kept_are_not_told() -> None:
    """At their very bounds."""
    assert broken_promises(runs()) == []


@pytest.mark.parametrize(
    ("run", "changed", "told"),
    [
        ("share", {"p50_ms": 3.1}, "p50_ms 3.1"),
        ("share", {"p99_ms": 15.1}, "p99_ms 15.1"),
        ("overload", {"sent_p99_ms": 121.0}, "121.0 ms"),
        ("overload", {"other_ends": 1}, "1 requests"),
        ("overload", {"memory_mib": 111.0}, "from 100 to 111 MiB"),
        ("after", {"recovered_s": 3.0}, "not recovered"),
        ("after", {"recovered_s": None}, "not recovered"),
    ],
)
def test_one_that_is_not_is_told(run: str, changed: dict[str, object], told: str) -> None:
    """And no other."""
    (broken,) = broken_promises(runs(**{run: changed}))
    assert told in broken


@pytest.mark.parametrize(
    ("overloaded", "since"), [([0, 0], 0.0), ([5, 0, 0], 1.0), ([5, 0, 1], None), ([0, 7, 0], 2.0), ([], None)]
)
def test_it_has_recovered_since_nothing_was_refused_any_more(overloaded: list[int], since: float | None) -> None:
    """To the end."""
    seconds = [
        Second(
            second=number,
            offered=9,
            sent=9,
            ok=9 - count,
            refused=0,
            overloaded=count,
            other=0,
            failed=0,
            dropped=0,
            p50_ms=1.0,
            p99_ms=1.0,
            backlog=0,
            cpu_share=0.1,
        )
        for number, count in enumerate(overloaded)
    ]
    assert recovered_s(seconds) == since
