"""The limit of a key, held to a plain bucket; in one process and in several."""

import multiprocessing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.rate_limit import Limiter, OwnTimes, SharedTimes, paced
from api.rate_limit.times import FILE, PLACES
from engine.access import KeyLimit, Principal

TICK_S = 1 / 64
"""Times and rates are such that floating point knows them exactly."""


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def key(limit: KeyLimit | None, key_id: str = "a") -> Principal:
    """Who has a key with a limit."""
    return Principal(key_id, limit=limit)


@given(
    rate=st.sampled_from((0.5, 1.0, 4.0, 64.0)),
    burst=st.integers(1, 6),
    gaps=st.lists(st.integers(0, 200), max_size=80),
)
def test_it_lets_through_what_a_bucket_does(rate: float, burst: int, gaps: list[int]) -> None:
    """One of `burst` tokens, full at first, into which `rate` a second drop; it says exactly when the next is there."""
    clock = Clock()
    limiter = Limiter(OwnTimes(), None, clock)
    caller, tokens = key(KeyLimit(rate, burst)), float(burst)
    for gap in gaps:
        clock.now_s += gap * TICK_S
        tokens = min(float(burst), tokens + gap * TICK_S * rate)
        wait_s = limiter.take(caller)
        assert wait_s == (0.0 if tokens >= 1 else (1 - tokens) / rate)
        tokens -= tokens >= 1


def test_a_burst_is_let_through_at_once_and_then_the_rate() -> None:
    """And as many again only after as long a rest."""
    clock = Clock()
    limiter = Limiter(OwnTimes(), KeyLimit(8.0, 4), clock)
    callers = [key(None), key(KeyLimit(8.0, 4), "b")]
    assert [[limiter.take(one) == 0 for _ in range(6)] for one in callers] == [[True] * 4 + [False] * 2] * 2
    assert limiter.refused == 4
    clock.now_s += 1 / 8
    assert [limiter.take(callers[0]) == 0 for _ in range(2)] == [True, False]
    clock.now_s += 100
    assert sum(limiter.take(callers[0]) == 0 for _ in range(6)) == 4


def test_keys_without_a_limit_are_not_counted() -> None:
    """Neither where nothing is set, nor where a key may send any number whatever is set."""
    limiter = Limiter(OwnTimes(), None)
    assert all(limiter.take(key(None)) == 0 for _ in range(1_000))
    limiter = Limiter(OwnTimes(), KeyLimit(1.0, 1))
    assert all(limiter.take(key(KeyLimit(0))) == 0 for _ in range(1_000))
    assert limiter.take(key(None)) == 0 < limiter.take(key(None))


def test_a_changed_limit_holds_from_the_next_request_on() -> None:
    """Also where the former one had the key wait for an hour."""
    clock = Clock()
    limiter = Limiter(OwnTimes(), None, clock)
    limiter.debit(key(KeyLimit(0.01, 1)), 40)
    assert limiter.take(key(KeyLimit(0.01, 1))) > 3_600
    assert limiter.take(key(KeyLimit(100.0, 1))) == 0


def test_numbers_of_a_former_start_of_the_machine_limit_nobody(tmp_path: Path) -> None:
    """The clock begins anew with it; a folder may outlive it."""
    clock = Clock()
    assert Limiter(SharedTimes(tmp_path), KeyLimit(1.0, 1), clock).take(key(None)) == 0
    clock.now_s = 10.0
    assert Limiter(SharedTimes(tmp_path), KeyLimit(1.0, 1), clock).take(key(None)) == 0


def test_who_finds_no_place_in_the_file_is_counted_all_the_same(tmp_path: Path) -> None:
    """By each process for itself; and the file does not grow."""
    times = SharedTimes(tmp_path)
    for number in range(PLACES):
        times.place_of(f"key {number}")
    limiter = Limiter(times, KeyLimit(0.001, 1))
    assert limiter.take(key(None, "beyond")) == 0 < limiter.take(key(None, "beyond"))
    assert limiter.take(key(None, "key 7")) == 0 < limiter.take(key(None, "key 7"))
    assert (tmp_path / FILE).stat().st_size == PLACES * 16
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


def _worker(folder: Path, requests: int) -> int:
    limiter = Limiter(SharedTimes(folder), None)
    callers = [key(KeyLimit(0.001, 50), name) for name in "xyz"]
    return sum(limiter.take(caller) == 0 for _ in range(requests) for caller in callers)


def test_processes_of_one_folder_share_one_limit(tmp_path: Path) -> None:
    """Two that read a number in the same instant may count one: few are too many, and none too few."""
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        let_through = sum(pool.starmap(_worker, [(tmp_path, 200)] * 3))
    assert 150 <= let_through <= 150 * 1.05


@pytest.mark.parametrize("end", [b"\n", b""])
async def test_lines_are_let_through_whole_and_in_their_order(end: bytes) -> None:
    """In parts that a burst allows."""
    lines = b"\n".join(b"line %d" % number for number in range(23)) + end
    limiter = Limiter(OwnTimes(), None)
    assert [part async for part in paced(lines, limiter, key(None))] == [lines]
    assert [part async for part in paced(b"", limiter, key(None))] == []
    parts = [part async for part in paced(lines, limiter, key(KeyLimit(1_000.0, 20)))]
    assert b"".join(parts) == lines
    assert [len(part.splitlines()) for part in parts] == [5, 5, 5, 5, 3]


@pytest.mark.parametrize("burst", [1, 2, 3, 4, 10, 200])
def test_orders_in_bulk_and_other_requests_of_a_key_leave_each_other_their_part(burst: int) -> None:
    """One request now and then goes through at once beside a body without end; many do not stop the body."""
    rate = 64.0
    for requests_per_s, least in ((0.83, 1.0), (1_000.0, 0.0)):
        clock = Clock()
        limiter, caller = Limiter(OwnTimes(), None, clock), key(KeyLimit(rate, burst))
        part = limiter.part(caller) or 0
        due_s, asked_s, lines, told = clock.now_s, clock.now_s + 20, 0, list[bool]()
        end_s = clock.now_s + 60
        while clock.now_s < end_s:
            if due_s <= asked_s:
                clock.now_s = due_s
                due_s += limiter.debit(caller, part)
                lines += part
            else:
                clock.now_s = asked_s
                told.append(limiter.take(caller) == 0)
                asked_s += 1 / requests_per_s
        assert lines + sum(told) <= 60 * rate + burst + part
        assert lines >= 60 * rate / 8
        # With a burst of one there is no part to leave: then it is by chance.
        assert sum(told) >= least * len(told) * (1 if burst > 1 else 0.25)
