"""The harness keeps its word: what it says of a cluster is so, and nothing of it outlives the test."""

import asyncio
import signal
import socket
import subprocess
import sys
from pathlib import Path

from redis.asyncio.cluster import RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from tests.cluster.nodes import SLOTS, ValkeyCluster
from tests.cluster.process import HOST

ORPHAN_WAIT_S = 20

KEYS = [f"{{tag}}:{number}" for number in range(3)]

ABANDONED = """
import asyncio, os, pathlib, signal, sys
from tests.cluster.nodes import ValkeyCluster

async def main():
    async with ValkeyCluster(pathlib.Path(sys.argv[1]), primaries=1) as cluster:
        print(cluster.nodes[0].port, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


def routing_client(cluster: ValkeyCluster) -> RedisCluster:
    """A client that follows redirections, with one connection a node, and sends nothing twice."""
    return RedisCluster.from_url(cluster.url, protocol=2, retry=Retry(NoBackoff(), 0), max_connections=1)


def listens(port: int) -> bool:
    """Whether anybody takes connections there."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


async def test_every_slot_has_one_primary_that_serves_it(tmp_path: Path) -> None:
    """All nodes agree, and a client that knows the first node only reaches all of them."""
    async with ValkeyCluster(tmp_path) as cluster, routing_client(cluster) as client:
        table = await cluster.agreed()
        owned = [slot for member in table.values() for first, last in member.slots for slot in range(first, last + 1)]
        assert sorted(owned) == list(range(SLOTS))
        assert [node.role for node in cluster.nodes] == ["primary"] * 3
        for number in range(30):
            await client.set(f"key{number}", number)
        assert sum([await node.client.dbsize() for node in cluster.nodes]) == 30
        for number in range(30):
            owner = await cluster.owner_of(cluster.slot_of(f"key{number}"))
            assert await owner.client.get(f"key{number}") == b"%d" % number


async def test_keys_stay_readable_while_their_slot_moves(tmp_path: Path) -> None:
    """At every step of the move a client finds every key, wherever it is by then."""
    async with ValkeyCluster(tmp_path) as cluster, routing_client(cluster) as client:
        slot = cluster.slot_of("tag")
        source = await cluster.owner_of(slot)
        target = next(node for node in cluster.nodes if node is not source)
        for key in KEYS:
            await client.set(key, key)
        steps: list[tuple[int, int, int]] = []

        async def read_all(moved: int) -> None:
            assert [await client.get(key) for key in KEYS] == [key.encode() for key in KEYS]
            steps.append((moved, await source.client.dbsize(), await target.client.dbsize()))

        assert await cluster.move_slot(slot, target, between=read_all) == len(KEYS)
        assert steps == [(0, 3, 0), (1, 2, 1), (2, 1, 2), (3, 0, 3)]
        assert await cluster.owner_of(slot) is target
        await read_all(len(KEYS))
        assert await cluster.move_slot(slot, target) == 0


async def test_killed_primary_is_replaced_by_its_replica_and_comes_back_as_one(tmp_path: Path) -> None:
    """What the replica had acknowledged is there afterwards; orderly failover then gives the place back."""
    async with ValkeyCluster(tmp_path, replicas_per_primary=1) as cluster:
        first = cluster.nodes[0]
        (replica,) = cluster.shard_mates(first)
        key = next(f"key{number}" for number in range(SLOTS) if cluster.slot_of(f"key{number}") < SLOTS // 3)
        await first.client.set(key, "kept")
        assert await first.client.wait(1, 5000) == 1
        await cluster.kill(first)
        assert await cluster.replacement_of(first) is replica
        assert await cluster.owner_of(cluster.slot_of(key)) is replica
        assert await replica.client.get(key) == b"kept"
        await cluster.restart(first)
        assert (first.role, replica.role) == ("replica", "primary")
        await cluster.fail_over(first)
        assert (first.role, replica.role) == ("primary", "replica")
        assert await first.client.get(key) == b"kept"


async def test_failover_by_force_needs_no_primary(tmp_path: Path) -> None:
    """Be it with the votes of the other primaries, be it without asking them."""
    async with ValkeyCluster(tmp_path, replicas_per_primary=1) as cluster:
        first, second, _ = cluster.nodes[:3]
        await cluster.kill(first)
        await cluster.fail_over(cluster.shard_mates(first)[0], force=True)
        await cluster.kill(second)
        await cluster.fail_over(cluster.shard_mates(second)[0], takeover=True)
        assert [node.role for node in cluster.nodes if node.alive] == ["primary", "primary", "primary", "replica"]


async def test_nothing_runs_after_exit(tmp_path: Path) -> None:
    """A node that hangs is ended too."""
    async with ValkeyCluster(tmp_path, primaries=1) as cluster:
        (node,) = cluster.nodes
        assert listens(node.port)
        node.pause()
        assert node.alive
    assert not node.alive
    assert not listens(node.port)


async def test_nodes_end_with_the_test_process(tmp_path: Path) -> None:
    """Also with one that was killed, and so closed nothing."""
    abandoned = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", ABANDONED, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert abandoned.returncode == -signal.SIGKILL, abandoned.stderr
    port = int(abandoned.stdout)
    async with asyncio.timeout(ORPHAN_WAIT_S):
        while listens(port):
            await asyncio.sleep(0.05)
