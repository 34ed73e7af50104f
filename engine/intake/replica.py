"""Keeps the planner's copy of the catalogue and of the stock: loads it whole, then follows the store's events."""

import asyncio

import msgspec
import structlog

from engine.model import Sku, Tariff, Warehouse
from engine.planner import Planner
from engine.store import Definition, Store, parse_definition

BLOCK_MS = 500
"""How long one read of the streams waits for news."""

EVENTS_MAX = 500
"""Events taken in one read, so that the event loop is never kept long."""

_sku = msgspec.json.Decoder(Sku).decode
_warehouse = msgspec.json.Decoder(Warehouse).decode
_tariff = msgspec.json.Decoder(Tariff).decode

log = structlog.get_logger(__name__)


class Replica:
    """Loads and follows. Levels are set only by `load`, which the caller runs while no batch is under way."""

    def __init__(self, planner: Planner, store: Store) -> None:
        self._planner = planner
        self._store = store
        self._stock_position = b"0-0"
        self._catalogue_position = b"0-0"

    async def load(self) -> None:
        """Read the whole catalogue and all levels. Positions first, so that what changes meanwhile is followed."""
        store, planner = self._store, self._planner
        self._stock_position, self._catalogue_position = await store.event_positions()
        async for warehouses in store.scan_warehouses():
            planner.put_warehouses((row.number, _warehouse(row.json)) for row in warehouses)
        async for skus in store.scan_skus():
            planner.put_skus((row.number, _sku(row.json)) for row in skus)
        tariff = await store.read_tariff()
        planner.set_tariff(_tariff(tariff) if tariff else None)
        planner.core.clear_levels()
        async for page, event in store.scan_free():
            planner.core.load_levels(page, event)

    async def follow(self) -> None:
        """Apply events as they come, until the store breaks off: then StoreUnavailable, and `load` is due."""
        store = self._store
        while True:
            stock, catalogue = await store.read_events(
                self._stock_position, self._catalogue_position, block_ms=BLOCK_MS, events_max=EVENTS_MAX
            )
            # Definitions first: a level of a new SKU is of use only with its name.
            for event, fields in catalogue:
                self.apply_definitions(fields)
                self._catalogue_position = event
            for event, fields in stock:
                # Our own commits were taken from the view when they were planned.
                if fields[b"t"] != b"commit" or fields[b"w"] != store.writer.encode():
                    self._planner.core.apply_event(event, fields[b"c"], fields[b"d"])
                self._stock_position = event
            if len(stock) == EVENTS_MAX:
                await asyncio.sleep(0)

    def apply_definitions(self, fields: dict[bytes, bytes]) -> None:
        """Apply one event of the catalogue stream."""
        kind, value = fields[b"t"], fields[b"v"]
        if kind == b"tariff":
            self._planner.set_tariff(_tariff(value))
        elif kind == b"sku":
            self._planner.put_skus((row.number, _sku(row.json)) for row in _definitions(value))
        elif kind == b"warehouse":
            self._planner.put_warehouses((row.number, _warehouse(row.json)) for row in _definitions(value))
        else:
            log.warning("catalogue event of an unknown kind", kind=kind)


def _definitions(value: bytes) -> list[Definition]:
    flat: list[str] = msgspec.msgpack.decode(value)
    return [parse_definition(name.encode(), text.encode()) for name, text in zip(flat[::2], flat[1::2], strict=True)]
