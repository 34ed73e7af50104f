"""Several workers of one service: any of them tells the numbers of all, and no counter ever goes back."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random
from time import monotonic

import pytest

from api.metrics.run_dir import STALE_S, RunDirectory
from api.metrics.snapshot import LOSS_S, LOSSES_MAX, Loss, Snapshot, add_up, exact, losses_of, with_loss
from tests.api.conftest import Door, Shop
from tests.api.metrics.exposed import Numbers, scrape, value
from tests.conftest import Service
from tests.waiting import until

TOLD_S = 10.0


@pytest.fixture
def workers(tmp_path: Path, empty_store_url: str) -> Iterator[list[Service]]:
    """Two on one store, with a run directory."""
    environment = {"REDIS_URL": empty_store_url, "STOCKADE_RUN_DIR": str(tmp_path / "run")}
    both = [Service(tmp_path / f"unused-{place}", **environment) for place in range(2)]
    for one in both:
        one.start()
    yield both
    for one in both:
        one.stop()


def orders(numbers: Numbers) -> float:
    """Orders taken."""
    return value(numbers, "stockade_orders_total", outcome="reserved")


def test_a_scrape_of_any_worker_tells_of_all_and_the_killed_ones_count(workers: list[Service]) -> None:
    """A balancer scrapes whom it likes; a worker's death is no reset of the service's counters."""
    doors = [Door(one.url) for one in workers]
    shop = Shop(doors[0], "W")
    sku = shop.sku(on_hand={shop.warehouse(): 100})
    other = Shop(doors[1], "V")
    until(TOLD_S, lambda: other.post(other.order((sku, 1))).status, lambda status: status == 201)
    for _ in range(3):
        shop.reserve((sku, 1))
    for door in doors:
        numbers = until(TOLD_S, partial(scrape, door), lambda found: orders(found) == 4)
        assert value(numbers, "stockade_workers") == 2
        assert value(numbers, "stockade_queue_orders_max") == 20_000
    workers[1].kill()
    numbers = scrape(doors[0])
    assert orders(numbers) == 4
    assert value(numbers, "stockade_workers") == 1
    assert value(numbers, "stockade_queue_orders_max") == 10_000
    workers[1].start()
    doors[1] = Door(workers[1].url)
    for door in doors:
        numbers = until(
            TOLD_S,
            partial(scrape, door),
            lambda found: value(found, "stockade_workers") == 2,
        )
        assert orders(numbers) == 4
    for one in workers:
        one.stop()
    workers[0].start()
    assert orders(scrape(Door(workers[0].url))) == 4


def test_one_worker_of_all_looks_for_oversold_units(workers: list[Service]) -> None:
    """Each would read the same cells; when the one ends, another goes on."""
    doors = [Door(one.url) for one in workers]
    Shop(doors[0], "D").warehouse()
    checks = "stockade_oversell_checks_total"
    numbers = until(TOLD_S, lambda: scrape(doors[0]), lambda found: value(found, checks) >= 1)
    before = value(numbers, checks)
    workers[0].kill()
    until(TOLD_S, lambda: scrape(doors[1]), lambda found: value(found, checks) > before)


def told(orders: float, *, ago_s: float = 0.0, **gauges: float) -> Snapshot:
    """A worker's numbers."""
    return Snapshot(
        told_at_s=monotonic() - ago_s,
        requests=[(("POST /v1/orders", 201, "reserved"), [0.0] * 17 + [orders, 1.0])],
        counters={"stockade_replans": orders},
        gauges=gauges,
    )


def test_totals_of_ended_workers_are_moved_once(tmp_path: Path) -> None:
    """Whoever starts moves them into one file, so that there are never many; also where their own are left behind."""
    first = RunDirectory(tmp_path)
    first.write(told(5, stockade_queue_orders=7))
    (numbers_file,) = tmp_path.glob("worker-*.metrics")
    left = numbers_file.read_bytes()
    first.close()
    for _ in range(3):
        another = RunDirectory(tmp_path)
        another.write(told(1))
        another.close()
        # As after a crash between the two steps.
        numbers_file.write_bytes(left)
    last = RunDirectory(tmp_path)
    sum_ = last.everybody(told(2, stockade_queue_orders=1))
    assert sum_.counters == {"stockade_replans": 10}
    assert sum_.requests == [(("POST /v1/orders", 201, "reserved"), [0.0] * 17 + [10.0, 5.0])]
    assert (sum_.gauges, sum_.workers) == ({"stockade_queue_orders": 1}, 1)
    assert len(list(tmp_path.glob("worker-*.metrics"))) <= 2
    last.close()


def test_a_file_of_another_release_or_a_torn_one_is_left_alone(tmp_path: Path) -> None:
    """Numbers are no reason not to serve."""
    older = RunDirectory(tmp_path)
    older.write(Snapshot(format=0, counters={"stockade_replans": 9}))
    (tmp_path / "worker-1-torn.metrics").write_bytes(b"\xff\xff")
    (tmp_path / "ended.metrics").write_bytes(b"nonsense")
    newer = RunDirectory(tmp_path)
    assert newer.everybody(told(2)).counters == {"stockade_replans": 2}
    older.close()
    newer.close()
    last = RunDirectory(tmp_path)
    assert last.everybody(told(3)).counters == {"stockade_replans": 5}
    last.close()


def test_gauges_of_several_workers_are_summed_or_the_worst_is_told(tmp_path: Path) -> None:
    """Queues add up; of ages the greatest counts, and one worker that is not ready is told."""
    both = [RunDirectory(tmp_path) for _ in range(2)]
    both[0].write(told(1, stockade_queue_orders=3, stockade_view_lag_seconds=0.5, stockade_ready=0))
    sum_ = both[1].everybody(told(1, stockade_queue_orders=4, stockade_view_lag_seconds=0.1, stockade_ready=1))
    assert sum_.gauges == {"stockade_queue_orders": 7, "stockade_view_lag_seconds": 0.5, "stockade_ready": 0}
    assert sum_.workers == 2
    for one in both:
        one.close()


def test_what_a_worker_told_before_it_was_killed_is_never_taken_back(tmp_path: Path) -> None:
    """To Prometheus a counter that falls began anew: it would add the whole of it, and an alert would fire."""
    killed, other = RunDirectory(tmp_path), RunDirectory(tmp_path)
    killed.write(told(5))
    seen = killed.everybody(told(9))
    # Its regular turn was begun before that scrape, and comes to its end after it.
    killed.write(told(7, ago_s=1))
    killed.close()
    assert other.everybody(told(1)).counters["stockade_replans"] == seen.counters["stockade_replans"] + 1 == 10
    other.close()


def test_sums_of_seconds_are_the_same_whichever_worker_adds_them_up() -> None:
    """Floats are not, in another order: the last digit would fall now and then."""
    random = Random(7)
    seconds = [random.random() * 10 ** random.randrange(6) for _ in range(50)]
    for _ in range(20):
        parts = [Snapshot(counters={"stockade_cpu_seconds": exact(one)}) for one in seconds]
        random.shuffle(parts)
        some = add_up([], parts[:20])
        (total,) = add_up(parts[20:], [some]).counters.values()
        assert total == sum(map(exact, seconds))
    assert sum(seconds) - 50 / 1_000_000 < total <= sum(seconds)


def test_a_worker_that_hangs_is_none_of_those_that_live(tmp_path: Path) -> None:
    """Its process is there, its last word is old: what it counted stays, how it stood does not."""
    hangs, other = RunDirectory(tmp_path), RunDirectory(tmp_path)
    hangs.write(told(5, ago_s=STALE_S + 1, stockade_queue_orders=7, stockade_ready=1))
    sum_ = other.everybody(told(1, stockade_queue_orders=2, stockade_ready=1))
    assert sum_.workers == 1
    assert sum_.gauges == {"stockade_queue_orders": 2, "stockade_ready": 1}
    assert sum_.counters["stockade_replans"] == 6
    for one in (hangs, other):
        one.close()


def test_a_loss_that_all_workers_notice_is_one() -> None:
    """As great as it was to the one that had seen most; a later one adds to it, also where all have ended meanwhile."""
    at_s = 1_000_000.0
    first = [Snapshot(losses=[(at_s + place, changes)]) for place, changes in enumerate((5.0, 7.0, 6.0))]
    ended = add_up([], first)
    assert ended.losses == [(at_s, 7)]
    later = [Snapshot(losses=[(at_s + 2 * LOSS_S, changes)]) for changes in (2.0, 3.0)]
    assert sum(changes for _, changes in add_up(later, [ended]).losses) == 10
    assert add_up([], [add_up(later, [ended])]).losses == add_up(later, [ended]).losses


def test_what_one_worker_notices_bit_by_bit_adds_up_within_bounds() -> None:
    """Partitions of a node that was lost are found to lack changes one after the other."""
    noticed = with_loss(with_loss([], 100.0, 5), 101.0, 3)
    assert losses_of(noticed) == [(100.0, 8)]
    many: list[Loss] = []
    for place in range(LOSSES_MAX + 10):
        many = with_loss(many, place * 2 * LOSS_S, 1)
    assert len(many) == LOSSES_MAX
    assert sum(changes for _, changes in losses_of(many)) == LOSSES_MAX + 10
