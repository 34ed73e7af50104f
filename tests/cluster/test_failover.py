"""Primaries die, stall and are replaced while orders are taken: what was acknowledged is there, or is reported lost.

STOCKADE_CLUSTER_ROUNDS repeats what hangs on moments, with other orders each time.
"""

import asyncio
import os
from pathlib import Path

import pytest

from engine import Engine
from tests.cluster.books import assert_balanced
from tests.cluster.network import mixed_orders, promised, put_network, same, sell
from tests.cluster.node import Node
from tests.cluster.nodes import ValkeyCluster
from tests.cluster.test_moves import sell_during
from tests.cluster.test_sale import engines_on

ROUNDS = int(os.environ.get("STOCKADE_CLUSTER_ROUNDS", "1"))
PLENTY = 10_000


async def cut_off(primary: Node) -> None:
    """End a primary's replication for good: what it acknowledges from here on no replica has."""
    await primary.client.execute_command("ACL", "SETUSER", "default", "-psync", "-sync")
    await primary.client.execute_command("CLIENT", "KILL", "TYPE", "replica")
    assert (await primary.info("replication"))["connected_slaves"] == 0


async def busiest(cluster: ValkeyCluster) -> Node:
    """The primary that has several partitions."""
    return await cluster.owner_of(cluster.slot_of("p4"))


async def assert_kept_or_reported(engines: list[Engine], told: dict[str, bytes]) -> set[str]:
    """Every order that a caller was told of is there as told, or named as lost; returns those lost."""
    lost = {order_id for engine in engines for order_id in engine.lost_orders.ids}
    records = await assert_balanced(engines[0])
    assert told.keys() - lost <= records.keys()
    for order_id in told.keys() - lost:
        assert same(told[order_id], await engines[-1].order_json(order_id))
    assert {order_id for order_id, record in records.items() if record.holds_stock} <= told.keys() - lost
    return lost


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_killed_primary_whose_replica_lags(tmp_path: Path, number: int) -> None:
    """What only the dead one had is sold again by the same shipments, before anything else."""
    async with ValkeyCluster(tmp_path, replicas_per_primary=1) as cluster, engines_on(cluster.url) as engines:
        await put_network(engines[0], PLENTY)
        await engines[1].replica.load()
        told = promised(await sell(engines, mixed_orders(100, seed=number, name="before")))
        primary = await busiest(cluster)
        await cut_off(primary)
        told |= promised(await sell(engines, mixed_orders(100, seed=number + 1, name="lost")))

        async def fail() -> None:
            await cluster.kill(primary)
            await cluster.replacement_of(primary)

        told |= await sell_during(engines, asyncio.create_task(fail()), seed=300 + 10 * number)
        woken = {}
        for index, engine in enumerate(engines):
            woken |= promised(await sell([engine], mixed_orders(40, seed=9, name=f"wake{index}-")))
        assert await assert_kept_or_reported(engines, told | woken) == set()


async def test_killed_primary_loses_nothing_that_a_replica_has_acknowledged(tmp_path: Path) -> None:
    """With replicas_acked_min callers wait until there is a replica again, and nothing needs to be restored."""
    async with (
        ValkeyCluster(tmp_path, replicas_per_primary=1) as cluster,
        engines_on(cluster.url, replicas_acked_min=1, replica_wait_ms=300, reconcile_orders_max=0) as engines,
    ):
        await put_network(engines[0], PLENTY)
        await engines[1].replica.load()
        told = promised(await sell(engines, mixed_orders(100, seed=1, name="before")))
        primary = await busiest(cluster)

        async def fail() -> None:
            await cut_off(primary)
            await asyncio.sleep(0.5)
            await cluster.kill(primary)
            await cluster.replacement_of(primary)
            await cluster.restart(primary)

        told |= await sell_during(engines, asyncio.create_task(fail()), seed=400)
        assert await assert_kept_or_reported(engines, told) == set()


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_stalled_primary_that_comes_back_as_one(tmp_path: Path, number: int) -> None:
    """It has been replaced, and does not know yet."""
    async with ValkeyCluster(tmp_path, replicas_per_primary=1) as cluster, engines_on(cluster.url) as engines:
        await put_network(engines[0], PLENTY)
        await engines[1].replica.load()
        primary = await busiest(cluster)

        async def stall() -> None:
            primary.pause()
            await cluster.replacement_of(primary)
            primary.resume()
            await cluster.agreed()

        told = await sell_during(engines, asyncio.create_task(stall()), seed=500 + 10 * number)
        await assert_kept_or_reported(engines, told)


async def test_orderly_failover_and_lost_functions(tmp_path: Path) -> None:
    """The new primary has everything, and then, as one that somebody tidied up, no function library."""
    async with ValkeyCluster(tmp_path, replicas_per_primary=1) as cluster, engines_on(cluster.url) as engines:
        await put_network(engines[0], PLENTY)
        await engines[1].replica.load()
        primary = await busiest(cluster)
        (replica,) = cluster.shard_mates(primary)

        async def hand_over() -> None:
            await cluster.fail_over(replica)
            await replica.client.execute_command("FUNCTION", "FLUSH")

        told = await sell_during(engines, asyncio.create_task(hand_over()), seed=600)
        assert await assert_kept_or_reported(engines, told) == set()


async def test_scarce_stock_is_not_sold_twice_by_a_failover(tmp_path: Path) -> None:
    """Who was acknowledged by the dead primary and who buys from its replica want the same last units."""
    async with ValkeyCluster(tmp_path, replicas_per_primary=1) as cluster, engines_on(cluster.url) as engines:
        await put_network(engines[0], 10)
        await engines[1].replica.load()
        primary = await busiest(cluster)
        await cut_off(primary)
        told = promised(await sell(engines, mixed_orders(60, seed=1, name="lost")))
        await cluster.kill(primary)
        await cluster.replacement_of(primary)
        told |= promised(await sell(engines, mixed_orders(300, seed=2, name="after")))
        await assert_kept_or_reported(engines, told)
