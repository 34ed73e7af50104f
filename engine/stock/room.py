"""The engine's stock: counts, movements, and cells as they stand. Names on the outside, numbers to the store."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NoReturn

import msgspec
from msgspec import UNSET

from engine.errors import FieldError, InvalidInput, MovementConflict, StockBelowReserved, StockUnderChange
from engine.intake import settle_due
from engine.intake.moving import LEASE_MS, Done, put_counts, put_movement
from engine.model import Arrival, Cell, Moved, Movement, MovementRow, StockCount, limits
from engine.model.goods_rules import bundle_rule
from engine.model.movement_rules import check_movement
from engine.model.rules import check_rows
from engine.planner import Planner, cell_number
from engine.stock.refusals import refused_counts, refused_movement
from engine.store import CHANNEL_CELLS, CellRow, MoveRow, Store

UNDER_CHANGE_POLL_S = 0.1
UNDER_CHANGE_WAIT_S = LEASE_MS / 1000 + 5
"""How long a movement waits for another of the same cells: beyond the lease of one that nobody will finish."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_content = msgspec.json.Encoder(order="sorted").encode


class CellPage(msgspec.Struct, frozen=True):
    """Cells in the order of their numbers, and the cursor of the next page, if there is one."""

    cells: tuple[Cell, ...]
    cursor: str | None


class StockRoom:
    """Everything about stock that is no order."""

    def __init__(self, planner: Planner, store: Store, *, exclusive: asyncio.Lock) -> None:
        """`exclusive`: while it is held, no number is given anew and no batch is under way."""
        self._planner = planner
        self._store = store
        self._exclusive = exclusive

    async def set_stock(self, rows: Sequence[StockCount]) -> None:
        """Set counts, every row or none; see Engine.set_stock."""
        check_rows(rows)
        skus, warehouses = [row.sku for row in rows], [row.warehouse for row in rows]
        on_hand = [row.on_hand for row in rows]
        safety = [-1 if row.safety is None else row.safety for row in rows]
        done = await self._done(lambda: put_counts(self._store, self._cells(skus, warehouses, ""), on_hand, safety))
        if below := tuple((row.row, row.found) for row in done.refused if row.letter == "B"):
            raise StockBelowReserved(below)
        if done.refused:
            raise refused_counts(done.refused)

    async def move(self, movement: Movement) -> Moved:
        """Do a movement, every row or none; see Engine.move."""
        movement = check_movement(movement)
        content = hashlib.blake2b(_content(movement), digest_size=16).digest()
        cells: list[int] = []

        async def put() -> Done:
            rows = await self._move_rows(movement)
            cells[:] = _named(rows, movement)
            return await put_movement(
                self._store, movement.movement_id, content, movement.type, movement.reason or "", rows
            )

        done = await self._done(put)
        if done.letter == "C":
            raise MovementConflict(movement.movement_id)
        if done.letter == "N":
            raise refused_movement(movement, done.refused)
        return Moved(
            movement_id=movement.movement_id,
            type=movement.type,
            replayed=done.letter == "R",
            rows=len(movement.rows),
            cells=await self.read(cells),
        )

    async def page(
        self, *, sku: str | None = None, warehouse: str | None = None, cursor: str | None = None, limit: int = 500
    ) -> CellPage:
        """A page of cells as the store has them now; see Engine.stock."""
        core = self._planner.core
        sku_number = core.sku_number(sku) if sku is not None else None
        warehouse_number = core.warehouse_number(warehouse) if warehouse is not None else None
        if sku is not None and sku_number is None:
            _invalid("/sku", f'unknown SKU "{sku}"')
        if warehouse is not None and warehouse_number is None:
            _invalid("/warehouse", f'unknown warehouse "{warehouse}"')
        if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 15):
            _invalid("/cursor", "is none that an earlier page gave")
        start = int(cursor) if cursor is not None else 0
        known = core.known_cells(sku=sku_number, warehouse=warehouse_number, start=start, limit=limit + 1)
        page, more = known[:limit], known[limit:]
        return CellPage(await self.read(page), str(more[0]) if more else None)

    async def read(self, cells: Sequence[int]) -> tuple[Cell, ...]:
        """Cells as they stand, with their pools; those that exist."""
        channels = await self._channels(for_sale=False)
        pool_cells = [channel * CHANNEL_CELLS + cell for cell in cells for channel in channels.values()]
        rows = {row.cell: row for row in await self._store.read_cells([*cells, *pool_cells])}
        found = []
        for cell in cells:
            if row := rows.get(cell):
                pools = {name: rows[channel * CHANNEL_CELLS + cell].free for name, channel in channels.items()}
                found.append(self._cell(row, {name: units for name, units in pools.items() if units}))
        return tuple(found)

    async def _done(self, put: Callable[[], Awaitable[Done]]) -> Done:
        """Put something to the store until no other movement is in its way, and show its levels to the planner."""
        ends = asyncio.get_running_loop().time() + UNDER_CHANGE_WAIT_S
        while True:
            # The numbers hold as long as nothing is loaded anew, which takes the same lock.
            async with self._exclusive:
                try:
                    done = await put()
                except StockUnderChange:
                    done = Done("P")
                for levels in done.levels:
                    self._planner.core.set_levels(levels.cells, levels.free, levels.event)
            if done.letter not in ("P", "X"):
                return done
            if asyncio.get_running_loop().time() >= ends:
                raise StockUnderChange
            await asyncio.sleep(UNDER_CHANGE_POLL_S)
            # Whoever began the other movement may be gone, and nobody else here to see to it.
            await settle_due(self._store)

    async def _move_rows(self, movement: Movement) -> list[MoveRow]:
        skus = [row.sku for row in movement.rows]
        cells = self._cells(skus, [row.warehouse for row in movement.rows], "/rows")
        others = [-1] * len(cells)
        if movement.type == "transfer":
            places = [row.to_warehouse or "" for row in movement.rows]
            others = self._cells(skus, places, "/rows", field="to_warehouse")
        elif movement.type == "allot":
            channels = await self._registered(movement.rows)
            pairs = zip(cells, movement.rows, strict=True)
            others = [channels[row.channel or ""] * CHANNEL_CELLS + cell for cell, row in pairs]
        announces = movement.type in ("transfer", "inbound")
        return [
            MoveRow(
                cell,
                row.quantity or 0,
                other,
                _ms(row.arrives_at),
                movement.movement_id if announces else row.inbound or "",
                -1 if row.expected_on_hand is None else row.expected_on_hand,
            )
            for cell, other, row in zip(cells, others, movement.rows, strict=True)
        ]

    def _cells(
        self, skus: Sequence[str], places: Sequence[str], pointer: str, *, field: str = "warehouse"
    ) -> list[int]:
        core, known = self._planner.core, self._planner.skus
        if bundles := {name for name in set(skus) if name in known and known[name].components}:
            found = ((index, bundle_rule(known[name])) for index, name in enumerate(skus) if name in bundles)
            raise InvalidInput(tuple(FieldError(f"{pointer}/{index}/sku", rule) for index, rule in found))
        sku_numbers = {name: core.sku_number(name) for name in set(skus)}
        warehouse_numbers = {name: core.warehouse_number(name) for name in set(places)}
        if None in sku_numbers.values() or None in warehouse_numbers.values():
            errors: list[FieldError] = []
            for index, (name, place) in enumerate(zip(skus, places, strict=True)):
                if sku_numbers[name] is None:
                    errors.append(FieldError(f"{pointer}/{index}/sku", f'unknown SKU "{name}"'))
                if warehouse_numbers[place] is None:
                    errors.append(FieldError(f"{pointer}/{index}/{field}", f'unknown warehouse "{place}"'))
            raise InvalidInput(tuple(errors))
        firsts = {name: cell_number(sku=number or 0, warehouse=0) for name, number in sku_numbers.items()}
        offsets = {name: number or 0 for name, number in warehouse_numbers.items()}
        return [firsts[name] + offsets[place] for name, place in zip(skus, places, strict=True)]

    async def _channels(self, *, for_sale: bool) -> dict[str, int]:
        """Channels that have, or had, pools, by name; their numbers as cells have them."""
        pages = self._store.catalogue.scan_channels(for_sale=for_sale)
        return {row.name: row.number + 1 async for page in pages for row in page}

    async def _registered(self, rows: Sequence[MovementRow]) -> dict[str, int]:
        """As `_channels`, with those that rows allot to for the first time."""
        channels = await self._channels(for_sale=True)
        errors: list[FieldError] = []
        fresh: list[str] = []
        for index, row in enumerate(rows):
            name = row.channel or ""
            if name in channels or name in fresh:
                continue
            if (row.quantity or 0) < 0:
                errors.append(FieldError(f"/rows/{index}/channel", f'no stock was ever allotted to "{name}"'))
            elif len(channels) + len(fresh) >= limits.CHANNELS_MAX:
                errors.append(
                    FieldError(f"/rows/{index}/channel", f"{limits.CHANNELS_MAX} channels have pools already")
                )
            else:
                fresh.append(name)
        if errors:
            raise InvalidInput(tuple(errors))
        if fresh:
            numbers = await self._store.catalogue.put_channels([(name, b"{}") for name in fresh])
            channels.update((name, number + 1) for name, number in zip(fresh, numbers, strict=True))
            # An order of the channel may come before the catalogue's news of it.
            self._planner.put_channels(zip(numbers, fresh, strict=True))
        return channels

    def _cell(self, row: CellRow, pools: dict[str, int]) -> Cell:
        sku, warehouse = self._planner.core.cell_names(row.cell) or ("?", "?")
        available = row.free + sum(pools.values())
        return Cell(
            sku=sku,
            warehouse=warehouse,
            on_hand=row.on_hand,
            reserved=row.on_hand - row.safety - available,
            safety=row.safety,
            available=available,
            quarantined=row.quarantined,
            inbound=sum(units for _, units, _ in row.inbound),
            arrivals=tuple(
                Arrival(reference=reference, quantity=units, arrives_at=_instant(ms))
                for reference, units, ms in row.inbound
            ),
            pools=pools or UNSET,
        )


def _named(rows: Sequence[MoveRow], movement: Movement) -> list[int]:
    """The cells that a movement names, each once, in its order; pools are in theirs."""
    others = [row.other for row in rows] if movement.type == "transfer" else []
    return list(dict.fromkeys([row.cell for row in rows] + others))


def _ms(instant: datetime | None) -> int:
    return 0 if instant is None else (instant - _EPOCH) // timedelta(milliseconds=1)


def _instant(ms: int) -> datetime | None:
    return _EPOCH + timedelta(milliseconds=ms) if ms else None


def _invalid(pointer: str, message: str) -> NoReturn:
    raise InvalidInput((FieldError(pointer, message),))
