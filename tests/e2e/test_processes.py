"""Several service processes on one store: each has a view of its own, and all of them sell the same stock."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine import Settings, open_engine
from engine.model import Allocation
from tests.api.conftest import Door
from tests.conftest import Service

PROCESSES = 3
WAREHOUSES = "ABC"
SKUS = tuple(f"s{number}" for number in range(12))
UNITS = 15
ORDERS = 900
"""Far more than there is stock for."""
AT_ONCE = 12

SEEN_WITHIN_S = 2.0
"""How soon a change through one process is sold by another; measured: milliseconds, but the machine is shared."""
WAIT_S = 30.0


@pytest.fixture(params=[1, 3])
def doors(request: pytest.FixtureRequest, tmp_path: Path, empty_store_url: str) -> Iterator[list[Door]]:
    """Processes on one store, of one partition or several."""
    services = [
        Service(tmp_path / str(number), REDIS_URL=empty_store_url, STOCKADE_PARTITIONS=str(request.param))
        for number in range(PROCESSES)
    ]
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(PROCESSES) as pool:
        for service in services:
            stack.callback(service.stop)
        yield [Door(url) for url in pool.map(Service.start, services)]


@contextlib.asynccontextmanager
async def looking(store_url: str) -> AsyncIterator[Any]:
    """An engine that only looks."""
    async with open_engine(Settings(redis_url=store_url), background=False) as engine:
        yield engine


def order(order_id: str, *lines: tuple[str, int]) -> dict[str, Any]:
    """An order to a place near the first warehouse."""
    return {
        "order_id": order_id,
        "ship_to": {"lat": 30.0, "lon": 110.0},
        "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines],
    }


async def set_counts(store_url: str, counts: dict[tuple[str, str], int]) -> None:
    """Set counts through an engine of its own, each partition's by itself."""
    async with looking(store_url) as engine:
        core = engine.planner.core
        cells = {
            core.sku_number(sku) * 4_096 + core.warehouse_number(warehouse): units
            for (sku, warehouse), units in counts.items()
        }
        for partition, own in engine.store.by_owner(list(cells)).items():
            await partition.movements.set_stock(own, [cells[one] for one in own], [-1] * len(own))


def put_network(door: Door) -> None:
    """Warehouses and SKUs."""
    for place, name in enumerate(WAREHOUSES):
        door.put(f"/v1/warehouses/{name}", {"lat": 30.0 + place, "lon": 110.0})
    for sku in SKUS:
        door.put(f"/v1/skus/{sku}", {})


def quiet(door: Door) -> dict[str, Any]:
    """What /readyz says once nothing is behind."""
    ends = time.monotonic() + WAIT_S
    while True:
        found = door.call("GET", "/readyz").json
        if found["status"] == "ready" and found["events_behind"] == 0:
            return found
        assert time.monotonic() < ends, found
        time.sleep(0.05)


def test_what_is_counted_through_one_is_sold_by_the_others_soon(doors: list[Door], empty_store_url: str) -> None:
    """And what one sold out, the others refuse: quotes come from the view alone, where it says yes."""
    put_network(doors[0])
    asyncio.run(set_counts(empty_store_url, dict.fromkeys([(SKUS[0], "A"), (SKUS[1], "B")], 1)))
    for number in range(6):
        seller, others = (
            doors[number % PROCESSES],
            [door for place, door in enumerate(doors) if place != number % PROCESSES],
        )
        sku = SKUS[2 + number]
        asyncio.run(set_counts(empty_store_url, {(sku, "A"): 5}))
        began = time.monotonic()
        # The name and the stock of it came to this process as events of others.
        while (answer := seller.call("POST", "/v1/orders", order(f"o{number}", (sku, 5)))).status != 201:
            assert time.monotonic() - began < SEEN_WITHIN_S, answer.body
        for other in others:
            began = time.monotonic()
            while (answer := other.call("POST", "/v1/quotes", order("q", (sku, 1)))).status != 409:
                assert time.monotonic() - began < SEEN_WITHIN_S, answer.body
    for door in doors:
        found = quiet(door)
        assert found["view_lag_ms"] < SEEN_WITHIN_S * 1_000


def test_a_sale_through_all_of_them_sells_each_unit_once_and_leaves_the_same_view(
    doors: list[Door], empty_store_url: str
) -> None:
    """Twins of an order go to two processes; every acknowledged one is held, and nothing is held twice."""
    put_network(doors[0])
    asyncio.run(set_counts(empty_store_url, {(sku, name): UNITS for sku in SKUS for name in WAREHOUSES}))
    offers = [
        order(f"o{number}", (SKUS[number % 12], 1 + number % 3), (SKUS[(number * 5 + 1) % 12], 1))
        for number in range(ORDERS)
    ]
    calls = [
        (number, doors[(number + twin) % PROCESSES])
        for number in range(ORDERS)
        for twin in range(1 + (number % 9 == 0))
    ]
    answers: dict[int, list[Any]] = {}

    async def sell() -> None:
        queue = iter(calls)

        async def work() -> None:
            for number, door in queue:
                answer = await asyncio.to_thread(door.call, "POST", "/v1/orders", offers[number])
                while answer.status == 503:
                    answer = await asyncio.to_thread(door.call, "POST", "/v1/orders", offers[number])
                answers.setdefault(number, []).append(answer)

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))

    asyncio.run(sell())
    assert {answer.status for own in answers.values() for answer in own} <= {200, 201, 409}
    sold: Counter[tuple[str, str]] = Counter()
    held = {}
    for number, own in answers.items():
        taken = [answer for answer in own if answer.status in (200, 201)]
        assert len({answer.body for answer in taken}) <= 1
        assert sum(answer.status == 201 for answer in taken) == bool(taken)
        if taken:
            allocation = msgspec.json.decode(taken[0].body, type=Allocation)
            held[f"o{number}"] = allocation
            for shipment in allocation.shipments:
                for line in shipment.lines:
                    sold[line.sku, shipment.warehouse] += line.quantity
    assert max(sold.values()) <= UNITS
    for door in doors:
        quiet(door)

    async def look() -> tuple[set[str], dict[tuple[str, str], int]]:
        async with looking(empty_store_url) as engine:
            ids = {allocation.order_id async for allocation, _ in engine.orders()}
            cells = (await engine.stock()).cells
            return ids, {(cell.sku, cell.warehouse): cell.available for cell in cells}

    ids, available = asyncio.run(look())
    assert ids == set(held)
    assert available == {(sku, name): UNITS - sold[sku, name] for sku in SKUS for name in WAREHOUSES}
    # Every view is that of the store: what is left can be had to the last unit by its word alone, and no more.
    for door in doors:
        for sku in SKUS:
            left = sum(available[sku, name] for name in WAREHOUSES)
            if left:
                assert door.call("POST", "/v1/quotes", order("q", (sku, left))).status == 200
            found = door.call("POST", "/v1/quotes", order("q", (sku, left + 1)))
            assert (found.status, found.json["shortages"][0]["available"]) == (409, left)
