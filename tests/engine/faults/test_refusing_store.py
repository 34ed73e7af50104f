"""A store that answers but takes nothing: out of memory, a replica, too few replicas, a disk that failed it.

Orders are refused, certainly; nothing is half done; and all goes on when the trouble is over.
"""

import asyncio
import contextlib
import re
import resource
from collections.abc import AsyncIterator, Callable

import pytest
from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError, ReadOnlyError, ResponseError

from engine import Engine, Settings, State, open_engine
from engine.errors import StoreUnavailable
from engine.intake import Overloaded, Reserved, Unavailable
from engine.planner import Record
from engine.store import EmbeddedServer, StoreRefused
from engine.store.library import library_source
from tests.engine.small_network import SKUS, assert_balanced, order, put_network, put_stock, reserved
from tests.engine.store.by_hand import everything

WAIT_S = 10.0
KEYS = 18
CROWD = 200
LARGE = "m" * 200
"""What makes an order large, many times over."""

Trouble = Callable[[Redis, EmbeddedServer], contextlib.AbstractAsyncContextManager[None]]


@contextlib.asynccontextmanager
async def out_of_memory(client: Redis, _server: EmbeddedServer) -> AsyncIterator[None]:
    """Less memory than the store has taken already."""
    await client.config_set("maxmemory", "1mb")
    yield
    await client.config_set("maxmemory", "0")


@contextlib.asynccontextmanager
async def a_replica(client: Redis, _server: EmbeddedServer) -> AsyncIterator[None]:
    """Of a primary that is away: after a failover by hand, or when REDIS_URL is that of the wrong one."""
    await client.execute_command("REPLICAOF", "127.0.0.1", "1")
    yield
    await client.execute_command("REPLICAOF", "NO", "ONE")


@contextlib.asynccontextmanager
async def too_few_replicas(client: Redis, _server: EmbeddedServer) -> AsyncIterator[None]:
    """The operator wants one at least."""
    await client.config_set("min-replicas-to-write", "1")
    yield
    await client.config_set("min-replicas-to-write", "0")


@contextlib.asynccontextmanager
async def a_failed_snapshot(client: Redis, server: EmbeddedServer) -> AsyncIterator[None]:
    """Its file cannot be put in place, whoever writes it, for a folder has its name."""
    in_the_way = server.data_dir / "dump.rdb"
    in_the_way.mkdir()
    await client.config_set("save", "86400 1000000")
    await _snapshot(client, "err")
    yield
    in_the_way.rmdir()
    await _snapshot(client, "ok")


async def _snapshot(client: Redis, status: str) -> None:
    await client.execute_command("BGSAVE")
    async with asyncio.timeout(WAIT_S):
        while True:
            info = await client.info("persistence")
            if not info["rdb_bgsave_in_progress"] and info["rdb_last_bgsave_status"] == status:
                return
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def a_full_disk(client: Redis, server: EmbeddedServer) -> AsyncIterator[None]:
    """Of a store that writes its file every second: it notices after the reply, and refuses from then on."""
    assert server.pid is not None
    await client.config_set("appendfsync", "everysec")
    size = max(path.stat().st_size for path in (server.data_dir / "appendonlydir").iterdir())
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (size + 10, resource.RLIM_INFINITY))
    async with asyncio.timeout(WAIT_S):
        while await _writes(client):
            await asyncio.sleep(0.01)
    yield
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    async with asyncio.timeout(WAIT_S):
        while not await _writes(client):
            await asyncio.sleep(0.01)


async def _writes(client: Redis) -> bool:
    try:
        await client.hset("probe", "of", "writes")
    except ResponseError:
        return False
    return True


TROUBLES = (out_of_memory, a_replica, too_few_replicas, a_failed_snapshot, a_full_disk)
any_trouble = pytest.mark.parametrize("trouble", TROUBLES, ids=[one.__name__ for one in TROUBLES])


@any_trouble
async def test_orders_are_refused_for_certain_until_the_trouble_is_over(
    engine: Engine, client: Redis, server: EmbeddedServer, trouble: Trouble
) -> None:
    """The caller may sell elsewhere at once: the store has not a byte of the order."""
    await put_network(engine, {("x", "A"): 5, ("x", "B"): 5, ("y", "A"): 5, ("few", "A"): 5})
    held = reserved(await engine.reserve(order("held", ("x", 1))))
    orders = (
        order("one", ("x", 1)),
        order("pending", ("x", 1), payment="pending", hold_seconds=5),
        order("split", ("x", 7), ("y", 1)),
        order("limited", ("few", 1), customer="ann"),
    )
    async with trouble(client, server):
        before = await everything(client)
        for one in orders:
            outcome = await asyncio.wait_for(engine.reserve(one), WAIT_S)
            assert isinstance(outcome, Unavailable)
            assert outcome.certain
            assert await everything(client) == before
        with pytest.raises(StoreUnavailable):
            await put_stock(engine, {("x", "A"): 7})
        with pytest.raises(StoreUnavailable):
            await engine.put_skus(SKUS)
        assert await everything(client) == before
        # What was promised is there to be read.
        assert await engine.order_json("held") == held.json
    async with asyncio.timeout(WAIT_S):
        while engine.state is not State.READY:
            await asyncio.sleep(0.02)
    for one in orders:
        assert not reserved(await engine.reserve(one)).replayed
    await assert_balanced(engine, units_reserved=1 + 1 + 1 + 8 + 1)


@any_trouble
async def test_every_function_that_writes_is_refused_before_it_begins(
    engine: Engine, client: Redis, server: EmbeddedServer, trouble: Trouble
) -> None:
    """Not at its first write, with half of its work done: arguments that no function can read are not looked at."""
    source, _ = library_source()
    writers = re.findall(r"^redis\.register_function\('(\w+)'", source, re.MULTILINE)
    assert "allow-oom" not in source
    assert {"stockade_commit", "stockade_open", "stockade_expire", "stockade_transition"} <= set(writers)
    keys = tuple(
        getattr(engine.store.partitions[0].keys, name) for name in engine.store.partitions[0].keys.__struct_fields__
    )
    assert len(keys) == KEYS
    async with trouble(client, server):
        before = await everything(client)
        for name in writers:
            with pytest.raises(ResponseError) as caught:
                await client.execute_command("FCALL", name, KEYS, *keys, "?", "?")
            refusals = isinstance(caught.value, (OutOfMemoryError, ReadOnlyError))
            assert refusals or str(caught.value).partition(" ")[0] in ("NOREPLICAS", "MISCONF")
            assert "user_function" not in str(caught.value)
        assert await everything(client) == before


@any_trouble
async def test_a_service_that_starts_in_trouble_says_which(
    engine: Engine, client: Redis, server: EmbeddedServer, trouble: Trouble
) -> None:
    """It does not sell what it cannot open."""
    words = {
        out_of_memory: "out of memory: raise maxmemory",
        a_replica: "it is a replica",
        too_few_replicas: "min-replicas-to-write",
        a_failed_snapshot: "cannot write to its disk",
        a_full_disk: "cannot write to its disk",
    }
    async with trouble(client, server):
        before = await everything(client)
        with pytest.raises(StoreRefused, match=words[trouble]):  # type: ignore[index]
            async with open_engine(Settings(redis_url=server.url)):
                pass
        assert await everything(client) == before
    assert engine.settings.redis_url == server.url


async def test_memory_that_runs_out_in_mid_sale_leaves_each_batch_whole(engine: Engine, client: Redis) -> None:
    """Large batches one after the other until one finds the memory full: it may begin, and then ends as a whole."""
    await put_network(engine, {("x", "A"): 100_000})
    used = (await client.info("memory"))["used_memory"]
    await client.config_set("maxmemory", str(used + 2_000_000))
    told: dict[str, Reserved] = {}
    refused: list[str] = []
    number = 0
    while not refused:
        crowd = [
            order(f"o{number + place}", ("x", 1), metadata={f"k{at}": LARGE for at in range(5)})
            for place in range(CROWD)
        ]
        number += CROWD
        outcomes = await asyncio.wait_for(asyncio.gather(*(engine.reserve(one) for one in crowd)), WAIT_S)
        for one, outcome in zip(crowd, outcomes, strict=True):
            if isinstance(outcome, Reserved):
                told[one.order_id] = outcome
            # Large orders are slow: more of them may come than are let in.
            elif not isinstance(outcome, Overloaded):
                assert isinstance(outcome, Unavailable)
                assert outcome.certain
                refused.append(one.order_id)
    assert told
    await assert_balanced(engine, units_reserved=len(told))
    assert {allocation.order_id async for allocation, _ in engine.orders()} == told.keys()
    await client.config_set("maxmemory", "0")
    for order_id, outcome in told.items():
        assert await engine.order_json(order_id) == outcome.json
    reserved(await engine.reserve(order("after", ("x", 1))))


async def test_holds_that_end_while_memory_is_full_end_when_it_is_not(engine: Engine, client: Redis) -> None:
    """Giving back takes memory, too, for its event; until then the units stay held, and nobody is sold them twice."""
    await put_network(engine, {("x", "A"): 1})
    reserved(await engine.reserve(order("one", ("x", 1), payment="pending", hold_seconds=2)))
    await client.config_set("maxmemory", "1mb")
    orders = engine.store.partitions[0].orders
    # Due by now, and refused, not missing.
    await asyncio.sleep(2.1)
    with pytest.raises(StoreRefused):
        await orders.expire(10)
    (record,) = await orders.read(["one"])
    assert Record(record or b"").status == "reserved"
    await client.config_set("maxmemory", "0")
    async with asyncio.timeout(WAIT_S):
        while Record((await orders.read(["one"]))[0] or b"").status != "expired":
            await asyncio.sleep(0.02)
    reserved(await engine.reserve(order("two", ("x", 1))))
    await assert_balanced(engine, units_reserved=1)
