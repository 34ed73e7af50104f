"""Somebody meddles with the store's functions in mid-sale: they are loaded again, or nothing is sold by wrong ones."""

import asyncio

from aiohttp.test_utils import TestClient, TestServer
from redis.asyncio import Redis

from api.http import build_app
from engine import Engine, State
from engine.intake import Unavailable
from engine.model import Order
from engine.store.library import LIBRARY_VERSION, library_source
from engine.tasks import end_task
from tests.engine.small_network import assert_balanced, order, put_network, reserved
from tests.engine.store.by_hand import everything

FLUSH_EVERY_S = 0.01
ORDERS = 300
NEXT_VERSION = LIBRARY_VERSION + 1
WAIT_S = 10.0


def changed_library(old: str, new: str) -> str:
    """The library with one thing changed."""
    source, _ = library_source()
    assert source.count(old) == 1
    return source.replace(old, new)


NEXT_LIBRARY = changed_library(f"local VERSION = {LIBRARY_VERSION}", f"local VERSION = {NEXT_VERSION}")


async def test_functions_that_are_flushed_again_and_again_cost_no_order(engine: Engine, client: Redis) -> None:
    """Every call may be the one that finds none, even more than once."""
    await put_network(engine, {("x", "A"): ORDERS})

    async def flush() -> None:
        while True:
            await client.execute_command("FUNCTION", "FLUSH")
            await asyncio.sleep(FLUSH_EVERY_S)

    async def buy(one: Order) -> None:
        # A service that looks at the store just then may be out of sale for a moment.
        while isinstance(outcome := await engine.reserve(one), Unavailable):
            assert outcome.certain
        assert not reserved(outcome).replayed

    flushing = asyncio.create_task(flush())
    for number in range(0, ORDERS, 10):
        await asyncio.gather(*(buy(order(f"o{number + place}", ("x", 1))) for place in range(10)))
    await end_task(flushing)
    await assert_balanced(engine, units_reserved=ORDERS)


async def test_an_older_text_of_our_version_is_replaced_at_the_next_opening(engine: Engine, client: Redis) -> None:
    """What a service of yesterday's build left there means the same by its arguments."""
    _, digest = library_source()
    await put_network(engine, {("x", "A"): 5})
    await client.execute_command("FUNCTION", "LOAD", "REPLACE", changed_library(digest, "yesterday"))
    reserved(await engine.reserve(order("one", ("x", 1))))
    loads = engine.replica.loads
    await client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    async with asyncio.timeout(WAIT_S):
        while engine.replica.loads == loads or engine.state is not State.READY:
            await asyncio.sleep(0.02)
    assert await client.execute_command("FCALL", "stockade_version", 0) == [LIBRARY_VERSION, digest.encode()]
    reserved(await engine.reserve(order("two", ("x", 1))))
    await assert_balanced(engine, units_reserved=2)


async def test_a_later_version_stops_the_sale_at_once_and_says_so(engine: Engine, client: Redis) -> None:
    """Its functions may mean other things by our arguments: not one call may be taken by them."""
    await put_network(engine, {("x", "A"): 5})
    reserved(await engine.reserve(order("one", ("x", 1))))
    before = await everything(client)
    await client.execute_command("FUNCTION", "LOAD", "REPLACE", NEXT_LIBRARY)
    outcome = await asyncio.wait_for(engine.reserve(order("two", ("x", 1))), WAIT_S)
    assert isinstance(outcome, Unavailable)
    assert outcome.certain
    assert f"version {NEXT_VERSION}" in outcome.detail
    assert await everything(client) == before
    async with TestClient(TestServer(build_app(engine))) as door:
        readiness = await door.get("/readyz")
        assert readiness.status == 503
        said = await readiness.json()
        assert said["status"] == "recovering"
        assert f"version {NEXT_VERSION}" in said["detail"]
        refused = await door.post("/v1/orders", json={"order_id": "three", "ship_to": {"lat": 30, "lon": 110}})
        assert refused.status in (422, 503)
    # Whoever put it there takes it back: nobody has to restart us.
    await client.execute_command("FUNCTION", "FLUSH")
    async with asyncio.timeout(WAIT_S):
        while engine.state is not State.READY:
            await asyncio.sleep(0.02)
    assert not reserved(await engine.reserve(order("two", ("x", 1)))).replayed
    await assert_balanced(engine, units_reserved=2)


async def test_an_idle_service_notices_a_later_version_by_itself(engine: Engine, client: Redis) -> None:
    """Before the first order of the day does."""
    await put_network(engine, {("x", "A"): 5})
    await client.execute_command("FUNCTION", "LOAD", "REPLACE", NEXT_LIBRARY)
    async with asyncio.timeout(WAIT_S):
        while engine.intake.unreachable is None:
            await asyncio.sleep(0.02)
    answer = engine.submit(order("one", ("x", 1)))
    assert answer.done()
    assert isinstance(answer.result(), Unavailable)


async def test_a_store_that_a_later_version_has_opened_refuses_the_former_ones_calls(
    engine: Engine, client: Redis
) -> None:
    """And takes them again when the former version opens it: data that neither changed means the same to both."""
    await put_network(engine, {("x", "A"): 5})
    epoch = engine.store.partitions[0].epoch
    assert epoch.startswith(f"{LIBRARY_VERSION}.".encode())
    await client.execute_command("FUNCTION", "FLUSH")
    await client.execute_command("FUNCTION", "LOAD", NEXT_LIBRARY)
    keys = tuple(
        getattr(engine.store.partitions[0].keys, name) for name in engine.store.partitions[0].keys.__struct_fields__
    )
    opened = await client.execute_command("FCALL", "stockade_open", len(keys), *keys, "unused", "later", 1, 0)
    assert opened[0] == f"{NEXT_VERSION}.".encode() + epoch.partition(b".")[2]
    await client.execute_command("FUNCTION", "FLUSH")
    async with asyncio.timeout(WAIT_S):
        while engine.state is not State.READY or engine.store.partitions[0].epoch != epoch:
            await asyncio.sleep(0.02)
    reserved(await engine.reserve(order("one", ("x", 1))))
