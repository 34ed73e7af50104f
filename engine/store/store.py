"""Every call that Stockade makes to Valkey or Redis, typed. Knows the wire and the keys; decides nothing.

Raises StoreUnavailable when the outcome is not known (the connection broke), StoreRefused when certainly nothing was
done, StoreChanged when the store behind the address is another than the one that was opened.
"""

import secrets
from collections.abc import AsyncIterator, Sequence
from typing import Any, Self

import msgspec
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError

from engine.errors import FieldError, InvalidInput
from engine.model import limits
from engine.store.durability import StoreDescription, describe_store
from engine.store.errors import store_errors
from engine.store.keys import catalogue_keys, partition_keys
from engine.store.library import ensure_library, is_missing_function

SCAN_FIELDS = 10_000
"""Fields wanted of one page of a scan: a few milliseconds of the store's time."""

READERS_MAX = 16
"""Connections for everything but commits and the feed; who finds none free waits, as long as a call may take."""

FEED_BLOCK_MS_MAX = 1_000
"""The longest wait for news that may be asked for; a read of the streams has it on top of a call's own time."""

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode
_unpack_numbers = msgspec.msgpack.Decoder(list[int]).decode


class CommitReply(msgspec.Struct, frozen=True):
    """What the commit function answered; the planner reads it."""

    now_ms: int
    event: bytes
    outcomes: bytes
    levels: bytes
    records: list[bytes]


class Definition(msgspec.Struct, frozen=True):
    """A SKU or a warehouse: its number, its name and its definition as JSON."""

    number: int
    name: str
    json: bytes


class CellRow(msgspec.Struct, frozen=True):
    """A cell as the store has it; `reserved = on_hand - safety - free`."""

    cell: int
    free: int
    on_hand: int
    safety: int


class Touched(msgspec.Struct, frozen=True):
    """What events since a place in the stream have touched, as it stands now."""

    event: bytes
    more: bool
    records: dict[str, bytes | None]
    cells: list[CellRow]
    counters: dict[str, int]


class Store:
    """One store, opened: `async with Store(url, namespace=...) as store`."""

    def __init__(self, url: str, *, namespace: str, timeout_s: float, events_kept_max: int) -> None:
        self.url = url
        self.writer = secrets.token_hex(6)
        """Names this process in the event stream."""
        # What the sale waits for shares its connections with no reader: however many ask, the sale goes on.
        self._client = _client(url, timeout_s, connections_max=4)
        self._readers = _client(url, timeout_s, connections_max=READERS_MAX)
        self._feed = _client(url, timeout_s + FEED_BLOCK_MS_MAX / 1000, connections_max=1)
        self._catalogue = catalogue_keys(namespace)
        self._stock = partition_keys(namespace, 0)
        self._events_kept_max = events_kept_max
        self._epoch = b""
        self._catalogue_epoch = b""

    async def __aenter__(self) -> Self:
        try:
            await self.open()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Check the store, load the function library, and learn the epochs; again after StoreChanged."""
        with store_errors():
            await describe_store(self._client)
            await ensure_library(self._client)
            self._epoch = await self._open(self._stock.meta)
            self._catalogue_epoch = await self._open(self._catalogue.meta)

    def distrust(self) -> None:
        """Have every change refused as StoreChanged until the next `open`: what is loaded may be of another store."""
        self._epoch = self._catalogue_epoch = b""

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
        await self._readers.aclose()
        await self._feed.aclose()

    async def describe(self) -> StoreDescription:
        """What the store is and promises."""
        with store_errors():
            return await describe_store(self._readers)

    async def ping(self) -> None:
        """Return when the store answers."""
        with store_errors():
            await self._client.execute_command("PING")

    # Stock and reservations

    async def commit(self, args: Sequence[bytes]) -> CommitReply:
        """Reserve a batch; `args` as `Batch.commit_args` gives them."""
        keys = self._stock
        cells, units, counters, ids, bodies, takes, holds, wants_levels = args
        reply = await self._call(
            "stockade_commit",
            (keys.meta, keys.free, keys.counters, keys.orders, keys.holds, keys.events),
            (self._epoch, self.writer, self._events_kept_max)
            + (cells, units, counters, ids, bodies, takes, holds, wants_levels),
        )
        return CommitReply(*reply)

    async def set_stock(
        self, cells: Sequence[int], on_hand: Sequence[int], safety: Sequence[int]
    ) -> tuple[bytes, list[int], list[tuple[int, int]]]:
        """Set counts (safety -1: as it is), all or none: (event, levels now free, refused as (row, reserved))."""
        keys = self._stock
        event, levels, refused = await self._call(
            "stockade_set_stock",
            (keys.meta, keys.free, keys.on_hand, keys.safety, keys.events),
            (self._epoch, self.writer, self._events_kept_max)
            + (_cells(cells), _pack(list(on_hand)), _pack(list(safety))),
        )
        if refused:
            flat = _unpack_numbers(refused)
            return event, [], list(zip(flat[::2], flat[1::2], strict=True))
        return event, _unpack_numbers(levels), []

    async def expire(self, orders_max: int) -> int:
        """Release pending orders whose hold ran out; returns how many, `orders_max` at most."""
        keys = self._stock
        return int(
            await self._call(
                "stockade_expire",
                (keys.meta, keys.free, keys.counters, keys.orders, keys.holds, keys.events),
                (self._epoch, self.writer, self._events_kept_max, orders_max),
            )
        )

    async def scan_free(self) -> AsyncIterator[tuple[bytes, bytes]]:
        """All levels, in pages of (MessagePack [cell, level, ...], newest event)."""
        keys, cursor = self._stock, b"0"
        while True:
            cursor, event, page = await self._call(
                "stockade_scan_free", (keys.meta, keys.free, keys.events), (self._epoch, cursor, SCAN_FIELDS)
            )
            yield page, event
            if cursor == b"0":
                return

    async def read_cells(self, cells: Sequence[int], *, for_sale: bool = False) -> tuple[bytes, list[CellRow]]:
        """Cells as they stand, those that exist, and the newest event. `for_sale`: orders wait for it."""
        keys = self._stock
        event, free, on_hand, safety = await self._call(
            "stockade_read_cells",
            (keys.free, keys.on_hand, keys.safety, keys.events),
            (_cells(cells),),
            client=self._client if for_sale else self._readers,
        )
        columns = (_unpack_numbers(free), _unpack_numbers(on_hand), _unpack_numbers(safety))
        rows = zip(cells, *columns, strict=True)
        return event, [CellRow(*row) for row in rows if row[2] >= 0]

    async def read_orders(self, order_ids: Sequence[str], *, for_sale: bool = False) -> list[bytes | None]:
        """The records of orders, None where there is none. `for_sale`: other orders wait for it."""
        client = self._client if for_sale else self._readers
        with store_errors():
            return list(await client.execute_command("HMGET", self._stock.orders, *order_ids))

    async def scan_orders(self) -> AsyncIterator[list[tuple[str, bytes]]]:
        """All orders and their records, in pages; one that changes meanwhile may come twice."""
        async for page in self._scan(self._stock.orders, self._readers):
            yield [(order_id.decode(), record) for order_id, record in page]

    async def scan_counters(self) -> AsyncIterator[list[tuple[str, int]]]:
        """All purchase-limit counters and their units, in pages."""
        async for page in self._scan(self._stock.counters, self._readers):
            yield [(name.decode(), int(units)) for name, units in page]

    async def scan_cells(self) -> AsyncIterator[list[CellRow]]:
        """All cells, in pages, each page as it stands when it is read."""
        async for page in self._scan(self._stock.on_hand, self._readers):
            _, rows = await self.read_cells([int(cell) for cell, _ in page])
            yield rows

    async def newest_event(self) -> bytes:
        """The id of the newest stock event."""
        event, _ = await self.read_cells([])
        return event

    async def touched(self, after: bytes, events_max: int) -> Touched:
        """Orders and cells that events after `after` have touched, as they stand now, in one cut."""
        keys = self._stock
        event, more, ids, records, cells, free, on_hand, safety, names, counters = await self._call(
            "stockade_touched",
            (keys.free, keys.on_hand, keys.safety, keys.counters, keys.orders, keys.events),
            (after, events_max),
            client=self._readers,
        )
        columns = (_unpack_numbers(free), _unpack_numbers(on_hand), _unpack_numbers(safety))
        rows = zip((int(cell) for cell in _unpack(cells)), *columns, strict=True)
        return Touched(
            event=event,
            more=bool(more),
            records=dict(zip(_unpack(ids), records, strict=True)),
            cells=[CellRow(*row) for row in rows],
            counters=dict(zip(_unpack(names), _unpack_numbers(counters), strict=True)),
        )

    # Catalogue

    async def put_skus(self, rows: Sequence[tuple[str, bytes]]) -> list[int]:
        """Add or replace SKUs (name, JSON); returns their numbers."""
        return await self._put("sku", self._catalogue.skus, limits.SKUS_MAX, rows)

    async def put_warehouses(self, rows: Sequence[tuple[str, bytes]]) -> list[int]:
        """Add or replace warehouses (name, JSON); returns their numbers."""
        return await self._put("warehouse", self._catalogue.warehouses, limits.WAREHOUSES_MAX, rows)

    async def put_tariff(self, definition: bytes) -> None:
        """Replace the tariff (JSON)."""
        keys = self._catalogue
        await self._call("stockade_put_tariff", (keys.meta, keys.events), (self._catalogue_epoch, definition))

    async def read_tariff(self) -> bytes | None:
        """The tariff (JSON), if there is one."""
        with store_errors():
            tariff: bytes | None = await self._client.execute_command("HGET", self._catalogue.meta, "tariff")
            return tariff

    async def scan_skus(self) -> AsyncIterator[list[Definition]]:
        """All SKUs, in pages."""
        async for page in self._scan(self._catalogue.skus, self._client):
            yield [parse_definition(name, value) for name, value in page]

    async def scan_warehouses(self) -> AsyncIterator[list[Definition]]:
        """All warehouses, in pages."""
        async for page in self._scan(self._catalogue.warehouses, self._client):
            yield [parse_definition(name, value) for name, value in page]

    # Events

    async def event_positions(self) -> tuple[bytes, bytes]:
        """The newest ids of the stock stream and of the catalogue stream."""
        with store_errors():
            ids = []
            for key in (self._stock.events, self._catalogue.events):
                newest = await self._client.execute_command("XREVRANGE", key, "+", "-", "COUNT", 1)
                ids.append(_entries(newest)[0][0] if newest else b"0-0")
            return ids[0], ids[1]

    async def has_event(self, event: bytes, *, for_sale: bool = False) -> bool:
        """Whether the stock stream still has an event; always true of the time before the first one."""
        if event == b"0-0":
            return True
        with store_errors():
            client = self._client if for_sale else self._readers
            return bool(await client.execute_command("XRANGE", self._stock.events, event, event))

    async def read_events(
        self, stock_after: bytes, catalogue_after: bytes, *, block_ms: int, events_max: int
    ) -> tuple[list[tuple[bytes, dict[bytes, bytes]]], list[tuple[bytes, dict[bytes, bytes]]]]:
        """Stock events and catalogue events after the given ids; waits up to `block_ms` for one."""
        command = ("XREAD", "COUNT", events_max, "BLOCK", block_ms, "STREAMS")
        with store_errors():
            reply = await self._feed.execute_command(
                *command, self._stock.events, self._catalogue.events, stock_after, catalogue_after
            )
        streams = {bytes(name): _entries(entries) for name, entries in reply or ()}
        return streams.get(self._stock.events.encode(), []), streams.get(self._catalogue.events.encode(), [])

    # Wire

    async def _call(
        self, function: str, keys: tuple[str, ...], args: tuple[Any, ...], *, client: Redis | None = None
    ) -> Any:
        client = client or self._client
        command = ("FCALL", function, len(keys), *keys, *args)
        with store_errors():
            try:
                return await client.execute_command(*command)
            except ResponseError as error:
                if not is_missing_function(error):
                    raise
                # Somebody flushed the functions: nothing was done, so load them and call again.
                await ensure_library(client)
                return await client.execute_command(*command)

    async def _open(self, meta: str) -> bytes:
        epoch: bytes = await self._client.execute_command("FCALL", "stockade_open", 1, meta, secrets.token_hex(8))
        return epoch

    async def _put(self, kind: str, key: str, numbers_max: int, rows: Sequence[tuple[str, bytes]]) -> list[int]:
        keys = self._catalogue
        flat = [part for name, json in rows for part in (name, json.decode())]
        reply = await self._call(
            "stockade_put_definitions",
            (keys.meta, key, keys.events),
            (self._catalogue_epoch, kind, numbers_max, _pack(flat)),
        )
        return _unpack_numbers(reply)

    async def _scan(self, key: str, client: Redis) -> AsyncIterator[list[tuple[bytes, bytes]]]:
        cursor: bytes | int = b"0"
        while True:
            with store_errors():
                cursor, flat = await client.execute_command("HSCAN", key, cursor, "COUNT", SCAN_FIELDS)
            pairs = flat.items() if isinstance(flat, dict) else zip(flat[::2], flat[1::2], strict=True)
            page = list(pairs)
            if page:
                yield page
            if int(cursor) == 0:
                return


def parse_definition(name: bytes, value: bytes) -> Definition:
    """A definition as the store keeps it: `number:JSON`."""
    number, _, json = value.partition(b":")
    return Definition(int(number), name.decode(), json)


def _client(url: str, timeout_s: float, *, connections_max: int) -> Redis:
    try:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=connections_max,
            timeout=timeout_s,
            protocol=2,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            # No retry below us: whether a commit may be sent again is the intake's to decide.
            retry=Retry(NoBackoff(), 0),
            decode_responses=False,
        )
    except ValueError as error:
        message = f"is no address of a store ({error}); give redis://HOST:PORT/0, rediss://... or unix:///PATH"
        raise InvalidInput((FieldError("REDIS_URL", message),)) from None
    return Redis.from_pool(pool)


def _cells(cells: Sequence[int]) -> bytes:
    return _pack([str(cell) for cell in cells])


def _entries(reply: Any) -> list[tuple[bytes, dict[bytes, bytes]]]:
    entries = []
    for event, fields in reply:
        pairs = fields if isinstance(fields, dict) else dict(zip(fields[::2], fields[1::2], strict=True))
        entries.append((event, pairs))
    return entries
