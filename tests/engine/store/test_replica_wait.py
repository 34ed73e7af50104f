"""Changes that must be on replicas are not acknowledged without them, and what was done is found by the next try."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from engine import Settings, open_engine
from engine.errors import StoreUnavailable
from engine.intake import Unavailable
from engine.store.binary import find_binary
from engine.store.server import EmbeddedServer
from tests.cluster.process import HOST, free_ports
from tests.engine.small_network import order, put_network, reserved

WAIT_MS = 100
CAUGHT_UP_S = 20.0


@pytest.fixture
async def replica() -> AsyncIterator[EmbeddedServer]:
    """A second server, that follows nobody yet."""
    with tempfile.TemporaryDirectory(prefix="stockade-") as path:
        async with EmbeddedServer(find_binary(), Path(path)) as server:
            yield server


async def test_nothing_is_acknowledged_without_a_replica(empty_store_url: str) -> None:
    """The change is there all the same: whether it was done is unknown, and the caller hears just that."""
    async with open_engine(Settings(redis_url=empty_store_url)) as engine:
        await put_network(engine, {("x", "A"): 5})
    demanding = Settings(redis_url=empty_store_url, replicas_acked_min=1, replica_wait_ms=WAIT_MS)
    async with open_engine(demanding) as engine:
        outcome = await engine.reserve(order("o", ("x", 1)))
        assert isinstance(outcome, Unavailable)
        assert not outcome.certain
        assert "0 replicas" in outcome.detail
        with pytest.raises(StoreUnavailable, match="STOCKADE_REPLICAS_ACKED_MIN"):
            await engine.put_skus([])
        (advice,) = (await engine.describe_store()).advice
        assert "no order can be acknowledged" in advice
    async with open_engine(Settings(redis_url=empty_store_url)) as engine:
        assert reserved(await engine.reserve(order("o", ("x", 1)))).replayed


async def test_acknowledged_change_is_on_the_replica(replica: EmbeddedServer) -> None:
    """At once; and advice asks for that where there are replicas, and nobody waits for them."""
    with tempfile.TemporaryDirectory(prefix="stockade-") as path:
        async with (
            EmbeddedServer(find_binary(), Path(path)) as primary,
            Redis.from_url(primary.url) as first,
            Redis.from_url(replica.url) as second,
        ):
            await follow(first, second)
            settings = Settings(redis_url=primary.url, replicas_acked_min=1, replica_wait_ms=5_000)
            async with open_engine(settings) as engine:
                await put_network(engine, {("x", "A"): 50})
                for number in range(20):
                    reserved(await engine.reserve(order(f"o{number}", ("x", 1))))
                    assert await second.hexists("stockade:{p0}:orders", f"o{number}")
                description = await engine.describe_store()
                assert (description.replicas, description.advice) == (1, ())
            async with open_engine(Settings(redis_url=primary.url)) as engine:
                (advice,) = (await engine.describe_store()).advice
                assert "STOCKADE_REPLICAS_ACKED_MIN=1" in advice


async def follow(first: Redis, second: Redis) -> None:
    """Make the second server a replica of the first, and wait until it has caught up."""
    (port,) = free_ports(1)
    await first.config_set("port", port)
    await second.execute_command("REPLICAOF", HOST, port)
    async with asyncio.timeout(CAUGHT_UP_S):
        while (await second.info("replication"))["master_link_status"] != "up":
            await asyncio.sleep(0.02)
