"""Slots move while orders are taken: nothing is sold twice, nothing acknowledged is lost, and it ends by itself."""

import asyncio
from pathlib import Path

import pytest
from redis.exceptions import ResponseError

from engine import Engine
from tests.cluster.books import assert_balanced
from tests.cluster.network import mixed_orders, promised, put_network, same, sell
from tests.cluster.node import Node
from tests.cluster.nodes import ValkeyCluster
from tests.cluster.test_sale import PARTITIONS, engines_on

MOVE_S = 20.0


async def sell_during(engines: list[Engine], work: asyncio.Task[None], *, seed: int) -> dict[str, bytes]:
    """Sell until the work is done, and a batch more after it; what callers were told."""
    told: dict[str, bytes] = {}
    rounds = 0
    while True:
        last = work.done()
        orders = mixed_orders(60, seed=seed + rounds, name=f"r{rounds}-")
        told |= promised(await sell(engines, orders))
        rounds += 1
        if last:
            await work
            return told


async def assert_kept(engines: list[Engine], told: dict[str, bytes]) -> None:
    """Everything that callers were told is so, and nothing else is."""
    records = await assert_balanced(engines[0])
    assert set(told) == set(records)
    for order_id, json in told.items():
        assert same(json, await engines[-1].order_json(order_id))


async def other_primary(cluster: ValkeyCluster, slot: int) -> Node:
    """A primary that does not own a slot."""
    owner = await cluster.owner_of(slot)
    return next(node for node in cluster.nodes if node.role == "primary" and node is not owner)


async def test_slots_move_key_by_key_in_mid_sale(tmp_path: Path) -> None:
    """A partition's slot, half moved for a while, and that of the catalogue."""
    async with ValkeyCluster(tmp_path) as cluster, engines_on(cluster.url) as engines:
        await put_network(engines[0], 10_000)
        await engines[1].replica.load()

        async def pause(_: int) -> None:
            await asyncio.sleep(0.02)

        async def move() -> None:
            for tag in ("p0", "catalogue", "p1"):
                slot = cluster.slot_of(tag)
                await cluster.move_slot(slot, await other_primary(cluster, slot), between=pause)

        told = await sell_during(engines, asyncio.create_task(move()), seed=100)
        assert told
        await assert_kept(engines, told)


async def test_slots_move_at_once_in_mid_sale(tmp_path: Path) -> None:
    """The other way, where the server knows it: all keys of the slot change hands in one step."""
    async with ValkeyCluster(tmp_path) as cluster, engines_on(cluster.url) as engines:
        await put_network(engines[0], 10_000)
        await engines[1].replica.load()

        async def move() -> None:
            for number in range(PARTITIONS):
                slot = cluster.slot_of(f"p{number}")
                source, target = await cluster.owner_of(slot), await other_primary(cluster, slot)
                await source.cluster("MIGRATESLOTS", "SLOTSRANGE", slot, slot, "NODE", target.node_id)
                async with asyncio.timeout(MOVE_S):
                    await cluster.agreed(lambda table, slot=slot, to=target: table[to.node_id].owns(slot))  # type: ignore[misc]

        try:
            await cluster.nodes[0].cluster("GETSLOTMIGRATIONS")
        except ResponseError:
            pytest.skip("this server moves slots key by key only")
        told = await sell_during(engines, asyncio.create_task(move()), seed=200)
        assert told
        await assert_kept(engines, told)
