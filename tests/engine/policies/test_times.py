"""Policies by the clock: hours on the wall, and how long ago stock was counted."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from redis.asyncio import Redis

from engine import Engine, Quoted, Settings, open_engine
from engine.model import Sku, Warehouse
from engine.planner import CostDefaults, Planner, canonical_bytes, cell_number
from engine.policy import PolicyBook, check_policies
from tests.engine.policies.case import SOON_S, put
from tests.engine.small_network import order, put_network, put_stock

NIGHT = """version = "1"
default = "cheapest"
[[rules]]
name = "night"
use = "fastest"
hours = ["22:00", "02:30"]
weekdays = ["saturday"]
timezone = "America/New_York"
"""


@pytest.mark.parametrize("first", [datetime(2026, 3, 7), datetime(2026, 10, 31), datetime(2026, 7, 4)])
def test_hours_are_those_on_the_wall_through_changes_of_the_clocks(first: datetime) -> None:
    """Nights on which New York skips an hour, repeats one, and neither: every quarter of an hour of two days."""
    book = check_policies(NIGHT.encode())
    assert isinstance(book, PolicyBook)
    planner = Planner(
        currency="USD", default_policy="cheapest", defaults=CostDefaults(fixed_cost=1, unit_cost=1, cost_per_km=0)
    )
    planner.set_policies(book.message)
    planner.put_warehouses([(0, Warehouse(id="A", lat=0, lon=0))])
    planner.put_skus([(0, Sku(sku="x"))])
    planner.set_levels([(cell_number(sku=0, warehouse=0), 5)], b"1-0")
    wanted = canonical_bytes(order("a", ("x", 1)))
    zone = ZoneInfo("America/New_York")
    begin = first.replace(tzinfo=zone).astimezone(UTC)
    for quarter in range(4 * 48):
        at = begin + quarter * timedelta(minutes=15)
        wall = at.astimezone(zone)
        saturday, sunday = wall.weekday() == 5, wall.weekday() == 6
        inside = (saturday and wall.hour >= 22) or (sunday and (wall.hour, wall.minute) < (2, 30))
        word, payload = planner.core.quote(wanted, None, int(at.timestamp() * 1000))
        assert word == "quoted"
        assert (msgspec.json.decode(payload)["policy"] == "fastest") == inside, wall


FRESH = """version = "1"
default = "counted"
[policies.counted]
objective = "nearest"
only = { counted_within_s = 3600 }
"""


async def test_only_what_was_counted_of_late_ships(empty_store_url: str, file: Path) -> None:
    """By the store's word: in the process that counted, in one that loads, and in one that follows."""
    put(file, FRESH)
    settings = Settings(redis_url=empty_store_url, policies_file=file)

    async def ships_from(engine: Engine) -> str:
        quoted = await engine.quote(order("a", ("x", 1)))
        assert isinstance(quoted, Quoted)
        found: str = msgspec.json.decode(quoted.json)["shipments"][0]["warehouse"]
        return found

    async with open_engine(settings) as engine:
        await put_network(engine, {("x", warehouse): 9 for warehouse in "ABC"})
        assert await ships_from(engine) == "A"
        # As if the nearer ones had been counted long ago.
        numbers = [engine.planner.core.warehouse_number(name) for name in "AB"]
        async with Redis.from_url(empty_store_url) as client:
            await client.hset("stockade:{p0}:meta", mapping={f"counted:{number}": 1 for number in numbers})
        async with open_engine(settings) as other:
            assert await ships_from(other) == "C"
            await put_stock(engine, {("y", "B"): 1})
            async with asyncio.timeout(SOON_S):
                while await ships_from(other) != "B":
                    await asyncio.sleep(0.02)
