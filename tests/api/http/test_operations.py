"""What those who run the service ask it, and what it says when it has too much to do."""

import threading
from collections.abc import Iterator
from time import monotonic, sleep

import pytest
import redis

from engine.store import running_at
from tests.api.conftest import Door, Shop
from tests.conftest import Service

SATURATION_WAIT_S = 5.0


def test_a_service_says_that_it_lives_and_is_ready(door: Door, shop: Shop) -> None:
    """The one question is whether to restart it, the other whether to send it orders."""
    assert door.call("GET", "/livez").json == {"status": "alive"}
    shop.sku(on_hand={shop.warehouse(): 1})
    ready = door.call("GET", "/readyz")
    assert ready.status == 200
    assert ready.json["status"] == "ready"
    assert ready.json["cells"] >= 1
    assert ready.json["skus"] >= 1
    assert ready.json["lost_orders"] == 0
    assert ready.json["warehouses"] == len(door.call("GET", "/v1/warehouses").json)


def test_a_service_says_what_it_is_and_whether_its_store_is_durable(door: Door) -> None:
    """A report of a fault begins with these."""
    found = door.call("GET", "/version").json
    assert set(found) == {"stockade", "python", "store"}
    assert found["store"]["durable"] == "always"
    assert all(found["store"].values())


def test_a_head_request_is_answered_without_a_body(door: Door) -> None:
    """Monitors ask so."""
    answer = door.call("HEAD", "/livez")
    assert (answer.status, answer.body) == (200, b"")


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that lets one order wait, and commits one at a time."""
    one = Service(
        tmp_path_factory.mktemp("narrow") / "store", STOCKADE_QUEUE_ORDERS_MAX="1", STOCKADE_BATCH_ORDERS_MAX="1"
    )
    one.start()
    yield one
    one.stop()


def test_an_order_too_many_is_told_to_come_back(narrow: Service) -> None:
    """Beyond the queue there is a clear refusal with Retry-After, never a hang; those who wait are served."""
    door = Door(narrow.url)
    shop = Shop(door, "FULL")
    warehouse = shop.warehouse()
    sku = shop.sku(on_hand={warehouse: 9})
    url = running_at(narrow.data_dir)
    assert url is not None
    taken: list[int] = []

    def send() -> None:
        taken.append(shop.post(shop.order((sku, 1))).status)

    threads = [threading.Thread(target=send) for _ in range(2)]
    with redis.Redis.from_url(url) as store:
        store.execute_command("CLIENT", "PAUSE", 60_000, "WRITE")
        # One goes to the store and stays there; the other waits behind it.
        for queued, thread in enumerate(threads):
            thread.start()
            deadline = monotonic() + SATURATION_WAIT_S
            while door.call("GET", "/readyz").json["queued"] < queued and monotonic() < deadline:
                sleep(0.01)
            sleep(0.05)
        answer = shop.post(shop.order((sku, 1)))
        store.execute_command("CLIENT", "UNPAUSE")
    answer.problem(503, "overloaded")
    assert int(answer.headers["Retry-After"]) >= 1
    for thread in threads:
        thread.join()
    assert taken == [201, 201]
    assert shop.cell(sku, warehouse)["reserved"] == 2


def test_a_tariff_takes_the_place_of_the_rate_by_distance(narrow: Service) -> None:
    """Base by zone and price by weight; beyond the last zone the last zone still counts."""
    door = Door(narrow.url)
    shop = Shop(door, "TARIFF")
    sku = shop.sku(on_hand={shop.warehouse(lat=30.0, lon=120.0): 9}, weight_g=1_500)
    zones = [
        {"zone": "near", "max_km": 200, "base": 1_000, "per_kg": 100},
        {"zone": "far", "max_km": 1_000, "base": 2_000, "per_kg": 300},
    ]
    door.put("/v1/tariff", {"zones": zones})
    assert door.call("GET", "/v1/tariff").json == {"zones": zones}
    near, far, beyond = (
        shop.reserve((sku, 2), ship_to={"lat": lat, "lon": 120.0})["cost"] for lat in (31.0, 35.0, -30.0)
    )
    assert near == 500 + 2 * 50 + 1_000 + 3 * 100
    assert far == beyond == 500 + 2 * 50 + 2_000 + 3 * 300
    assert door.call("POST", "/v1/quotes", shop.order((sku, 1))).json["explanation"]["warehouses"][0]["zone"] == "near"
