"""A shop on Redis or Valkey: one script an order checks and takes its units, and writes the order.

The store is as Stockade's own: a socket, an append-only file, fsync before each reply. The nearest warehouse is asked
first, and all of them where it lacks something.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from redis.asyncio import BlockingConnectionPool, Redis

from bench.peers.goods import stock
from bench.peers.shop import Books, Settings, ShopOrder, Taken, balance, by_distance, one_by_one

SCRIPT = Path(__file__).with_name("reserve.lua")
STOCK, ORDERS = "shop:stock", "shop:orders"
POOL_WAIT_S = 60
PAGE = 5_000

_encode = msgspec.msgpack.Encoder().encode
_kept = msgspec.msgpack.Decoder(tuple[str | None, list[str], list[int]])


class RedisShop:
    """A peer."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client: Any = None
        self._sha = ""
        self._size, self._pipelined = 1, False

    async def prepare(self) -> None:
        """Count the stock, and load the script."""
        async with Redis.from_url(self._url) as client:
            await client.hset(STOCK, mapping={f"{count.sku}/{count.warehouse}": count.on_hand for count in stock()})
            self._sha = await client.script_load(SCRIPT.read_text("utf-8"))

    async def use(self, settings: Settings) -> None:
        """A pool whose connections are waited for."""
        await self.close()
        self._size, self._pipelined = settings.pool, settings.pipelined
        pool = BlockingConnectionPool.from_url(self._url, max_connections=settings.pool, timeout=POOL_WAIT_S)
        self._client = Redis.from_pool(pool)

    async def reserve(self, order: ShopOrder) -> Taken:
        """One script on a connection of the pool."""
        near = by_distance(order.ship_to)
        reply = await self._client.evalsha(self._sha, 2, *_arguments(order, near[:1]))
        return _taken(reply or await self._client.evalsha(self._sha, 2, *_arguments(order, near)))

    async def reserve_all(self, orders: Sequence[ShopOrder]) -> list[Taken]:
        """A script each; in one round trip where it is so set."""
        if not self._pipelined:
            return await one_by_one(orders, self._size, self.reserve)
        pipeline = self._client.pipeline(transaction=False)
        for order in orders:
            pipeline.evalsha(self._sha, 2, *_arguments(order, by_distance(order.ship_to)[:1]))
        replies = await pipeline.execute()
        return [
            _taken(reply) if reply else await self.reserve(order) for order, reply in zip(orders, replies, strict=True)
        ]

    async def books(self) -> Books:
        """Every order is read."""
        free = {name.decode(): int(units) for name, units in (await self._client.hgetall(STOCK)).items()}
        held: dict[str, int] = {}
        orders = 0
        async for _, record in self._client.hscan_iter(ORDERS, count=PAGE):
            warehouse, _, kept = record.partition(b" ")
            orders += 1
            for sku, quantity in zip(*_kept.decode(kept)[1:], strict=True):
                cell = f"{sku}/{warehouse.decode()}"
                held[cell] = held.get(cell, 0) + quantity
        counted = {f"{count.sku}/{count.warehouse}": count.on_hand for count in stock()}
        return balance(counted, free, held, orders)

    async def close(self) -> None:
        """The pool's connections."""
        if self._client is not None:
            await self._client.aclose(close_connection_pool=True)


def _arguments(order: ShopOrder, candidates: Sequence[str]) -> list[str | bytes]:
    wanted = order.wanted()
    # Few arguments: the client packs each in Python, the store's script unpacks all at once.
    return [STOCK, ORDERS, order.order_id, _encode((order.customer, list(wanted), list(wanted.values()))), *candidates]


def _taken(reply: list[Any] | None) -> Taken:
    if not reply:
        return Taken("refused", None)
    warehouse, now = reply
    return Taken("reserved" if now else "replayed", warehouse.decode())
