"""The connections to the store, and one call over them: to the one server, or to the node that serves the call's slot.

Knows of keys only their slots. Raises StoreUnavailable when the outcome is not known (the connection broke, too few
replicas have it), StoreRefused when certainly nothing was done, StoreChanged when the store behind the address is
another than the one that was opened. What may have been done is never sent again from here.
"""

import asyncio
from typing import Any, NamedTuple

from redis.crc import key_slot
from redis.exceptions import AskError, MovedError, RedisError, ResponseError, TryAgainError

from engine.errors import FieldError, InvalidInput, StoreUnavailable
from engine.store.cluster import Address, Cluster
from engine.store.durability import StoreDescription, describe_store
from engine.store.endpoints import address_of, database_of, start_urls, with_address
from engine.store.errors import store_errors
from engine.store.library import is_missing_function
from engine.store.node import FEED_BLOCK_MS_MAX, Lane, Node
from engine.store.survey import describe_cluster

__all__ = ["FEED_BLOCK_MS_MAX", "Lane", "Served", "Wire"]

REDIRECTS_MAX = 5
"""Nodes that a call is sent to, one after the other: two are common while a slot moves, more a cluster at odds."""

HALF_MOVED_POLL_S = 0.01
"""How often a call is tried again that needs all keys of a slot of which some have moved."""

_KEY_IS_SECOND = ("XGROUP", "XINFO", "OBJECT", "MEMORY")


class Served(NamedTuple):
    """A reply and the name of the node that gave it: what follows on from it may make no sense to another one."""

    reply: Any
    by: str


class Wire:
    """Connections to one store."""

    def __init__(
        self, url: str, *, timeout_s: float, replicas_acked_min: int = 0, replica_wait_ms: int = 1_000
    ) -> None:
        """With `replicas_acked_min`, a change is done when so many replicas have it, within `replica_wait_ms`."""
        self.url = url
        self._urls = start_urls(url)
        self._timeout_s = timeout_s
        self._replicas_acked_min = replicas_acked_min
        self._replica_wait_ms = replica_wait_ms
        self._replica_wait_s = replica_wait_ms / 1000 if replicas_acked_min else 0.0
        self._single = self._node(self._urls[0])
        """The one server; of a cluster that is known as one, nobody."""
        self._cluster: Cluster | None = None
        self._slots_called: set[int] = set()

    @property
    def waits_for_replicas(self) -> bool:
        """Whether a change is done only when replicas have it."""
        return self._replicas_acked_min > 0

    async def open(self) -> None:
        """Check the store, and load the function library into every server that takes calls."""
        with store_errors():
            if self._cluster is None:
                await self._find_out()
            if self._cluster is None:
                self._single.forget_library()
                await self._single.load_library()
            else:
                self._cluster.doubt()
                # Each has it loaded before its first call: one that nobody calls may as well be down.
                for node in await self._cluster.primaries():
                    node.forget_library()

    async def close(self) -> None:
        """Close the connections."""
        await self._single.close()
        if self._cluster is not None:
            await self._cluster.close()

    async def describe(self) -> StoreDescription:
        """What the store is and promises."""
        with store_errors():
            if self._cluster is None:
                client = self._single.client(Lane.READ)
                return await describe_store(client, replicas_acked_min=self._replicas_acked_min)
            nodes = {node.name: node.client(Lane.READ) for node in await self._cluster.primaries()}
            return await describe_cluster(nodes, replicas_acked_min=self._replicas_acked_min)

    async def ping(self) -> None:
        """Return when the store answers: of a cluster, when all nodes do that were ever called for."""
        with store_errors():
            nodes = {self._single}
            if self._cluster is not None:
                nodes = {await self._cluster.primary_of(slot) for slot in self._slots_called}
            await asyncio.gather(*(self._ask(node, ("PING",), Lane.SALE) for node in nodes))

    async def call(
        self,
        function: str,
        keys: tuple[str, ...],
        args: tuple[Any, ...],
        *,
        lane: Lane,
        durable: bool = False,
        mark: str | None = None,
    ) -> Any:
        """Call a function of the library. `durable`: it makes a change that replicas must have, where they must.

        `mark`: a hash of the same slot, where the first key is none.
        """
        return (await self.call_at(function, keys, args, lane=lane, durable=durable, mark=mark)).reply

    async def call_at(
        self,
        function: str,
        keys: tuple[str, ...],
        args: tuple[Any, ...],
        *,
        lane: Lane,
        durable: bool = False,
        mark: str | None = None,
    ) -> Served:
        """As `call`, and says who answered."""
        durable_key = (mark or keys[0]) if durable and self.waits_for_replicas else None
        if mark is not None and durable_key is not None:
            # A slot that moves has the call only where the mark is, too.
            keys = (*keys, mark)
        command = ("FCALL", function, len(keys), *keys, *args)
        with store_errors():
            return await self._send(keys[0], command, lane, durable_key=durable_key)

    async def command(self, *command: Any, lane: Lane = Lane.READ) -> Any:
        """One command of the store's own, on one key."""
        return (await self.command_at(*command, lane=lane)).reply

    async def command_at(self, *command: Any, lane: Lane = Lane.READ) -> Served:
        """As `command`, and says who answered."""
        with store_errors():
            return await self._send(_key_of(command), command, lane)

    async def _find_out(self) -> None:
        """Learn from the first node that answers whether this is a cluster."""
        for place, url in enumerate(self._urls):
            # Of the first database, which every server has: a cluster knows no other.
            node = self._node(url if url.startswith("unix:") else with_address(url, *address_of(url)))
            try:
                description = await describe_store(node.client(Lane.SALE))
                break
            except StoreUnavailable:
                if place == len(self._urls) - 1:
                    raise
            finally:
                await node.close()
        if description.mode == "cluster":
            if database_of(self._urls[0]) != "0":
                message = "names a database, but a cluster has only 0: leave it out, and set STOCKADE_NAMESPACE"
                raise InvalidInput((FieldError("REDIS_URL", message),))
            self._cluster = Cluster(self._urls, timeout_s=self._timeout_s, replica_wait_s=self._replica_wait_s)
        elif len(self._urls) > 1:
            message = f"names {len(self._urls)} servers, but {node.name} is no cluster: give one address"
            raise InvalidInput((FieldError("REDIS_URL", message),))

    async def _send(
        self, key: str | None, command: tuple[Any, ...], lane: Lane, *, durable_key: str | None = None
    ) -> Served:
        """Send a command to whoever serves its key, and after them where they send it; where it was done, only once."""
        slot, node = 0, self._single
        if self._cluster is not None:
            slot = key_slot(key.encode()) if key is not None else 0
            self._slots_called.add(slot)
            node = await self._cluster.primary_of(slot)
        gives_up_s = asyncio.get_running_loop().time() + self._timeout_s
        redirects, asking = 0, False
        while True:
            try:
                reply = await self._ask(node, command, lane, asking=asking, durable_key=durable_key)
                return Served(reply, node.name)
            except AskError as error:
                # Also MovedError, which is one that holds for what comes later, too.
                if self._cluster is None or redirects >= REDIRECTS_MAX:
                    raise
                redirects += 1
                address: Address = (error.host or node.host, error.port)
                asking = not isinstance(error, MovedError)
                node = self._cluster.node(address) if asking else self._cluster.moved(slot, address)
            except TryAgainError:
                if asyncio.get_running_loop().time() >= gives_up_s:
                    raise
                await asyncio.sleep(HALF_MOVED_POLL_S)
            except ResponseError as error:
                if is_missing_function(error) and asyncio.get_running_loop().time() < gives_up_s:
                    # Somebody flushed the functions: nothing was done, so load them and call again.
                    await node.load_library(anew=True)
                elif "UNBLOCKED" in str(error) and self._cluster is not None and redirects < REDIRECTS_MAX:
                    # It waited for news on a node that is no primary any more.
                    redirects += 1
                    self._doubt()
                    node = await self._cluster.primary_of(slot)
                else:
                    raise

    async def _ask(
        self, node: Node, command: tuple[Any, ...], lane: Lane, *, asking: bool = False, durable_key: str | None = None
    ) -> Any:
        """Send one command to one node. With `durable_key`, of the same slot, wait for the replicas as well."""
        if command[0] == "FCALL":
            await node.load_library()
        leave: list[tuple[Any, ...]] = [("ASKING",)] if asking else []
        commands = [*leave, command]
        if durable_key is not None:
            # WAIT waits for what its own connection wrote: a call that found all done already writes nothing itself.
            commands += [
                *leave,
                ("HSET", durable_key, "", 0),
                ("WAIT", self._replicas_acked_min, self._replica_wait_ms),
            ]
        try:
            replies = await node.send(commands, lane)
        except (RedisError, OSError, RuntimeError):
            self._doubt()
            raise
        reply = replies[len(leave)]
        if isinstance(reply, Exception):
            raise reply
        if durable_key is not None:
            self._check_replicas(node, written=replies[-2], acked=replies[-1])
        return reply

    def _check_replicas(self, node: Node, *, written: Any, acked: Any) -> None:
        problem = next((each for each in (written, acked) if isinstance(each, Exception)), None)
        if problem is not None:
            raise StoreUnavailable(
                f"Whether replicas of {node.name} have the change is unknown: {problem}."
            ) from problem
        if acked < self._replicas_acked_min:
            # It may be a primary that does not know yet that it was replaced.
            self._doubt()
            raise StoreUnavailable(
                f"{acked} replicas of {node.name} had the change after {self._replica_wait_ms} ms, not"
                f" {self._replicas_acked_min}: see INFO replication there, or lower STOCKADE_REPLICAS_ACKED_MIN."
            )

    def _doubt(self) -> None:
        if self._cluster is not None:
            self._cluster.doubt()

    def _node(self, url: str) -> Node:
        return Node(url, timeout_s=self._timeout_s, replica_wait_s=self._replica_wait_s)


def _key_of(command: tuple[Any, ...]) -> str | None:
    """The first key of a command; None where it has none."""
    if len(command) < 2 or command[0] == "CONFIG":
        return None
    if "STREAMS" in command:
        return str(command[command.index("STREAMS") + 1])
    return str(command[2] if command[0] in _KEY_IS_SECOND else command[1])
