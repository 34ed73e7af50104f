"""What a peak needs follows from the figures by plain arithmetic, and each answer carries the mark that it deserves."""

import math

import msgspec
import pytest

from loadtest.capacity.answer import Answer, Wanted
from loadtest.capacity.needs import STORE_CORES_MAX
from loadtest.capacity.plan import Plan, plan_for, why_none
from tests.loadtest.capacity.results import SERVICE_US, STORE_US, result, session


def wanted(peak: float, *, headroom: float = 0.0, orders: float = 100_000.0, cells: float | None = None) -> Wanted:
    """At 50 ms."""
    return Wanted(peak_per_s=peak, p99_ms=50.0, headroom=headroom, orders_kept=orders, cells=cells)


def planned(asked: Wanted, **more: object) -> Plan:
    """By 1, 2 and 4 workers that do 4,000, 6,800 and 9,000 a second, of which 80 % meet the objective."""
    found = plan_for(result(session(1, 4_000), session(2, 6_800), session(4, 9_000), **more), asked)
    assert found is not None
    return found


def answer(plan: Plan, what: str) -> Answer:
    """The one whose name begins so."""
    (one,) = [one for one in plan.answers if one.what.startswith(what)]
    return one


def test_headroom_is_what_the_peak_leaves_free() -> None:
    """20,000 with 30 % free is 28,571 that must be possible."""
    plan = planned(wanted(20_000, headroom=0.3))
    assert plan.needed_per_s == pytest.approx(20_000 / 0.7)
    assert not plan.reached, "the law turns long before"
    assert answer(plan, "processes (workers)").value is None
    assert "no number" in answer(plan, "processes (workers)").how


@pytest.mark.parametrize(("peak", "workers"), [(3_000, 1), (5_000, 2), (7_000, 4)])
def test_what_was_measured_is_marked_so(peak: float, workers: int) -> None:
    """The least number of workers whose knee is enough."""
    found = answer(planned(wanted(peak)), "processes (workers)")
    assert (found.value, found.basis, found.beyond) == (workers, "measured", None)


def test_between_and_beyond_the_law_is_followed() -> None:
    """6,000 needs three, of which nobody measured; beyond four, the mark says how far."""
    plan = planned(wanted(6_000))
    three = answer(plan, "processes (workers)")
    assert (three.value, three.basis, three.beyond) == (3, "interpolated", None)
    rows = {one.workers: one for one in plan.by_workers}
    assert rows[4].basis == "measured"
    assert (rows[8].basis, rows[8].beyond) == ("extrapolated", 2.0)
    assert rows[2].per_s < rows[3].per_s < rows[4].per_s


def test_no_more_is_told_of_a_machine_than_its_processors_do() -> None:
    """By the least that an order took at any load; what was measured stands as it is."""
    rows = {one.workers: one for one in planned(wanted(6_000)).by_workers}
    # The ramp of four workers went highest, where the generator's 0.2 processors are shared by most orders.
    each_s = (SERVICE_US + STORE_US) / 1e6 + 0.2 / (9_000 * 1.02)
    for one in rows.values():
        assert one.here_per_s == pytest.approx(min(one.per_s, 8 / each_s) if one.basis != "measured" else one.per_s)
    straight = result(session(1, 4_000), session(2, 8_000))
    two = msgspec.structs.replace(straight.machine, cores=2)
    far = plan_for(msgspec.structs.replace(straight, machine=two), wanted(20_000))
    assert far is not None
    (four,) = [one for one in far.by_workers if one.workers == 4]
    assert four.here_per_s is not None
    assert four.here_per_s == pytest.approx(2 / ((SERVICE_US + STORE_US) / 1e6 + 0.2 / (8_000 * 1.02)))
    assert four.here_per_s < four.per_s


def test_no_fewer_processes_will_do_than_if_none_waited() -> None:
    """3,200 each."""
    found = answer(planned(wanted(12_000)), "processes, were each")
    assert (found.value, found.basis) == (4, "extrapolated")
    assert found.beyond == pytest.approx(12_000 / 3_200, rel=0.02)


def test_processors_and_partitions_follow_from_time_an_order() -> None:
    """As at the highest load that met the objective: 7,200 a second, with 4 workers."""
    near, far = planned(wanted(7_000)), planned(wanted(72_000))
    cores, store = answer(near, "processors for the processes"), answer(near, "partitions")
    assert cores.value == pytest.approx(7_000 * SERVICE_US / 1e6, rel=1e-6)
    assert cores.basis == "measured"
    assert answer(near, "processors for the store").value == pytest.approx(7_000 * STORE_US / 1e6, rel=1e-6)
    assert (store.value, store.basis) == (1, "measured")
    cores, store = answer(far, "processors for the processes"), answer(far, "partitions")
    assert cores.beyond == pytest.approx(10, rel=0.02)
    assert store.value == math.ceil(72_000 * STORE_US / 1e6 / STORE_CORES_MAX)
    assert store.basis == "extrapolated"
    assert "not measured" in store.how


def test_memory_counts_orders_and_cells() -> None:
    """Of what is kept beyond the run, each order takes its bytes; cells theirs, ten times as far as was measured."""
    plan = planned(wanted(5_000, orders=1_100_000, cells=1_000_000))
    store, each, whole = (answer(plan, what) for what in ("memory of the store", "memory of a ", "memory of all"))
    assert store.value == pytest.approx(90e6 + 1_000_000 * 600 + 200e6)
    assert (store.basis, store.beyond) == ("extrapolated", 11.0)
    assert each.value == pytest.approx(120e6 + 80e6)
    assert (each.basis, each.beyond) == ("extrapolated", 10.0)
    assert whole.value == pytest.approx(2 * 200e6)
    inside = answer(planned(wanted(5_000, orders=50_000)), "memory of the store")
    assert (inside.value, inside.basis) == (90e6, "measured")


def test_disk_is_what_was_written() -> None:
    """1,000 bytes an order by the system's count, 400 of them in files."""
    plan = planned(wanted(5_000, orders=200_000))
    rate, size = answer(plan, "disk, written"), answer(plan, "disk, append")
    assert rate.value == pytest.approx(5_000_000, rel=0.001)
    assert rate.basis == "measured"
    assert (size.value, size.basis, size.beyond) == (80_000_000, "extrapolated", 2.0)


def test_a_fail_over_costs_what_the_restart_took() -> None:
    """It grows with the orders to load; what nobody killed has no number, and a replica never was there."""
    plan = planned(wanted(5_000, orders=400_000))
    missed, orders = answer(plan, "a store that is killed"), answer(plan, "orders that come")
    assert (missed.value, missed.basis, missed.beyond) == (6.0, "extrapolated", 4.0)
    assert orders.value == 30_000
    assert answer(plan, "a replica").basis == "not-measured"
    without = planned(wanted(5_000), restart=None)
    found = answer(without, "a store that is killed")
    assert (found.value, found.basis) == (None, "not-measured")


def test_what_was_not_seen_has_no_number() -> None:
    """As of a service that somebody else runs."""
    one = session(1, 4_000)
    blind = [msgspec.structs.replace(point, processes=[], disk=None) for point in one.sweep]
    plan = plan_for(result(msgspec.structs.replace(one, sweep=blind), growth=None, restart=None), wanted(3_000))
    assert plan is not None
    told = {one.what: (one.value, one.basis) for one in plan.answers}
    assert told.pop("processes (workers), by the law") == (1, "measured")
    assert told.pop("processes, were each to do as much as alone") == (1, "measured")
    assert set(told.values()) == {(None, "not-measured")}


def test_an_objective_that_nothing_met_has_no_plan() -> None:
    """Nor has a result without points."""
    asked = msgspec.structs.replace(wanted(10), p99_ms=1.0)
    one = session(1, 4_000)
    assert plan_for(result(one), asked) is None
    assert "the best 13" in why_none(result(one), 1.0)
    for odd, word in (({"generator_bound": ["it was late"]}, "generator"), ({"failed_share": 0.5}, "failed")):
        sweep = [msgspec.structs.replace(point, **odd) for point in one.sweep]
        spoilt = result(msgspec.structs.replace(one, sweep=sweep))
        assert plan_for(spoilt, wanted(10)) is None
        assert word in why_none(spoilt, 50.0)


def test_a_number_of_processes_that_may_do_more_is_no_least_one() -> None:
    """Every load that was measured met the objective."""
    one = session(1, 4_000)
    low = msgspec.structs.replace(one, sweep=[point for point in one.sweep if (point.share or 0) < 0.7])
    found = plan_for(result(low), wanted(6_000))
    assert found is not None
    assert "fewer be enough" in answer(found, "processes, were each").how
