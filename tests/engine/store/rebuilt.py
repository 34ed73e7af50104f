"""What a follower that has only the events knows of the stock, against what the store holds."""

from collections import Counter

import msgspec
from redis.asyncio import Redis

_unpack = msgspec.msgpack.decode
CHANNEL = 1 << 36


async def check_events(client: Redis, partitions: int) -> None:
    """Assert that `free`, `on_hand` and the totals of every partition are what its events, without a gap, lead to."""
    for number in range(partitions):
        prefix = f"stockade:{{p{number}}}:"
        free, on_hand = Counter[int](), Counter[int]()
        entries = [fields for _, fields in await client.xrange(prefix + "events")]
        assert [int(fields[b"n"]) for fields in entries] == list(range(1, len(entries) + 1))
        for fields in entries:
            cells = [int(cell) for cell in _unpack(fields[b"c"])]
            for cell, units in zip(cells, _unpack(fields[b"d"]), strict=True):
                free[cell] -= units
            for cell, units in zip(cells, _unpack(fields[b"h"]) if b"h" in fields else [0] * len(cells), strict=True):
                on_hand[cell % CHANNEL] += units
        assert {cell: units for cell, units in free.items() if units} == await _numbers(client, prefix + "free")
        assert {cell: units for cell, units in on_hand.items() if units} == await _numbers(client, prefix + "on_hand")
        meta = await client.hgetall(prefix + "meta")
        found = [int(meta.get(name, 0)) for name in (b"free_total", b"on_hand_total")]
        assert found == [sum(free.values()), sum(on_hand.values())]


async def _numbers(client: Redis, key: str) -> Counter[int]:
    return Counter(
        {int(cell): int(units) for cell, units in (await client.hgetall(key)).items() if cell and int(units)}
    )


async def undecided(client: Redis, partitions: int) -> int:
    """Attempts, leases and marks of cells that are left."""
    left = 0
    for number in range(partitions):
        prefix = f"stockade:{{p{number}}}:"
        left += await client.hlen(prefix + "tentative") - 1 + await client.zcard(prefix + "leases") - 1
        left += sum(field.startswith(b"@") for field in await client.hkeys(prefix + "movements"))
    return left
