"""Makes events as people read them of those in the store: names from the catalogue, only what was done."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from engine.intake import Replica
from engine.model.event import CellChange, Event
from engine.planner import Planner

LEARN_TRIES = 3

CELLS_OF_CHANNEL = 1 << 36
CELLS_OF_SKU = 4_096

_strings = msgspec.msgpack.Decoder(list[str]).decode
_numbers = msgspec.msgpack.Decoder(list[int]).decode

Row = tuple[int, bytes, dict[bytes, bytes]]
"""Partition, id and fields of an event."""


class EventReader:
    """Reads stored events with the names that the planner knows."""

    def __init__(self, planner: Planner, replica: Replica) -> None:
        self._planner = planner
        self._replica = replica

    async def learn_names(self, rows: Sequence[Row]) -> None:
        """Bring the catalogue up to the names that events need: another process may have added them just before."""
        cells = {int(cell) % CELLS_OF_CHANNEL for _, _, fields in rows for cell in _strings(fields[b"c"])}
        for _ in range(LEARN_TRIES):
            cells = {cell for cell in cells if self._planner.core.cell_names(cell) is None}
            if not cells:
                return
            await self._replica.read_catalogue(block_ms=1)

    def event(self, row: Row, cursor: str | None) -> Event:
        """One event."""
        partition, event_id, fields = row
        cells, taken = _strings(fields[b"c"]), _numbers(fields[b"d"])
        counted = _numbers(fields[b"h"]) if b"h" in fields else [0] * len(cells)
        ids, outcomes = _strings(fields.get(b"i", b"\x90")), fields.get(b"o", b"")
        # Behind the units of cells may stand those of counters.
        changes = zip(cells, taken[: len(cells)], counted, strict=True)
        ms = int(event_id.partition(b"-")[0])
        return Event(
            id=f"{partition}:{event_id.decode()}",
            cursor=cursor,
            partition=partition,
            n=int(fields[b"n"]),
            type=fields[b"t"].decode(),
            at=datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000),
            writer=fields[b"w"].decode(),
            orders=tuple(
                order_id for place, order_id in enumerate(ids) if not outcomes or outcomes[place : place + 1] == b"A"
            ),
            cells=tuple(self._change(int(cell), *units) for cell, *units in changes if any(units)),
            movement_id=_text(fields, b"m"),
            movement_type=_text(fields, b"k"),
            transition_id=_transition_id(_text(fields, b"x")),
            reason=_text(fields, b"r"),
        )

    def _change(self, number: int, taken: int, counted: int) -> CellChange:
        channel, cell = divmod(number, CELLS_OF_CHANNEL)
        # Numbers instead of names only where the catalogue was lost.
        sku, warehouse = self._planner.core.cell_names(cell) or tuple(f"#{half}" for half in divmod(cell, CELLS_OF_SKU))
        return CellChange(
            sku=sku,
            warehouse=warehouse,
            channel=self._planner.channels.get(channel, f"#{channel}") if channel else None,
            taken=taken,
            on_hand_change=counted,
        )


def _transition_id(name: str | None) -> str | None:
    """The caller's id of a transition, which the store keeps as `what:id=digest`."""
    return name.partition(":")[2].rpartition("=")[0] if name else None


def _text(fields: dict[bytes, bytes], name: bytes) -> str | None:
    return fields[name].decode() if fields.get(name) else None
