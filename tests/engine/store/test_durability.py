"""What the store promises, read off real servers with real settings."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from engine.errors import StoreUnavailable, StoreUnsupported
from engine.store.binary import find_binary
from engine.store.durability import describe, describe_store
from engine.store.server import EmbeddedServer


@pytest.fixture
async def server() -> AsyncIterator[EmbeddedServer]:
    with tempfile.TemporaryDirectory(prefix="stockade-") as path:
        async with EmbeddedServer(find_binary(), Path(path)) as server:
            yield server


@pytest.fixture
async def client(server: EmbeddedServer) -> AsyncIterator[Redis]:
    async with Redis.from_url(server.url) as client:
        yield client


async def test_embedded_store_keeps_every_promise(client: Redis) -> None:
    """What we start ourselves must need no advice."""
    description = await describe_store(client)
    assert description.durable == description.appendfsync == "always"
    assert description.appendonly
    assert description.advice == ()
    assert (description.mode, description.role) == ("standalone", "primary")
    assert (description.maxmemory, description.maxmemory_policy) == (0, "noeviction")
    assert description.used_memory > 0
    assert int(description.version.split(".")[0]) >= 7


async def test_each_setting_that_breaks_a_promise_gets_advice(client: Redis) -> None:
    """An operator reads it, so it says what is lost and which command mends it."""
    await client.config_set("appendfsync", "everysec")
    await client.config_set("maxmemory-policy", "allkeys-lru")
    await client.config_set("maxmemory", 100_000_000)
    description = await describe_store(client)
    assert description.durable == "everysec"
    assert description.maxmemory == 100_000_000
    fsync, eviction = description.advice
    assert "2 seconds" in fsync
    assert "appendfsync always" in fsync
    assert "allkeys-lru" in eviction
    assert "noeviction" in eviction


async def test_fsync_that_pauses_for_a_rewrite_is_none(client: Redis) -> None:
    """`always` is not always with no-appendfsync-on-rewrite."""
    await client.config_set("no-appendfsync-on-rewrite", "yes")
    description = await describe_store(client)
    assert (description.appendfsync, description.durable) == ("always", "no")
    assert "no-appendfsync-on-rewrite no" in description.advice[0]


async def test_store_without_append_only_file_is_not_durable(client: Redis) -> None:
    """The way most caches are set up."""
    await client.config_set("appendonly", "no")
    description = await describe_store(client)
    assert (description.appendonly, description.durable) == (False, "none")
    assert "appendonly yes" in description.advice[0]


async def test_refused_config_is_unknown_not_an_error(client: Redis, server: EmbeddedServer) -> None:
    """Managed services forbid CONFIG."""
    await client.acl_setuser("clerk", enabled=True, nopass=True, keys=["*"], categories=["+@all"], commands=["-config"])
    async with Redis(unix_socket_path=str(server.socket), username="clerk", password="any") as clerk:
        description = await describe_store(clerk)
    assert (description.durable, description.appendfsync) == ("unknown", None)
    assert "CONFIG GET is refused" in description.advice[0]


async def test_replica_is_told_to_use_its_primary(client: Redis) -> None:
    """It refuses every write, and what it shows is late."""
    await client.replicaof("127.0.0.1", "1")
    description = await describe_store(client)
    assert description.role == "replica"
    assert "primary" in description.advice[0]


async def test_old_redis_is_refused(client: Redis) -> None:
    """Before 7.0 there are no function libraries. Valkey names an old redis_version and is none the less new enough."""
    info = await client.info()
    old = {name: value for name, value in info.items() if name != "valkey_version"} | {"redis_version": "6.2.14"}
    with pytest.raises(StoreUnsupported, match=r"6\.2\.14"):
        describe(old, {})
    assert describe(old | {"redis_version": "7.0.0"}, {}).product == "redis"
    assert describe(old | {"valkey_version": "8.0.1"}, {}).product == "valkey"


async def test_unreachable_store_is_unavailable(client: Redis, server: EmbeddedServer) -> None:
    """The caller meets our error, not the driver's."""
    await server.stop()
    with pytest.raises(StoreUnavailable, match="INFO"):
        await describe_store(client)
