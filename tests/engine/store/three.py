"""Three partitions by hand: cells that belong to each, and orders that reach over all of them."""

from typing import Any

import msgspec
from redis.asyncio import Redis

from engine import Settings
from engine.store import Partition, StepReply, Store, attempt_args, home_of, partition_of_cell
from engine.store.keys import partition_keys
from engine.store.packed import packed_strings
from tests.engine.store.by_hand import HEAD, Args, body

COUNT = 3
CELLS = tuple(4096 * sku for sku in range(COUNT))
"""One cell of each partition, in their order."""
LEASE_MS = 60_000


def opened_in_three(url: str) -> Store:
    """A store of three partitions, not entered yet."""
    return Store(url, namespace=Settings().namespace, timeout_s=5, partitions=COUNT)


async def fill(store: Store, units: int) -> None:
    """Units in each of the cells."""
    for cell in CELLS:
        await store.owner(cell).movements.set_stock([cell], [units], [0])


async def commit_over(store: Store, order_id: str, takes: dict[int, int], *, hold_ms: int | None = None) -> str:
    """Prepare and decide for an order as the intake does, and tell nobody; returns the attempt's name."""
    attempt = f"attempt-{order_id}"
    home = home_of(order_id, COUNT)
    own = {cell: units for cell, units in takes.items() if partition_of_cell(cell, COUNT) == home}
    for cell, units in takes.items():
        if cell not in own:
            reply = await store.owner(cell).crossing.prepare(
                attempt_args(attempt, order_id, home, [(cell, units)], []), LEASE_MS
            )
            assert reply.outcomes in (b"", b"A")
    args = Args().order(order_id, *own.items(), hold_ms=hold_ms).packed()
    args[4] = packed_strings((order_id.encode(), HEAD + _body(takes, attempt)))
    args[8] = msgspec.msgpack.encode([1, attempt])
    reply = await store.partitions[home].orders.commit(args)
    assert reply.outcomes == b""
    return attempt


def _body(takes: dict[int, int], attempt: str) -> bytes:
    whole = body(1, takes, {})
    return whole[:16] + msgspec.msgpack.encode([*msgspec.msgpack.decode(whole[16:])[:7], [attempt]])


async def step(store: Store, what: Any, order_id: str, transition_id: str, detail: object = "") -> StepReply:
    """One transition at the order's home."""
    return await store.home(order_id).orders.step(
        what, order_id, f"{what}:{transition_id}=0", version=None, detail=detail
    )


async def levels(store: Store) -> list[tuple[int, int]]:
    """Free and on hand of each of the cells."""
    rows = await store.read_cells(CELLS)
    return [(row.free, row.on_hand) for row in rows]


async def part(client: Redis, partition: Partition, order_id: str) -> Any:
    """What a partition keeps of an order: [version, held, shipped, counters], or None."""
    found = await client.hget(partition_keys(Settings().namespace, partition.number).parts, order_id)
    return None if found is None else msgspec.msgpack.decode(found)
