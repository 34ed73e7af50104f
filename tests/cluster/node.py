"""One cluster node and what it says of the cluster. Asks this node alone; compares nothing."""

import math
import time
from typing import Any

from redis.asyncio import Redis

from tests.cluster.process import HOST, NodeProcess
from tests.cluster.topology import Role, Table, read_table

NODE_TIMEOUT_MS = 1_500
"""Silence after which nodes suspect one of them; a dead primary is replaced after one to three times this."""


class Node(NodeProcess):
    """A node, with its `node_id` and the `role` that the cluster last agreed on.

    `promoted_at_s` is the monotonic time at which a promotion was last noticed; minus infinity before the first.
    """

    node_id: str = ""
    role: Role = "primary"
    promoted_at_s: float = -math.inf

    def become(self, role: Role) -> None:
        """Note the role that the cluster has agreed on."""
        if self.role == "replica" and role == "primary":
            self.promoted_at_s = time.monotonic()
        self.role = role

    async def cluster(self, *args: str | int) -> bytes:
        """The reply of this node to CLUSTER `args`. Raises RedisError."""
        reply: bytes = await self.client.execute_command("CLUSTER", *args)
        return reply

    async def info(self, section: str) -> dict[str, Any]:
        """A section of INFO, by field. Raises RedisError."""
        client: Redis = self.client
        fields: dict[str, Any] = await client.info(section)
        return fields

    async def own_table(self) -> Table | None:
        """Its own table of the cluster; None where it is not well: its state is not ok, or it lost its primary.

        Raises RedisError.
        """
        if b"cluster_state:ok" not in await self.cluster("INFO"):
            return None
        table = read_table(await self.cluster("NODES"))
        own = table[self.node_id]
        if own.role == "replica" and own.primary_id in table and not table[own.primary_id].failed:
            replication = await self.info("replication")
            if replication.get("master_link_status") != "up":
                return None
        return table


def node_options(*, require_full_coverage: bool) -> dict[str, str]:
    """The server's options that all nodes share, by name; known to Redis 7.0 and to Valkey."""
    return {
        "bind": HOST,
        "cluster-enabled": "yes",
        "cluster-announce-ip": HOST,
        "cluster-node-timeout": str(NODE_TIMEOUT_MS),
        "cluster-require-full-coverage": "yes" if require_full_coverage else "no",
        # Else a replica leaves for the shard that lacks one, or a primary for the one that took its last slot.
        "cluster-allow-replica-migration": "no",
        "repl-diskless-sync-delay": "0",
        "save": "",
        "appendonly": "yes",
        "appendfsync": "always",
    }
