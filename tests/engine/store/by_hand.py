"""Commits made by hand, so that they can be wrong in ways that the planner's never are, and looks at the store."""

from typing import Any

import msgspec
from redis.asyncio import Redis

from engine import Settings
from engine.store import CommitReply, Store

PREFIX = "stockade:{p0}:"
LONG_HOLD_MS = 600_000
HEAD = bytes([2, 2, 0, 0, 0, 1]) + (1_700_000_000_000).to_bytes(8, "big") + bytes(8)
"""The head of a record: confirmed, version 1."""

pack = msgspec.msgpack.encode
unpack = msgspec.msgpack.decode


def opened(url: str) -> Store:
    """A store as the engine opens it, not entered yet."""
    settings = Settings()
    return Store(url, namespace=settings.namespace, timeout_s=5)


def body(fingerprint: int, cells: dict[int, int], counters: dict[str, int]) -> bytes:
    """Fingerprint and body as the planner packs them; text and numbers only, since Lua reads no binary."""
    shipments = [[cell % 4096, 0, 0, [cell, units]] for cell, units in cells.items()]
    rest = [shipments, [], list(counters.items()), "CNY", "cheapest", "order", [], []]
    return bytes([fingerprint]) * 16 + pack(rest)


class Args:
    """The arguments of one commit."""

    def __init__(self, *, limits: dict[str, int] | None = None, wants_levels: bool = False) -> None:
        self.limits = limits or {}
        self.cells: list[int] = []
        self.orders: list[tuple[str, bytes, list[tuple[int | str, int]], int | None]] = []
        self.wants_levels = wants_levels

    def order(
        self,
        order_id: str,
        *takes: tuple[int | str, int],
        fingerprint: int = 1,
        hold_ms: int | None = None,
    ) -> "Args":
        """Add an order that takes units of cells (by number) and counters (by name)."""
        cells: dict[int, int] = {}
        counters: dict[str, int] = {}
        for name, units in takes:
            if isinstance(name, int):
                cells[name] = cells.get(name, 0) + units
                if name not in self.cells:
                    self.cells.append(name)
            else:
                counters[name] = units
        self.orders.append((order_id, body(fingerprint, cells, counters), list(takes), hold_ms))
        return self

    def packed(self) -> list[bytes]:
        """As `Batch.commit_args` gives them."""
        names = list(self.limits)
        place: dict[int | str, int] = {cell: index for index, cell in enumerate(self.cells, 1)}
        place |= {name: len(self.cells) + index for index, name in enumerate(names, 1)}
        units = dict.fromkeys(place, 0)
        takes: list[int] = []
        holds: list[int] = []
        for number, (_, _, pairs, hold_ms) in enumerate(self.orders, 1):
            takes.append(len(pairs))
            for name, quantity in pairs:
                units[name] += quantity
                takes += [place[name], quantity]
            if hold_ms is not None:
                holds += [number, hold_ms]
        counters = pack([names, list(self.limits.values()), [units[name] for name in names]]) if names else b""
        return [
            pack([str(cell) for cell in self.cells]),
            pack([units[cell] for cell in self.cells]),
            counters,
            pack([order_id for order_id, *_ in self.orders]),
            _strings([part for order_id, packed, *_ in self.orders for part in (order_id.encode(), HEAD + packed)]),
            pack(takes),
            pack(holds) if holds else b"",
            b"1" if self.wants_levels else b"0",
            b"",
        ]


def _strings(rows: list[bytes]) -> bytes:
    """A MessagePack array of strings that are bytes, which Python would pack as binary."""
    heads = (b"\xdb" + len(row).to_bytes(4, "big") + row for row in rows)
    return b"\xdd" + len(rows).to_bytes(4, "big") + b"".join(heads)


async def commit(store: Store, args: Args) -> CommitReply:
    """Send a commit made by hand."""
    return await store.partitions[0].orders.commit(args.packed())


async def free(store: Store, *cells: int) -> list[int]:
    """What is free in cells."""
    _, rows = await store.partitions[0].cells.read(cells)
    return [row.free for row in rows]


async def events(client: Redis) -> list[dict[bytes, bytes]]:
    """The stock events, oldest first."""
    return [fields for _, fields in await client.xrange(PREFIX + "events")]


async def fields(client: Redis, name: str) -> dict[bytes, bytes]:
    """A hash of the partition, without the field that only keeps it alive."""
    return {field: value for field, value in (await client.hgetall(PREFIX + name)).items() if field}


async def everything(client: Redis) -> dict[bytes, Any]:
    """All that the store keeps, to see that a call changed none of it."""
    read = {b"hash": client.hgetall, b"stream": client.xrange, b"zset": lambda key: client.zrange(key, 0, -1)}
    return {key: await read[await client.type(key)](key) for key in await client.keys("*")}
