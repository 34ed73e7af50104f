"""Several workers of one service: any of them tells the numbers of all, and no counter ever goes back."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from api.metrics.run_dir import RunDirectory
from api.metrics.snapshot import Snapshot
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


def told(orders: float, **gauges: float) -> Snapshot:
    """A worker's numbers."""
    return Snapshot(
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
    sum_ = older.everybody(told(2))
    assert sum_.counters == {"stockade_replans": 2}
    older.close()
    newer = RunDirectory(tmp_path)
    assert newer.everybody(told(3)).counters == {"stockade_replans": 3}
    newer.close()


def test_gauges_of_several_workers_are_summed_or_the_worst_is_told(tmp_path: Path) -> None:
    """Queues add up; of ages the greatest counts, and one worker that is not ready is told."""
    both = [RunDirectory(tmp_path) for _ in range(2)]
    both[0].write(told(1, stockade_queue_orders=3, stockade_view_lag_seconds=0.5, stockade_ready=0))
    sum_ = both[1].everybody(told(1, stockade_queue_orders=4, stockade_view_lag_seconds=0.1, stockade_ready=1))
    assert sum_.gauges == {"stockade_queue_orders": 7, "stockade_view_lag_seconds": 0.5, "stockade_ready": 0}
    assert sum_.workers == 2
    for one in both:
        one.close()
