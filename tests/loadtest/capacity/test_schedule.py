"""A run ends in its time: the ramp stops where throughput does, points fit into what is left, repeats are whole."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.capacity import schedule
from loadtest.capacity.exposed import numbers_of
from loadtest.capacity.point import Point
from loadtest.capacity.ramp import peak_of, ramp
from tests.loadtest.capacity.results import point


@given(st.lists(st.floats(0.01, 5), min_size=1, max_size=12, unique=True), st.integers(1, 9), st.integers(0, 2**31))
def test_each_repeat_has_every_load_once(loads: list[float], repeats: int, seed: int) -> None:
    """In an order that the seed draws."""
    order = schedule.turns(loads, repeats, seed)
    assert order == schedule.turns(loads, repeats, seed)
    assert Counter(order) == Counter(schedule.Turn(repeat, load) for repeat in range(repeats) for load in loads)
    assert [turn.repeat for turn in order] == sorted(turn.repeat for turn in order)


def test_the_order_is_shuffled() -> None:
    """Else what drifts would fall on some loads alone."""
    first, second = (schedule.turns(schedule.LOADS, 1, seed) for seed in (1, 2))
    assert first != second
    assert [turn.share for turn in first] != sorted(schedule.LOADS)


@given(st.floats(60, 86_400), st.integers(1, 60))
def test_points_fit_into_their_time(session_s: float, points: int) -> None:
    """With what lies between them; none is so short that it says nothing."""
    ramp_s = (schedule.RAMP_STEPS_EXPECTED + 3) * (schedule.ramp_step_s(session_s) + schedule.OVERHEAD_S)
    left_s = session_s - ramp_s - schedule.audit_s(session_s) - schedule.extras_s(session_s)
    each = schedule.point_s(left_s, points)
    assert schedule.POINT_S_MIN <= each <= schedule.POINT_S_MAX
    assert each == schedule.POINT_S_MIN or points * (each + schedule.OVERHEAD_S) <= left_s + 1e-6
    assert schedule.warmup_s(each) <= each / 4


def test_the_defaults_fit_into_ten_minutes() -> None:
    """For each of two numbers of workers, thirty points of several seconds."""
    points = len(schedule.LOADS) * schedule.REPEATS
    assert schedule.needed_s(2, len(schedule.LOADS), schedule.REPEATS) < 600
    session_s = (600 - schedule.SPARE_S) / 2
    left_s = session_s - schedule.START_S - 11 * (schedule.ramp_step_s(session_s) + schedule.OVERHEAD_S)
    left_s -= schedule.audit_s(session_s) + schedule.extras_s(session_s)
    assert schedule.point_s(left_s, points) > 3


class Service:
    """Does what its curve says."""

    def __init__(self, peak: float, at: int, *, bound_from: int = 10_000) -> None:
        self.asked: list[int] = []
        self._peak, self._at, self._bound_from = peak, at, bound_from

    async def step(self, connections: int, repeat: int) -> Point:
        """As many as connections allow, up to the peak."""
        self.asked.append(connections)
        rate = self._peak * min(1.0, connections / self._at)
        bound = ["cpu"] if connections >= self._bound_from else []
        return point(offered=rate, p99_ms=5, share=None, repeat=repeat, connections=connections, generator_bound=bound)


async def test_connections_double_until_throughput_stops_to_rise() -> None:
    """Two steps without a rise end it; then the best one is measured again."""
    service = Service(1_000, 30)
    points = await ramp(service.step, connections_max=256, repeats=3)
    assert service.asked == [4, 8, 16, 32, 64, 128, 32, 32]
    peak = peak_of(points, 1)
    assert peak is not None
    assert (peak.connections, peak.orders_per_s, peak.at_least) == (32, 1_000, False)
    assert len(peak.measured) == 3


async def test_the_bound_on_connections_ends_it() -> None:
    """Whatever would still come."""
    service = Service(1_000, 1_000)
    await ramp(service.step, connections_max=20, repeats=1)
    assert service.asked == [4, 8, 16, 20]
    few = Service(1_000, 1_000)
    await ramp(few.step, connections_max=2, repeats=1)
    assert few.asked == [2]


async def test_a_peak_that_the_generator_limited_is_at_least_that() -> None:
    """All of it, or what came after it."""
    whole = peak_of(await ramp(Service(1_000, 30, bound_from=1).step, connections_max=256, repeats=2), 1)
    later = peak_of(await ramp(Service(1_000, 100, bound_from=64).step, connections_max=256, repeats=2), 1)
    assert whole is not None
    assert later is not None
    assert whole.at_least
    assert later.at_least
    assert (later.connections, later.orders_per_s) == (32, 320)


async def test_a_service_that_takes_nothing_has_no_peak() -> None:
    """And is not asked for ever."""
    service = Service(0, 1)
    points = await ramp(service.step, connections_max=256, repeats=3)
    assert service.asked == [4]
    assert peak_of(points, 1) is None


def test_numbers_without_labels_are_read() -> None:
    """As Prometheus' text has them."""
    text = (
        '# HELP x y\nstockade_cpu_seconds_total 1.5\nstockade_x{a="b"} 7\nstockade_y 1e+06\nother 3\nstockade_z NaN x\n'
    )
    assert numbers_of(text) == pytest.approx({"stockade_cpu_seconds_total": 1.5, "stockade_y": 1e6})
