"""How a service finds a cluster, and what it says of it."""

from pathlib import Path

import pytest
from redis.asyncio import Redis

from engine import Settings, open_engine
from engine.errors import InvalidInput, StoreUnavailable
from engine.store.binary import find_binary
from engine.store.server import EmbeddedServer
from tests.cluster.network import mixed_orders, promised, put_network, sell
from tests.cluster.nodes import ValkeyCluster
from tests.cluster.process import HOST, free_ports
from tests.cluster.test_sale import engines_on


async def test_service_starts_by_any_node_and_describes_all(tmp_path: Path) -> None:
    """One start address may be dead; advice names the nodes that it is about."""
    (dead,) = free_ports(1)
    async with ValkeyCluster(tmp_path) as cluster:
        first, second, third = cluster.nodes
        await third.client.config_set("appendfsync", "everysec")
        await first.client.config_set("cluster-require-full-coverage", "yes")
        url = f"redis://{HOST}:{dead},{HOST}:{second.port}"
        async with engines_on(url, count=1) as (engine,):
            await put_network(engine, 100)
            assert promised(await sell([engine], mixed_orders(20, seed=1)))
            found = await engine.describe_store()
        assert (found.mode, found.role, found.durable) == ("cluster", "primary", "everysec")
        assert (found.primaries, found.replicas) == (3, 0)
        fsync, bare, coverage = found.advice
        assert fsync.startswith(f"{HOST}:{third.port}: ")
        assert "appendfsync always" in fsync
        assert all(str(node.port) in bare for node in cluster.nodes)
        assert "cluster-require-full-coverage no" in coverage
        with pytest.raises(InvalidInput, match="only 0"):
            async with open_engine(Settings(redis_url=f"{cluster.url}/1")):
                pass
    with pytest.raises(StoreUnavailable):
        async with open_engine(Settings(redis_url=url)):
            pass


async def test_several_addresses_of_no_cluster_are_refused(tmp_path: Path) -> None:
    """Two stores would each sell the same stock."""
    (port, dead) = free_ports(2)
    async with EmbeddedServer(find_binary(), tmp_path) as server:
        async with Redis.from_url(server.url) as client:
            await client.config_set("port", port)
        with pytest.raises(InvalidInput, match="no cluster"):
            async with open_engine(Settings(redis_url=f"redis://{HOST}:{dead},{HOST}:{port}")):
                pass
