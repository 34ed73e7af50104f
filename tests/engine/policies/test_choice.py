"""Policies on a live engine: what an order gets by them, and what its record says of it."""

from datetime import date

import msgspec

from engine import Engine, Quoted, Settings, open_engine
from engine.intake import InsufficientStock, Invalid
from engine.model import Sku, Warehouse
from engine.planner import canonical_bytes
from tests.engine.policies.case import reserved
from tests.engine.small_network import order, put_network


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
