"""Keeps the planner's copy of the catalogue and of the stock: loads it whole, then follows the store's events."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any, TypeVar

import msgspec
import structlog

from engine.errors import StoreChanged, StoreUnsupported
from engine.intake.freshness import Freshness
from engine.model import CostMatrix, DistanceMatrix, MatrixOf, Sku, Tariff, Warehouse
from engine.planner import Planner, warehouse_of
from engine.store import Definition, Place, Store, parse_definition

BLOCK_MS = 500
"""How long one read of the streams waits for news."""

EVENTS_MAX = 500
"""Events taken in one read, so that the event loop is never kept long."""

OWN_PAUSE_S = 0.005
"""Between reads of a partition's events while all are of this process's own commits, which its view had before the
store: at a peak each of them would be read alone, for nothing."""

ALONE_AFTER_S = 1.0
"""So long nobody else must have been seen for that."""

OWN_TAKES = (b"commit", b"prepare")
"""Events whose units this process took from its view before they came."""

FREES_NO_DAY = (*OWN_TAKES, b"seal")
"""Events of orders that free nothing of what warehouses serve on a day; any other may, and does not say so."""

TAKES_ONLY = (*OWN_TAKES, b"confirm", b"extend", b"ship")
"""Events that give no cell anything."""

log = structlog.get_logger(__name__)

MATRICES: dict[MatrixOf, type[DistanceMatrix | CostMatrix]] = {"distance": DistanceMatrix, "cost": CostMatrix}

T = TypeVar("T", bound=msgspec.Struct)


class Replica:
    """Loads and follows. Levels are set only by `load`, which the caller runs while no batch is under way."""

    def __init__(self, planner: Planner, store: Store, *, read_policies: Callable[[], Awaitable[None]]) -> None:
        """`read_policies` is called whenever the store may have others."""
        self._planner = planner
        self._store = store
        self._read_policies = read_policies
        self._stock_positions: list[Place] = []
        self._catalogue_position = b"0-0"
        self.loads = 0
        """Counts loads: what was known before the last one may speak of another store."""
        self.freshness = Freshness()
        self.arrivals = 0
        """Counts events that gave stock to cells: what orders that wait for some look at."""

    @property
    def catalogue_position(self) -> bytes:
        """The newest event of the catalogue that the planner knows."""
        return self._catalogue_position

    async def load(self) -> None:
        """Read the whole catalogue and all levels, then exchange them for what the planner had, in one step.

        Positions first, so that what changes meanwhile is followed. Raises StoreError, and then nothing was changed.
        """
        store, planner = self._store, self._planner.blank()
        planner.set_partitions(len(store.partitions), store.writer)
        catalogue_position = await store.catalogue.position()
        stock_positions = [await partition.feed.position() for partition in store.partitions]
        try:
            async for warehouses in store.catalogue.scan_warehouses():
                planner.put_warehouses((row.number, _read(Warehouse, row.json)) for row in warehouses)
            async for channels in store.catalogue.scan_channels():
                planner.put_channels((row.number, row.name) for row in channels)
            async for skus in store.catalogue.scan_skus():
                planner.put_skus((row.number, _read(Sku, row.json)) for row in skus)
            tariff = await store.catalogue.read_tariff()
            planner.set_tariff(_read(Tariff, tariff) if tariff else None)
            for of in MATRICES:
                planner.set_matrix(of, await self._matrix(of))
            await self._read_policies()
            for partition in store.partitions:
                async for page, event in partition.cells.scan_free():
                    planner.core.load_levels(page, event)
                planner.counted(await partition.cells.counted())
        except (msgspec.MsgspecError, ValueError) as error:
            raise StoreUnsupported(f"The store holds something that this release cannot read: {error}.") from error
        self._planner.become(planner)
        self._stock_positions, self._catalogue_position = stock_positions, catalogue_position
        self.loads += 1
        # Stock that came meanwhile is in what was loaded.
        self.arrivals += 1
        self.freshness.loaded([position.n for position in stock_positions])

    @property
    def positions(self) -> list[Place]:
        """Up to where each partition's events are in the view."""
        return list(self._stock_positions)

    async def follow_catalogue(self) -> None:
        """Apply changes of the catalogue as they come. Raises StoreUnavailable when the store breaks off."""
        while True:
            await self.read_catalogue(block_ms=BLOCK_MS)

    async def read_catalogue(self, *, block_ms: int) -> None:
        """Apply the next changes of the catalogue; waits up to `block_ms` (1 at least) for the first."""
        await self._apply_catalogue(block_ms)

    async def catch_up_catalogue(self) -> None:
        """Apply all changes of the catalogue up to now, as after one of our own: whoever plans from here on knows it.

        Like every other it comes from the stream, in its place there: set by hand, an older one that is being followed
        just then would undo it for a while.
        """
        while await self._apply_catalogue(None) == EVENTS_MAX:
            pass

    async def _apply_catalogue(self, block_ms: int | None) -> int:
        """How many there were; without `block_ms` those that there are."""
        loads = self.loads
        entries = await self._store.catalogue.read_events(
            self._catalogue_position, block_ms=block_ms, events_max=EVENTS_MAX
        )
        for event, fields in entries:
            # Somebody else has applied it meanwhile, and maybe later ones. Or a load came in between: what was read
            # belongs to what was there before it.
            if self.loads != loads or not self._is_news(event):
                continue
            if fields[b"t"] == b"matrix":
                of: MatrixOf = "cost" if fields[b"v"] == b"cost" else "distance"
                matrix = await self._matrix(of)
                if self.loads != loads or not self._is_news(event):
                    continue
                self._planner.set_matrix(of, matrix)
            elif fields[b"t"] == b"policies":
                # Its event names the version only.
                await self._read_policies()
                if self.loads != loads or not self._is_news(event):
                    continue
            else:
                self.apply_definitions(fields)
            self._catalogue_position = event
        return len(entries)

    def _is_news(self, event: bytes) -> bool:
        return _order_of(event) > _order_of(self._catalogue_position)

    async def _matrix(self, of: MatrixOf) -> DistanceMatrix | CostMatrix | None:
        json = await self._store.catalogue.read_matrix(of)
        return _read(MATRICES[of], json) if json else None

    async def follow_partition(self, number: int) -> None:
        """Apply a partition's events as they come, until `load` is due: StoreUnavailable when the store breaks off,
        StoreChanged when events were dropped from the stream before they were read here."""
        writer = self._store.writer.encode()
        others_at = monotonic()
        while True:
            partition = self._store.partitions[number]
            loads, position = self.loads, self._stock_positions[number]
            entries = await partition.feed.read(position.id, block_ms=BLOCK_MS, events_max=EVENTS_MAX)
            if self.loads != loads or not entries:
                continue
            if int(entries[0][1][b"n"]) != position.n + 1:
                raise StoreChanged("events were dropped from the stream before this process read them")
            of_others = None
            for event, fields in entries:
                # Our own commits were taken from the view when they were planned.
                if fields[b"t"] not in OWN_TAKES or fields[b"w"] != writer:
                    self._planner.core.apply_event(event, fields[b"c"], fields[b"d"])
                    if fields[b"t"] not in FREES_NO_DAY and (b"i" in fields or b"p" in fields):
                        self._planner.core.doubt_capacity()
                    if fields[b"t"] not in TAKES_ONLY and _gives(fields[b"d"]):
                        self.arrivals += 1
                    if fields[b"t"] == b"count":
                        self._planner.counted(_counted(event, fields[b"c"]))
                    of_others = of_others or event
                position = self._stock_positions[number] = Place(event, int(fields[b"n"]))
            self.freshness.applied(number, position.n, oldest_of_others=of_others)
            if len(entries) == EVENTS_MAX:
                await asyncio.sleep(0)
            if of_others is not None:
                others_at = monotonic()
            elif monotonic() - others_at > ALONE_AFTER_S:
                await asyncio.sleep(OWN_PAUSE_S)

    def apply_definitions(self, fields: dict[bytes, bytes]) -> None:
        """Apply one event of the catalogue stream."""
        kind, value = fields[b"t"], fields[b"v"]
        if kind == b"tariff":
            self._planner.set_tariff(_read(Tariff, value))
        elif kind == b"sku":
            self._planner.put_skus((row.number, _read(Sku, row.json)) for row in _definitions(value))
        elif kind == b"warehouse":
            self._planner.put_warehouses((row.number, _read(Warehouse, row.json)) for row in _definitions(value))
        elif kind == b"channel":
            self._planner.put_channels((row.number, row.name) for row in _definitions(value))
        else:
            log.warning("catalogue event of an unknown kind", kind=kind)


def _order_of(event: bytes) -> tuple[int, int]:
    """By which the ids of events compare."""
    at_ms, _, number = event.partition(b"-")
    return int(at_ms), int(number)


def _gives(units: bytes) -> bool:
    return any(taken < 0 for taken in msgspec.msgpack.decode(units, type=list[int]))


def _read(type_: type[T], json: bytes) -> T:
    """A stored definition. What a later release added is left out: it must not stop this one."""
    fields = msgspec.json.decode(json, type=dict[str, Any])
    known = type_.__struct_fields__
    return msgspec.convert({name: value for name, value in fields.items() if name in known}, type_)


def _definitions(value: bytes) -> list[Definition]:
    flat: list[str] = msgspec.msgpack.decode(value)
    return [parse_definition(name.encode(), text.encode()) for name, text in zip(flat[::2], flat[1::2], strict=True)]


def _counted(event: bytes, cells: bytes) -> dict[int, int]:
    """The warehouses of cells that were counted at an event, whose id begins with the store's time."""
    at_ms = int(event.partition(b"-")[0])
    return dict.fromkeys({warehouse_of(int(cell)) for cell in msgspec.msgpack.decode(cells, type=list[str])}, at_ms)
