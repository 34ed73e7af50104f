"""What /metrics tells is what happened, in either lane."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from engine.store import running_at
from tests.api.conftest import Door, Shop
from tests.api.metrics.exposed import scrape, value
from tests.conftest import Service
from tests.waiting import until

PROBE_S = 10.0


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Service]:
    """A service of this test's own, which looks at all its cells again and again."""
    one = Service(tmp_path / "store", STOCKADE_LOG_FORMAT="json")
    one.start()
    yield one
    one.stop()


def test_requests_and_orders_are_counted_by_outcome(watched: Service) -> None:
    """Rates by outcome are what an alert and a dashboard are made of."""
    door = Door(watched.url)
    shop = Shop(door, "M")
    warehouse = shop.warehouse()
    sku = shop.sku(on_hand={warehouse: 3})
    order = shop.order((sku, 2))
    for status in (201, 200, 200):
        assert shop.post(order).status == status
    assert shop.post(shop.order((sku, 5))).status == 409
    assert shop.post({}).status == 422
    assert door.call("POST", "/v1/orders", b"{", {"Connection": "close"}).status == 400
    assert door.call("GET", "/v1/nothing").status == 404
    assert door.call("PATCH", "/v1/stock").status == 405
    numbers = scrape(door)
    assert {
        outcome: value(numbers, "stockade_orders_total", outcome=outcome, via="request")
        for outcome in ("reserved", "replayed", "insufficient-stock", "invalid-order", "broken-json")
    } == {"reserved": 1, "replayed": 2, "insufficient-stock": 1, "invalid-order": 1, "broken-json": 1}
    route = {"route": "/v1/orders", "method": "POST"}
    assert value(numbers, "stockade_http_requests_total", **route) == 6
    assert value(numbers, "stockade_http_requests_total", **route, status="409", outcome="insufficient-stock") == 1
    assert value(numbers, "stockade_http_requests_total", method="any", route="(unmatched)") == 2
    seconds = "stockade_http_request_duration_seconds"
    assert value(numbers, f"{seconds}_count", **route, status="2xx") == 3
    assert value(numbers, f"{seconds}_bucket", **route, status="4xx", le="+Inf") == 3
    assert value(numbers, f"{seconds}_bucket", **route, status="2xx", le="10.0") == 3
    assert 0 < value(numbers, f"{seconds}_sum", **route, status="2xx") < 30
    assert value(numbers, "stockade_batch_orders_count") >= 4
    assert value(numbers, "stockade_batch_orders_sum") >= 4
    assert value(numbers, "stockade_batch_plan_seconds_count") == value(numbers, "stockade_batch_orders_count")


def test_the_service_tells_how_it_stands(watched: Service) -> None:
    """Each of these has an alert."""
    door = Door(watched.url)
    shop = Shop(door, "G")
    sku = shop.sku(on_hand={shop.warehouse(): 3})
    shop.reserve((sku, 1), payment="pending", hold_seconds=600)
    numbers = until(PROBE_S, lambda: scrape(door), lambda found: value(found, "stockade_unpaid_holds") == 1)
    for name, expected in {
        "stockade_ready": 1,
        "stockade_store_up": 1,
        "stockade_workers": 1,
        "stockade_workers_wanted": 1,
        "stockade_queue_orders": 0,
        "stockade_queue_orders_max": 10_000,
        "stockade_view_events_behind": 0,
        "stockade_policies_error": 0,
        "stockade_lost_orders_total": 0,
        "stockade_lost_changes_total": 0,
        "stockade_cells": 1,
        "stockade_oversold_units": 0,
    }.items():
        assert name in numbers, name
        assert value(numbers, name) == expected, name
    assert value(numbers, "stockade_connections") >= 1
    assert value(numbers, "stockade_resident_memory_bytes") > 10_000_000
    (build,) = numbers["stockade_build_info"]
    assert dict(build)["library"].isdigit()


def test_what_waits_in_the_stream_of_orders_is_told_with_its_age(watched: Service) -> None:
    """Also where nobody takes it, as here: that is when it matters."""
    door = Door(watched.url)
    names = ("stockade_stream_orders", "stockade_stream_oldest_seconds", "stockade_stream_dead_letters")
    numbers = scrape(door)
    assert [name in numbers and value(numbers, name) for name in names] == [0, 0, 0]
    url = running_at(watched.data_dir)
    assert url is not None
    with redis.Redis.from_url(url) as store:
        seconds, _ = store.time()
        store.xadd("stockade:{intake}:orders", {"order": "{}"}, id=f"{(seconds - 600) * 1000}-0")
        store.xadd("stockade:{intake}:orders", {"order": "{}"})
        for _ in range(3):
            store.xadd("stockade:{intake}:dead", {"reason": "no"})
    numbers = until(PROBE_S, lambda: scrape(door), lambda found: value(found, names[0]) == 2)
    assert 600 <= value(numbers, names[1]) < 660
    assert value(numbers, names[2]) == 3


def test_a_unit_oversold_in_the_store_is_told(watched: Service) -> None:
    """The service takes no unit twice; whoever else writes into its store may."""
    door = Door(watched.url)
    shop = Shop(door, "O")
    shop.sku(on_hand={shop.warehouse(): 5})
    until(PROBE_S, lambda: scrape(door), lambda found: value(found, "stockade_oversell_checks_total") >= 1)
    assert value(scrape(door), "stockade_oversold_units") == 0
    url = running_at(watched.data_dir)
    assert url is not None
    with redis.Redis.from_url(url) as store:
        (cell,) = [name for name in store.hkeys("stockade:{p0}:free") if name]
        store.hset("stockade:{p0}:free", cell, -2)
    numbers = until(PROBE_S, lambda: scrape(door), lambda found: value(found, "stockade_oversold_units") == 2)
    assert value(numbers, "stockade_oversell_check_completed_timestamp_seconds") > 1_700_000_000


def test_a_store_that_is_away_is_told_while_metrics_are_served(watched: Service) -> None:
    """The scrape must not hang on what it is to report."""
    door = Door(watched.url)
    url = running_at(watched.data_dir)
    assert url is not None
    with redis.Redis.from_url(url) as store:
        store.execute_command("CLIENT", "PAUSE", 60_000, "ALL")
    until(15.0, lambda: scrape(door), lambda found: value(found, "stockade_store_up") == 0)
    # A paused store takes no UNPAUSE either: it is ended with the service.
    watched.kill()


def test_open_metrics_are_spoken_to_who_asks_for_them(watched: Service) -> None:
    """Prometheus does, and falls back."""
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    answer = Door(watched.url).call("GET", "/metrics", headers=accept)
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    assert answer.body.endswith(b"# EOF\n")
