"""Policies on a live engine: what an order gets, what its record says of it, and what a changed file changes."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from redis.asyncio import Redis

from engine import Engine, Quoted, Settings, open_engine
from engine.errors import InvalidInput
from engine.intake import InsufficientStock, Invalid, Reserved
from engine.model import Allocation, Order, Sku, Trial, Warehouse
from engine.planner import CostDefaults, Planner, canonical_bytes, cell_number
from engine.policy import PolicyBook, check_policies
from engine.policy.results import past_orders, results_of
from tests.engine.small_network import order, put_network, put_stock

SOON_S = 20.0

FILE = """version = "{version}"
default = "near"
[policies.near]
objective = "nearest"
[policies.far]
objective = "pinned"
warehouses = ["C"]
[policies.kept]
objective = "nearest"
keep_back = {{ app = 3 }}
{rules}
"""
TRIAL = """[[rules]]
name = "tried"
use = "near"
channels = ["app"]
trial = { name = "t", use = "far", share_percent = 50 }
"""


def write(file: Path, version: str, rules: str = "") -> None:
    """Exchange the file for one of these policies."""
    put(file, FILE.format(version=version, rules=rules))


def put(file: Path, text: str) -> None:
    """Exchange the file whole."""
    fresh = file.with_suffix(".new")
    fresh.write_text(text, "utf-8")
    os.replace(fresh, file)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Policies without rules."""
    file = tmp_path / "policies.toml"
    write(file, "1")
    return file


@pytest.fixture
async def engine(empty_store_url: str, file: Path) -> AsyncIterator[Engine]:
    """An engine with that file, 100 of x in each of A, B and C."""
    async with open_engine(Settings(redis_url=empty_store_url, policies_file=file)) as opened:
        await put_network(opened, {("x", warehouse): 100 for warehouse in "ABC"})
        yield opened


async def reserved(engine: Engine, wanted: Order) -> Allocation:
    """The allocation of an order that must be had."""
    outcome = await engine.reserve(wanted)
    assert isinstance(outcome, Reserved), outcome
    return msgspec.json.decode(outcome.json, type=Allocation)


async def version_in_force(engine: Engine, version: str) -> None:
    """Return when a version is in force."""
    async with asyncio.timeout(SOON_S):
        while engine.status.policy_version != version:
            await asyncio.sleep(0.02)


async def test_an_allocation_names_the_policy_and_its_version(engine: Engine) -> None:
    """Now, and whenever it is looked at; whichever way the order came to it."""
    by_default = await reserved(engine, order("a", ("x", 1)))
    by_name = await reserved(engine, order("b", ("x", 1), policy="far"))
    built_in = await reserved(engine, order("c", ("x", 1), policy="cheapest"))
    for found, policy, warehouse in ((by_default, "near", "A"), (by_name, "far", "C"), (built_in, "cheapest", "A")):
        assert (found.policy, found.policy_version, found.trial) == (policy, "1", None)
        assert [shipment.warehouse for shipment in found.shipments] == [warehouse]
        assert await engine.order(found.order_id) == found


async def test_without_a_file_the_built_in_policies_are_in_force(empty_store_url: str) -> None:
    """And orders say so."""
    async with open_engine(Settings(redis_url=empty_store_url, policy="priority")) as engine:
        await put_network(engine, {("x", "A"): 9})
        found = await reserved(engine, order("a", ("x", 1)))
        assert (found.policy, found.policy_version) == ("priority", "built-in")
        assert (engine.status.policy_version, engine.status.policies_error) == ("built-in", None)


async def test_a_policy_that_is_not_there_is_a_flaw_that_names_those_there_are(engine: Engine) -> None:
    """At the field that names it."""
    outcome = await engine.reserve(order("a", ("x", 1), policy="magic"))
    assert isinstance(outcome, Invalid)
    (error,) = outcome.errors
    assert error.pointer == "/policy"
    assert "near, far, kept, cheapest" in error.message


async def test_a_retry_has_its_allocation_whatever_the_policies_are_by_then(engine: Engine, file: Path) -> None:
    """The same order is the same order: nothing is planned for it."""
    wanted = order("a", ("x", 1), policy="far")
    first = await reserved(engine, wanted)
    put(file, 'version = "2"\n[policies.other]\nobjective = "fastest"\n')
    await version_in_force(engine, "2")
    outcome = await engine.reserve(wanted)
    assert isinstance(outcome, Reserved)
    assert (outcome.replayed, msgspec.json.decode(outcome.json, type=Allocation)) == (True, first)


async def test_a_file_that_changes_during_a_sale_plans_each_batch_by_one_version(
    engine: Engine, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And from then on all by the new one; a wrong file between them changes nothing."""
    await put_stock(engine, {("x", warehouse): 100_000 for warehouse in "ABC"})
    monkeypatch.setattr("engine.engine.LOOK_S", 0.01)
    sold: list[Allocation] = []
    running = True

    async def sell(seller: int) -> None:
        number = 0
        while running:
            sold.append(await reserved(engine, order(f"{seller}-{number}", ("x", 1))))
            number += 1

    sellers = [asyncio.create_task(sell(seller)) for seller in range(20)]
    for version in ("2", "wrong", "3"):
        if version == "wrong":
            put(file, "version = ")
            async with asyncio.timeout(SOON_S):
                while engine.status.policies_error is None:
                    await asyncio.sleep(0.01)
        else:
            write(file, version)
            await version_in_force(engine, version)
            sold.append(await reserved(engine, order(f"after-{version}", ("x", 1))))
    running = False
    await asyncio.gather(*sellers)
    assert engine.status.policies_error is None
    versions = {one.order_id: one.policy_version for one in sold}
    assert {versions[f"after-{version}"] for version in "23"} == {"2", "3"}
    batches: list[set[str]] = []
    cursor: str | None = None
    while (page := await engine.events(after=cursor)).events:
        commits = [event for event in page.events if event.type == "commit"]
        batches += [{versions[order_id] for order_id in event.orders} for event in commits]
        cursor = page.cursor
    assert len(batches) > 2
    assert all(len(found) == 1 for found in batches)
    assert (await engine.audit()).balanced


async def test_a_trial_shares_out_the_orders_of_its_rule_and_results_tell_its_arms_apart(
    engine: Engine, file: Path
) -> None:
    """By id alone: another process would say the same."""
    write(file, "2", TRIAL)
    await version_in_force(engine, "2")
    found = [await reserved(engine, order(f"o{number}", ("x", 1), channel="app")) for number in range(40)]
    beside = await reserved(engine, order("web", ("x", 1), channel="web"))
    assert (beside.policy, beside.trial) == ("near", None)
    arms = Counter(one.trial.arm for one in found if one.trial is not None)
    assert arms["trial"] + arms["control"] == 40
    assert min(arms.values()) >= 8, "half of 40, give or take"
    for one in found:
        assert one.trial is not None
        assert (one.policy, one.shipments[0].warehouse) == (("far", "C") if one.trial.arm == "trial" else ("near", "A"))
        assert await engine.order(one.order_id) == one
    await engine.cancel(next(one.order_id for one in found if one.policy == "far"))
    rows = {(row.policy, row.trial): row for row in await results_of(past_orders(engine.orders()))}
    assert set(rows) == {
        ("near", None),
        ("near", Trial(name="t", arm="control")),
        ("far", Trial(name="t", arm="trial")),
    }
    far = rows["far", Trial(name="t", arm="trial")]
    assert (far.orders, far.over, far.version) == (arms["trial"], 1, "2")
    assert (far.shipments_per_order, round(far.mean_km)) == (1, 222)
    assert far.cost_per_order > rows["near", None].cost_per_order


async def test_what_a_channel_keeps_back_is_for_the_others(engine: Engine) -> None:
    """Until nothing else is left."""
    wanted = order("a", ("x", 292), channel="app", policy="kept")
    outcome = await engine.reserve(wanted)
    assert isinstance(outcome, InsufficientStock)
    assert [(row.requested, row.available) for row in outcome.shortages] == [(292, 291)]
    await reserved(engine, order("b", ("x", 291), channel="app", policy="kept"))
    await reserved(engine, order("c", ("x", 9), policy="kept"))


async def test_what_needs_cold_ships_from_where_it_is_cold(engine: Engine) -> None:
    """As soon as the catalogue says so, here and in a process that loads it."""
    await engine.put_skus([Sku(sku="x", capabilities=("cold",), sku_class="food")])
    assert isinstance(await engine.reserve(order("a", ("x", 1))), InsufficientStock)
    await engine.put_warehouses([Warehouse(id="B", lat=31.0, lon=110.0, capabilities=("cold", "hazardous"))])
    assert (await reserved(engine, order("b", ("x", 1)))).shipments[0].warehouse == "B"
    async with open_engine(engine.settings) as other:
        assert (await reserved(other, order("c", ("x", 1)))).shipments[0].warehouse == "B"
    await engine.put_skus([Sku(sku="x")])
    assert (await reserved(engine, order("d", ("x", 1)))).shipments[0].warehouse == "A"


async def test_a_quote_says_which_policy_and_what_it_keeps_out(engine: Engine) -> None:
    """For people who ask why."""
    quoted = await engine.quote(order("a", ("x", 1), policy="far"))
    assert isinstance(quoted, Quoted)
    explanation = msgspec.json.decode(quoted.json)["explanation"]
    assert (explanation["policy"], explanation["objective"]) == ("far", "pinned")
    excluded = {row["warehouse"]: row.get("excluded") for row in explanation["warehouses"]}
    assert excluded == {
        name: None if name == "C" else "policy far keeps it out: it is not on its list" for name in "ABC"
    }


async def test_a_date_is_part_of_the_order(engine: Engine) -> None:
    """It comes over the wire as text and stays the same order."""
    wanted = order("a", ("x", 1), deliver_by=date(2030, 1, 2), customer_class="gold")
    first = await reserved(engine, wanted)
    assert await reserved(engine, wanted) == first
    assert b"2030-01-02" in canonical_bytes(wanted)


async def test_an_engine_does_not_start_on_a_wrong_file(empty_store_url: str, file: Path) -> None:
    """But an audit, which plans nothing, does."""
    put(file, "version = 1")
    settings = Settings(redis_url=empty_store_url, policies_file=file)
    with pytest.raises(InvalidInput, match=r"policies\.toml:1"):
        async with open_engine(settings):
            pass
    async with open_engine(settings, background=False, load=False) as engine:
        assert (await engine.audit()).balanced


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
