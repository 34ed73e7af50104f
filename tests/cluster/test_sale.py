"""The engine runs unchanged on a cluster of three primaries."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from engine import Engine, Settings, open_engine
from tests.cluster.books import assert_balanced
from tests.cluster.network import mixed_orders, promised, put_network, same, sell
from tests.cluster.nodes import ValkeyCluster

PARTITIONS = 6


@asynccontextmanager
async def engines_on(url: str, count: int = 2, **settings: object) -> AsyncIterator[list[Engine]]:
    """Engines of one store."""
    all_settings = {"partitions": PARTITIONS, "store_timeout_ms": 2_000, **settings}
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(open_engine(Settings(redis_url=url, **all_settings)))  # type: ignore[arg-type]
            for _ in range(count)
        ]


async def test_two_engines_sell_over_three_primaries(tmp_path: Path) -> None:
    """Most orders take from several partitions, and every unit has one buyer."""
    async with ValkeyCluster(tmp_path) as cluster, engines_on(cluster.url) as engines:
        await put_network(engines[0], 40)
        await engines[1].replica.load()
        outcomes = await sell(engines, mixed_orders(600, seed=1))
        told = promised(outcomes)
        records = await assert_balanced(engines[0])
        assert set(told) == set(records)
        assert 0 < len(told) < len(outcomes)
        for order_id, json in told.items():
            assert same(json, await engines[1].order_json(order_id))


async def test_single_server_with_three_partitions(empty_store_url: str) -> None:
    """What a cluster does, one server does as well."""
    async with engines_on(empty_store_url, partitions=3) as engines:
        await put_network(engines[0], 40)
        await engines[1].replica.load()
        told = promised(await sell(engines, mixed_orders(300, seed=2)))
        assert set(told) == set(await assert_balanced(engines[0]))
