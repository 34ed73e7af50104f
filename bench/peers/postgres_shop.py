"""A shop on PostgreSQL, a transaction an order: rows locked in key order, warehouse chosen, stock and order written.

First the nearest warehouse alone is locked; where it lacks something, all of them are, in a transaction of its own, so
that rows are always locked in the order of their keys. In `function` form a transaction is one call.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg

from bench.peers.goods import stock
from bench.peers.shop import Books, Settings, ShopOrder, Taken, balance, by_distance, one_by_one

SCHEMA = Path(__file__).with_name("postgres.sql")

LOCK_ONE = """SELECT sku, warehouse, free FROM stock WHERE sku = ANY ($1::text[]) AND warehouse = $2
    ORDER BY sku FOR UPDATE"""
LOCK_ALL = """SELECT sku, warehouse, free FROM stock WHERE sku = ANY ($1::text[]) AND warehouse = ANY ($2::text[])
    ORDER BY sku, warehouse FOR UPDATE"""
WRITE = """WITH taken AS (
    UPDATE stock s SET free = s.free - l.quantity FROM unnest($4::text[], $5::integer[]) AS l (sku, quantity)
    WHERE s.sku = l.sku AND s.warehouse = $3)
    INSERT INTO orders (id, customer, warehouse, skus, quantities) VALUES ($1, $2, $3, $4, $5)"""
FUNCTION = "SELECT reserve($1, $2, $3, $4, $5)"
KNOWN = "SELECT warehouse FROM orders WHERE id = $1"
HELD = """SELECT sku || '/' || warehouse, sum(quantity)::bigint
    FROM orders, unnest(skus, quantities) AS l (sku, quantity) GROUP BY 1"""


class PostgresShop:
    """A peer; `function` says in which form."""

    def __init__(self, socket_folder: Path, *, function: bool) -> None:
        self._host = str(socket_folder)
        self._take = self._by_function if function else self._by_transaction
        self._pool: Any = None
        self._size = 1

    async def prepare(self) -> None:
        """Make the tables, and count the stock."""
        connection = await asyncpg.connect(host=self._host, user="bench", database="postgres")
        await connection.execute(SCHEMA.read_text("utf-8"))
        rows = [(count.sku, count.warehouse, count.on_hand, count.on_hand) for count in stock()]
        await connection.copy_records_to_table("stock", records=rows)
        await connection.execute("VACUUM ANALYZE stock")
        await connection.close()

    async def use(self, settings: Settings) -> None:
        """Statements are prepared by each connection at their first use."""
        await self.close()
        self._size = settings.pool
        self._pool = await asyncpg.create_pool(
            host=self._host,
            user="bench",
            database="postgres",
            min_size=settings.pool,
            max_size=settings.pool,
            max_inactive_connection_lifetime=0,
            # Nothing that an order does outlives its transaction: there is nothing to reset.
            reset=_nothing,
        )

    async def reserve(self, order: ShopOrder) -> Taken:
        """One order on a connection of the pool."""
        async with self._pool.acquire() as connection:
            return await self._reserve(connection, order)

    async def reserve_all(self, orders: Sequence[ShopOrder]) -> list[Taken]:
        """Each connection takes the next order when it has done one."""
        return await one_by_one(orders, self._size, self.reserve)

    async def books(self) -> Books:
        """Orders are summed up by the database."""
        async with self._pool.acquire() as connection:
            cells = await connection.fetch("SELECT sku || '/' || warehouse, on_hand, free FROM stock")
            held = {row[0]: int(row[1]) for row in await connection.fetch(HELD)}
            orders = int(await connection.fetchval("SELECT count(*) FROM orders"))
        counted = {f"{count.sku}/{count.warehouse}": count.on_hand for count in stock()}
        return balance(counted, {row[0]: row[2] for row in cells}, held, orders)

    async def close(self) -> None:
        """The pool's connections."""
        if self._pool is not None:
            await self._pool.close()

    async def _reserve(self, connection: Any, order: ShopOrder) -> Taken:
        wanted, near = order.wanted(), by_distance(order.ship_to)
        for candidates in (near[:1], near):
            try:
                warehouse = await self._take(connection, order, wanted, candidates)
            except asyncpg.UniqueViolationError:
                break
            if warehouse is not None:
                return Taken("reserved", warehouse)
        known = await connection.fetchval(KNOWN, order.order_id)
        return Taken("refused" if known is None else "replayed", known)

    async def _by_transaction(
        self, connection: Any, order: ShopOrder, wanted: dict[str, int], candidates: tuple[str, ...]
    ) -> str | None:
        skus, units = list(wanted), list(wanted.values())
        async with connection.transaction():
            if len(candidates) == 1:
                rows = await connection.fetch(LOCK_ONE, skus, candidates[0])
            else:
                rows = await connection.fetch(LOCK_ALL, skus, candidates)
            free = {(sku, warehouse): units for sku, warehouse, units in rows}
            for warehouse in candidates:
                if all(free.get((sku, warehouse), 0) >= quantity for sku, quantity in wanted.items()):
                    await connection.execute(WRITE, order.order_id, order.customer, warehouse, skus, units)
                    return warehouse
        return None

    async def _by_function(
        self, connection: Any, order: ShopOrder, wanted: dict[str, int], candidates: tuple[str, ...]
    ) -> str | None:
        skus, units = list(wanted), list(wanted.values())
        chosen = await connection.fetchval(FUNCTION, order.order_id, order.customer, skus, units, candidates)
        return None if chosen is None else str(chosen)


async def _nothing(_: Any) -> None:
    return None
