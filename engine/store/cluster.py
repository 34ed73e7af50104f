"""Which node of a cluster serves which slot: learned from its nodes, corrected by redirections. Sends no call itself.

Nodes that disagree are nothing strange while one is being replaced: the one that is in touch with the majority and has
heard of the latest election is believed. A map that is wrong all the same costs a redirection, or a call that fails and
has the map read anew.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from engine.errors import StoreUnavailable
from engine.store.endpoints import address_of, with_address
from engine.store.errors import StoreRefused
from engine.store.node import Node

SLOTS = 16_384

LOOK_S_MAX = 1.0
"""How long a node may take to say what it knows: a dead one must not hold up those that live."""

Address = tuple[str, int]


class Table(NamedTuple):
    """What one node says: the primary of each slot (None: nobody's), and how far it is to be believed."""

    trust: tuple[bool, int]
    owners: list[Address | None]


class Cluster:
    """The nodes of one cluster, and the primary of every slot."""

    def __init__(self, start_urls: Sequence[str], *, timeout_s: float, replica_wait_s: float) -> None:
        self._start_urls = tuple(start_urls)
        self._timeout_s = timeout_s
        self._replica_wait_s = replica_wait_s
        self._owners: list[Address | None] = [None] * SLOTS
        self._nodes: dict[Address, Node] = {}
        self._doubtful = True
        self._looking = asyncio.Lock()

    async def close(self) -> None:
        """Close all connections."""
        for node in self._nodes.values():
            await node.close()

    def doubt(self) -> None:
        """Have the map read anew before the next call."""
        self._doubtful = True

    def moved(self, slot: int, address: Address) -> Node:
        """A node said who serves a slot."""
        self._owners[slot] = address
        return self.node(address)

    def node(self, address: Address) -> Node:
        """The node at an address."""
        node = self._nodes.get(address)
        if node is None:
            host, port = address
            url = with_address(self._start_urls[0], host, port)
            node = Node(url, timeout_s=self._timeout_s, replica_wait_s=self._replica_wait_s)
            self._nodes[address] = node
        return node

    async def primary_of(self, slot: int) -> Node:
        """The node that serves a slot. Raises StoreUnavailable, or StoreRefused where nobody does."""
        if self._doubtful:
            await self.look()
        address = self._owners[slot]
        if address is None:
            raise StoreRefused(f"No node of the cluster serves slot {slot}: see CLUSTER NODES, and give it to one.")
        return self.node(address)

    async def primaries(self) -> list[Node]:
        """All nodes that serve slots. Raises StoreUnavailable."""
        if self._doubtful:
            await self.look()
        addresses = {address for address in self._owners if address is not None}
        return [self.node(address) for address in sorted(addresses)]

    async def look(self) -> None:
        """Ask all nodes that are known, and believe the best informed. Raises StoreUnavailable when none answers."""
        async with self._looking:
            if not self._doubtful:
                return
            self._doubtful = False
            urls = {address_of(url): url for url in self._start_urls}
            for address in self._nodes:
                urls.setdefault(address, with_address(self._start_urls[0], *address))
            looks = await asyncio.gather(*(_look(url, self._look_s) for url in urls.values()), return_exceptions=True)
            tables = [look for look in looks if isinstance(look, Table)]
            if not tables:
                self._doubtful = True
                reasons = ", ".join(
                    f"{host}:{port} ({look or type(look).__name__})"
                    for (host, port), look in zip(urls, looks, strict=True)
                )
                raise StoreUnavailable(f"No node of the cluster answers: {reasons}.")
            self._owners = list(max(tables, key=lambda table: table.trust).owners)
            await self._drop_strangers()

    @property
    def _look_s(self) -> float:
        return min(LOOK_S_MAX, self._timeout_s)

    async def _drop_strangers(self) -> None:
        known = set(self._owners)
        for address in [address for address, node in self._nodes.items() if address not in known and not node.calls]:
            await self._nodes.pop(address).close()


async def _look(url: str, timeout_s: float) -> Table:
    async with asyncio.timeout(timeout_s):
        client = Redis.from_url(url, protocol=2, socket_connect_timeout=timeout_s, retry=Retry(NoBackoff(), 0))
        try:
            return await read_table(client, address_of(url))
        finally:
            await client.aclose()


async def read_table(client: Redis, asked: Address) -> Table:
    """What a node says. Raises RedisError."""
    info = await client.execute_command("CLUSTER", "INFO")
    fields = dict(line.split(":", 1) for line in _text(info).splitlines() if ":" in line)
    trust = fields.get("cluster_state") == "ok", int(fields.get("cluster_current_epoch", 0))
    return Table(trust, _owners(await client.execute_command("CLUSTER", "SLOTS"), asked))


def _owners(ranges: Any, asked: Address) -> list[Address | None]:
    owners: list[Address | None] = [None] * SLOTS
    for first, last, primary, *_ in ranges:
        host = _text(primary[0] or b"")
        # A node that does not know its own name, or shall not tell: it is where it was asked.
        address = (host if host not in ("", "?") else asked[0], int(primary[1]))
        owners[first : last + 1] = [address] * (last - first + 1)
    return owners


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
