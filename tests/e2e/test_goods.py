"""kill -9 of service and store among orders of bundles, substitutes or none yet: retries get the same allocation."""

import asyncio
import http.client
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from threading import Thread
from time import monotonic, sleep
from typing import Any

import pytest

from engine import Settings, open_engine
from engine.intake.commit import LEASE_MS
from tests.api.conftest import Answer, Door
from tests.e2e.forked_service import ForkedService, forked_service

ROUNDS = 6
ROUND_ORDERS = 12
KILL_WITHIN_S = 0.06
"""The orders of a round take about so long."""
SETTLED_WITHIN_S = LEASE_MS / 1000 + 20
SETTLE_POLL_S = 0.2
SEED = 20_261_127
PLACES = "ABC"
UNITS = 8 * ROUNDS
LINES = {
    "kit": [("kit", 1)],
    "instead": [("gone", 1)],
    "waits": [("never", 2), ("kit", 1)],
    "both": [("kit", 1), ("gone", 1)],
}


@pytest.fixture(params=[1, 3], ids=["one partition", "three partitions"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ForkedService]:
    """A service on a store of its own; not started."""
    with forked_service(tmp_path, partitions=request.param) as one:
        yield one


def fill(door: Door) -> None:
    """A bundle of two, a SKU that is gone, for which another comes, and one that there never was."""
    for place, name in enumerate(PLACES):
        door.put(f"/v1/warehouses/{name}", {"lat": 30.0 + place, "lon": 110.0})
    for name in ("x", "y", "other", "never"):
        door.put(f"/v1/skus/{name}", {})
    door.put("/v1/skus/kit", {"components": [{"sku": "x", "quantity": 1}, {"sku": "y", "quantity": 2}]})
    door.put("/v1/skus/gone", {"substitutes": ["other"]})
    rows = [{"sku": sku, "warehouse": at, "on_hand": UNITS} for sku in ("x", "y", "other") for at in PLACES]
    door.put("/v1/stock", rows)


def order(order_id: str, kind: str) -> dict[str, Any]:
    """An order of some kind."""
    return {
        "order_id": order_id,
        "ship_to": {"lat": 30.0, "lon": 110.0},
        "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in LINES[kind]],
        "allow_substitutes": True,
        "allow_backorder": kind == "waits",
    }


def test_whatever_is_killed_a_retry_gets_the_same_allocation(service: ForkedService) -> None:
    """Acknowledged or not: each order is taken once, and says the same ever after."""
    random, told, orders = Random(SEED), dict[str, bytes](), dict[str, dict[str, Any]]()
    service.launch()
    door = Door(service.ready())
    fill(door)
    for number in range(ROUNDS):
        fresh = {f"{kind}-{number}-{place}": kind for place in range(ROUND_ORDERS // len(LINES)) for kind in LINES}
        orders |= {order_id: order(order_id, kind) for order_id, kind in fresh.items()}
        told |= _sold_and_killed(service, door, [orders[name] for name in fresh], random)
        service.launch()
        door = Door(service.ready())
        answers = door.call_at_once([("POST", "/v1/orders", orders[name]) for name in fresh])
        for order_id, answer in zip(fresh, answers, strict=True):
            assert answer.status == 200 if order_id in told else answer.status in (200, 201), answer.body
            assert told.setdefault(order_id, answer.body) == answer.body
    for order_id, body in told.items():
        again = door.call("POST", "/v1/orders", orders[order_id])
        assert (again.status, again.body) == (200, body)
    _check(door, told)
    service.stop()
    asyncio.run(_audit(service.data_dir))


def _sold_and_killed(
    service: ForkedService, door: Door, orders: list[dict[str, Any]], random: Random
) -> dict[str, bytes]:
    """Send orders, each by a thread, kill service and store meanwhile, and return what was acknowledged."""
    told: dict[str, bytes] = {}

    def send(one: dict[str, Any]) -> None:
        try:
            answer: Answer = door.call("POST", "/v1/orders", one)
        except (OSError, http.client.HTTPException):
            return
        if answer.status in (200, 201):
            told[one["order_id"]] = answer.body

    threads = [Thread(target=send, args=(one,)) for one in orders]
    for thread in threads:
        thread.start()
    sleep(random.uniform(0, KILL_WITHIN_S))
    service.kill(with_store=random.random() < 0.7)
    for thread in threads:
        thread.join()
    return told


def _check(door: Door, told: dict[str, bytes]) -> None:
    """What each kind gets, and that stock is reserved for exactly that."""
    wanted: Counter[str] = Counter()
    for order_id in told:
        found = door.call("GET", f"/v1/orders/{order_id}").json
        kind = order_id.partition("-")[0]
        assert found["status"] == ("backordered" if kind == "waits" else "confirmed")
        assert ("bundles" in found, "substitutions" in found) == (kind in ("kit", "both"), kind in ("instead", "both"))
        for shipment in found["shipments"]:
            wanted.update({line["sku"]: line["quantity"] for line in shipment["lines"]})
    # What was held for attempts that nobody decided about comes back when their leases end.
    deadline = monotonic() + SETTLED_WITHIN_S
    while _reserved(door) != wanted and monotonic() < deadline:
        sleep(SETTLE_POLL_S)
    assert _reserved(door) == wanted
    count = ROUNDS * ROUND_ORDERS // len(LINES)
    assert wanted == {"x": 2 * count, "y": 4 * count, "other": 2 * count}


def _reserved(door: Door) -> Counter[str]:
    sums = Counter[str]()
    for cell in door.stock():
        sums[cell["sku"]] += cell["reserved"]
    return +sums


async def _audit(data_dir: Path) -> None:
    async with open_engine(Settings(data_dir=data_dir), load=False, background=False) as engine:
        assert (await engine.audit()).differences == ()
