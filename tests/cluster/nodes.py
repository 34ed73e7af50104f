"""A real Valkey or Redis Cluster on this machine, for tests to reshard, kill and fail over. Loads no functions.

Time limits everywhere; whoever exceeds one gets ClusterTrouble with what the nodes believe and how their logs end.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Self

from redis.crc import key_slot
from redis.exceptions import RedisError

from engine.store.binary import find_binary
from tests.cluster.node import NODE_TIMEOUT_MS, Node, node_options
from tests.cluster.process import HOST, POLL_S, PortTaken
from tests.cluster.topology import Member, Table

SLOTS = 16_384
AGREE_TIMEOUT_S = 40.0
FAIL_OVER_TRY_S = 7.0
"""A node gives a failover up after 5 s, and its peers vote once per shard in twice the node timeout: ask again."""

OLD_VOTES_S = 4 * NODE_TIMEOUT_MS / 1000 + 0.5
"""The age at which a node holds a new election rather than go by the votes of its last one."""

START_TRIES = 5
KEYS_PER_STEP = 1
KEYS_PER_STEP_MAX = 1_000
MIGRATE_TIMEOUT_MS = 5_000

BetweenSteps = Callable[[int], Awaitable[None]]
"""Awaited with the count of keys that were moved so far."""


class ClusterTrouble(Exception):
    """The cluster did not come to what was asked of it; says what its nodes believe and how their logs end."""


class ValkeyCluster:
    """`async with ValkeyCluster(folder) as cluster: cluster.url`. Three primaries share the slots evenly.

    `require_full_coverage` is off, unlike the server's default: partitions on living nodes then sell on while the
    primary of others is dead, which is what tests of one lost shard are about. Replicas stay with their shard.
    """

    def __init__(
        self,
        folder: Path,
        *,
        primaries: int = 3,
        replicas_per_primary: int = 0,
        require_full_coverage: bool = False,
        binary: Path | None = None,
    ) -> None:
        self.nodes: list[Node] = []
        """Primaries of the start first, in the order of their slots; then the replicas, shard by shard."""
        self._folder = folder
        self._primaries = primaries
        self._replicas_per_primary = replicas_per_primary
        self._binary = binary or find_binary()
        self._options = node_options(require_full_coverage=require_full_coverage)

    @property
    def url(self) -> str:
        """The first node's address."""
        return f"redis://{HOST}:{self.nodes[0].port}"

    async def __aenter__(self) -> Self:
        try:
            for number in range(self._primaries * (1 + self._replicas_per_primary)):
                self.nodes.append(await self._start_node(number))
            await self._form()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Kill all nodes and close the connections to them."""
        for node in self.nodes:
            await node.kill()
            await node.client.aclose()

    def slot_of(self, key: str | bytes) -> int:
        """The slot of a key, by its hash tag where it has one."""
        return key_slot(key.encode() if isinstance(key, str) else key)

    def shard_mates(self, node: Node) -> list[Node]:
        """The other nodes that began in a node's shard; of a node that began as primary, its replicas."""
        each = self._replicas_per_primary
        number = self.nodes.index(node)
        shard = number if number < self._primaries else (number - self._primaries) // each
        first = self._primaries + shard * each
        return [mate for mate in (self.nodes[shard], *self.nodes[first : first + each]) if mate is not node]

    async def owner_of(self, slot: int) -> Node:
        """The primary that owns the slot, once all running nodes agree; it may be dead and not replaced yet."""
        return self._node(next(member for member in (await self.agreed()).values() if member.owns(slot)))

    async def agreed(self, until: Callable[[Table], bool] = lambda _: True) -> Table:
        """Wait until all running nodes say cluster_state:ok, tell the same table, replicate, and `until` holds for it.

        Sets every node's `role`. Raises ClusterTrouble after AGREE_TIMEOUT_S.
        """
        table = await self._agreement(until, AGREE_TIMEOUT_S)
        if table is None:
            raise ClusterTrouble(f"No agreement within {AGREE_TIMEOUT_S:g} s. {await self._report()}")
        return table

    async def kill(self, node: Node) -> None:
        """kill -9 a node, and wait until its process is gone; not until the others know (see `replacement_of`)."""
        await node.kill()

    async def restart(self, node: Node) -> None:
        """Start a killed node on its files, and wait until all agree that it is back, in whatever role."""
        await node.start()
        await self.agreed()

    async def replacement_of(self, primary: Node) -> Node:
        """Wait until a replica has taken the killed or paused primary's place by itself, and all agree; returns it."""
        heirs = {node.node_id for node in self.shard_mates(primary)}
        table = await self.agreed(lambda table: any(table[heir].slots for heir in heirs))
        return next(self._node(table[heir]) for heir in heirs if table[heir].slots)

    async def fail_over(self, replica: Node, *, force: bool = False, takeover: bool = False) -> None:
        """Make a replica the primary of its shard, and wait until all agree.

        Plain: the primary waits until the replica has everything, so nothing is lost. `force`: for a dead primary,
        with the votes of the others. `takeover`: without votes. A node that was promoted in the last OLD_VOTES_S is
        left alone until then. Raises ClusterTrouble after AGREE_TIMEOUT_S, RedisError where the node refuses, as one
        whose primary is dead does without `force`.
        """
        how = ("TAKEOVER",) if takeover else ("FORCE",) if force else ()
        deadline = time.monotonic() + AGREE_TIMEOUT_S
        # Redis 7.0 counts the votes of a recent election again, and so splits the cluster: let it forget them first.
        await asyncio.sleep(replica.promoted_at_s + OLD_VOTES_S - time.monotonic())
        while True:
            if (await replica.info("replication"))["role"] != "master":
                await replica.cluster("FAILOVER", *how)
            if await self._agreement(lambda table: bool(table[replica.node_id].slots), FAIL_OVER_TRY_S) is not None:
                return
            if time.monotonic() > deadline:
                raise ClusterTrouble(f"Port {replica.port} is not promoted. {await self._report()}")

    async def move_slot(
        self, slot: int, to: Node, *, keys_per_step: int = KEYS_PER_STEP, between: BetweenSteps | None = None
    ) -> int:
        """Move a slot and its keys while clients use it; returns the number of keys moved.

        `between` is awaited once the slot is marked at both ends, and after every step: hold the move up there to use
        the slot while it is half moved. What it raises leaves the slot so; the same call again finishes the move.
        Raises ValueError on keys_per_step, RedisError where a node refuses a step.
        """
        if not 1 <= keys_per_step <= KEYS_PER_STEP_MAX:
            raise ValueError(f"keys_per_step is {keys_per_step}: give 1 to {KEYS_PER_STEP_MAX}")
        source = await self.owner_of(slot)
        if source is to:
            return 0
        await to.cluster("SETSLOT", slot, "IMPORTING", source.node_id)
        await source.cluster("SETSLOT", slot, "MIGRATING", to.node_id)
        moved = 0
        while True:
            if between is not None:
                await between(moved)
            keys = await source.cluster("GETKEYSINSLOT", slot, keys_per_step)
            if not keys:
                break
            await source.client.execute_command("MIGRATE", HOST, to.port, "", 0, MIGRATE_TIMEOUT_MS, "KEYS", *keys)
            moved += len(keys)
        # The new owner first: at no moment does nobody own the slot.
        primaries = [node for node in self.nodes if node.running and node.role == "primary"]
        for node in sorted(primaries, key=lambda node: (node is not to, node is not source)):
            await node.cluster("SETSLOT", slot, "NODE", to.node_id)
        await self.agreed(lambda table: table[to.node_id].owns(slot))
        return moved

    async def _start_node(self, number: int) -> Node:
        for _ in range(START_TRIES):
            node = Node(self._binary, self._folder / f"node{number}", self._options)
            try:
                await node.start()
            except PortTaken:
                await node.client.aclose()
                continue
            except BaseException:
                await node.kill()
                raise
            node.node_id = (await node.cluster("MYID")).decode()
            return node
        raise ClusterTrouble(f"Others took the ports of node {number} {START_TRIES} times: see who listens there.")

    async def _form(self) -> None:
        primaries = self.nodes[: self._primaries]
        for number, node in enumerate(primaries):
            first, after = (SLOTS * edge // self._primaries for edge in (number, number + 1))
            await node.cluster("ADDSLOTSRANGE", first, after - 1)
        for number, node in enumerate(self.nodes):
            # Else all begin in one epoch, and settle by collisions which of two claims of a slot is the newer.
            await node.cluster("SET-CONFIG-EPOCH", number + 1)
        for node in self.nodes[1:]:
            first_node = self.nodes[0]
            await node.cluster("MEET", HOST, first_node.port, first_node.bus_port)
        await self.agreed()
        for primary in primaries:
            for replica in self.shard_mates(primary):
                await replica.cluster("REPLICATE", primary.node_id)
        await self.agreed(lambda table: sum(member.role == "primary" for member in table.values()) == len(primaries))

    async def _agreement(self, until: Callable[[Table], bool], within_s: float) -> Table | None:
        deadline = time.monotonic() + within_s
        while (table := await self._common_table()) is None or not until(table):
            if time.monotonic() > deadline:
                return None
            await asyncio.sleep(POLL_S)
        for node in self.nodes:
            node.become(table[node.node_id].role)
        return table

    async def _common_table(self) -> Table | None:
        running = [node for node in self.nodes if node.running]
        try:
            tables = [await node.own_table() for node in running]
        except RedisError:
            return None
        first = tables[0]
        if first is None or any(table != first for table in tables) or len(first) != len(self.nodes):
            return None
        return None if any(first[node.node_id].failed for node in running) else first

    def _node(self, member: Member) -> Node:
        return next(node for node in self.nodes if node.node_id == member.node_id)

    async def _report(self) -> str:
        parts = []
        for node in self.nodes:
            parts.append(
                f"Node {node.node_id} on port {node.port} {'believes' if node.running else 'is dead or paused'}:"
            )
            if node.running:
                try:
                    parts.append((await node.cluster("NODES")).decode())
                except RedisError as error:
                    parts.append(f"does not answer ({error})")
            parts.append(f"its log ends:\n{node.log_tail()}")
        return "\n".join(parts)
