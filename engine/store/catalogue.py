"""The catalogue in the store: numbers and definitions of SKUs, warehouses, channels; tariff; policies; changes."""

import secrets
from collections.abc import AsyncIterator, Sequence

import msgspec

from engine.errors import StoreChanged
from engine.model import limits
from engine.store.keys import CatalogueKeys
from engine.store.scan import Entry, entries_of, scan_hash
from engine.store.wire import Lane, Wire

_pack = msgspec.msgpack.Encoder().encode
_unpack_numbers = msgspec.msgpack.Decoder(list[int]).decode


class Definition(msgspec.Struct, frozen=True):
    """A SKU or a warehouse: its number, its name and its definition as JSON."""

    number: int
    name: str
    json: bytes


class Catalogue:
    """The catalogue's calls."""

    def __init__(self, wire: Wire, keys: CatalogueKeys) -> None:
        self._wire = wire
        self._keys = keys
        self.epoch = b""
        self._opened_at = ""

    async def open(self, partitions: int) -> int:
        """Make the catalogue if there is none, for so many partitions; returns how many are in force."""
        reply, self._opened_at = await self._wire.call_at(
            "stockade_open_catalogue", (self._keys.meta,), (secrets.token_hex(8), partitions), lane=Lane.SALE
        )
        self.epoch = reply[0]
        return int(reply[1])

    async def put_skus(self, rows: Sequence[tuple[str, bytes]]) -> list[int]:
        """Add or replace SKUs (name, JSON); returns their numbers."""
        return await self._put("sku", self._keys.skus, limits.SKUS_MAX, rows)

    async def put_warehouses(self, rows: Sequence[tuple[str, bytes]]) -> list[int]:
        """Add or replace warehouses (name, JSON); returns their numbers."""
        return await self._put("warehouse", self._keys.warehouses, limits.WAREHOUSES_MAX, rows)

    async def put_channels(self, rows: Sequence[tuple[str, bytes]]) -> list[int]:
        """Add channels that have pools (name, JSON); returns their numbers, from 0."""
        return await self._put("channel", self._keys.channels, limits.CHANNELS_MAX, rows)

    async def put_tariff(self, definition: bytes) -> None:
        """Replace the tariff (JSON)."""
        keys = self._keys
        await self._wire.call(
            "stockade_put_tariff", (keys.meta, keys.events), (self.epoch, definition), lane=Lane.SALE, durable=True
        )

    async def read_tariff(self) -> bytes | None:
        """The tariff (JSON), if there is one."""
        tariff: bytes | None = await self._wire.command("HGET", self._keys.meta, "tariff", lane=Lane.SALE)
        return tariff

    async def put_matrix(self, of: str, definition: bytes) -> None:
        """Replace the own distances or costs (JSON, or nothing for none)."""
        keys = self._keys
        arguments = (self.epoch, of, definition)
        await self._wire.call("stockade_put_matrix", (keys.meta, keys.events), arguments, lane=Lane.SALE, durable=True)

    async def read_matrix(self, of: str) -> bytes | None:
        """The own distances or costs (JSON), if there are any."""
        matrix: bytes | None = await self._wire.command("HGET", self._keys.meta, f"matrix_{of}", lane=Lane.SALE)
        return matrix or None

    async def put_policies(self, version: str, fingerprint: str, content: bytes, *, go_back: bool) -> str:
        """Put a book of policies in force, or none (all empty). `go_back`: also one that was in force before another.

        Returns "put", "same" where it is in force already, "before" where it was once and nothing was done, or "other "
        and the fingerprint that this version has.
        """
        keys = self._keys
        arguments = (self.epoch, version, fingerprint, content, int(go_back))
        reply: bytes = await self._wire.call(
            "stockade_put_policies", (keys.meta, keys.events), arguments, lane=Lane.SALE, durable=True
        )
        return reply.decode()

    async def read_policies(self) -> bytes | None:
        """The book of policies in force, as it was put there, if there is one."""
        policies: bytes | None = await self._wire.command("HGET", self._keys.meta, "policies", lane=Lane.SALE)
        return policies or None

    def scan_skus(self) -> AsyncIterator[list[Definition]]:
        """All SKUs, in pages."""
        return self._scan(self._keys.skus)

    def scan_warehouses(self) -> AsyncIterator[list[Definition]]:
        """All warehouses, in pages."""
        return self._scan(self._keys.warehouses)

    def scan_channels(self, *, for_sale: bool = True) -> AsyncIterator[list[Definition]]:
        """All channels that have pools, in pages. `for_sale`: orders wait for it."""
        return self._scan(self._keys.channels, Lane.SALE if for_sale else Lane.READ)

    async def position(self) -> bytes:
        """The id of the newest event."""
        newest = await self._wire.command("XREVRANGE", self._keys.events, "+", "-", "COUNT", 1, lane=Lane.SALE)
        return entries_of(newest)[0][0] if newest else b"0-0"

    async def read_events(self, after: bytes, *, block_ms: int | None, events_max: int) -> list[Entry]:
        """Events after one; waits up to `block_ms`, if it is given, for the first.

        Raises StoreChanged as FeedCalls.read does.
        """
        wait = () if block_ms is None else ("BLOCK", block_ms)
        command = ("XREAD", "COUNT", events_max, *wait, "STREAMS", self._keys.events, after)
        # Those that wait have connections of their own, as nobody else could use theirs meanwhile.
        reply, by = await self._wire.command_at(*command, lane=Lane.SALE if block_ms is None else Lane.FEED)
        if by != self._opened_at:
            raise StoreChanged(f"{by} serves the catalogue now, not {self._opened_at}")
        return entries_of(reply[0][1]) if reply else []

    async def _scan(self, key: str, lane: Lane = Lane.SALE) -> AsyncIterator[list[Definition]]:
        async for page in scan_hash(self._wire, key, lane=lane):
            yield [parse_definition(name, value) for name, value in page]

    async def _put(self, kind: str, key: str, numbers_max: int, rows: Sequence[tuple[str, bytes]]) -> list[int]:
        keys = self._keys
        flat = [part for name, json in rows for part in (name, json.decode())]
        reply = await self._wire.call(
            "stockade_put_definitions",
            (keys.meta, key, keys.events),
            (self.epoch, kind, numbers_max, _pack(flat)),
            lane=Lane.SALE,
            durable=True,
        )
        return _unpack_numbers(reply)


def parse_definition(name: bytes, value: bytes) -> Definition:
    """A definition as the store keeps it: `number:JSON`."""
    number, _, json = value.partition(b":")
    return Definition(int(number), name.decode(), json)
