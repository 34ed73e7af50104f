"""The arguments of a commit or a prepare for orders with known records, as the core packs them for planned ones."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from engine.planner import Record
from engine.store import Partition, Store, packed_strings, partition_of_counter

LIMIT_NONE = 1 << 50
"""What was promised is not refused for a limit: it was within it."""

_pack = msgspec.msgpack.Encoder().encode


class Share(NamedTuple):
    """What an order takes of one partition: units by cell and by counter."""

    cells: tuple[tuple[int, int], ...]
    counters: tuple[tuple[str, int], ...]


class Entry(NamedTuple):
    """One order or attempt of a call: its name, what is kept of it, what it takes."""

    name: str
    kept: bytes
    share: Share


def share_of(store: Store, record: Record, partition: Partition) -> Share:
    """What a record holds of a partition."""
    count = len(store.partitions)
    return Share(
        tuple((cell, units) for cell, units in record.held if units and store.owner(cell) is partition),
        tuple(
            (name, units) for name, units in record.counters if partition_of_counter(name, count) == partition.number
        ),
    )


def partitions_of(store: Store, record: Record) -> set[int]:
    """The numbers of all partitions that a record holds anything of."""
    count = len(store.partitions)
    found = {store.owner(cell).number for cell, units in record.held if units}
    return found | {partition_of_counter(name, count) for name, _ in record.counters}


def kept_of_attempt(order_id: str, home: int, share: Share) -> bytes:
    """What a partition keeps of an attempt; partitions.lua says how."""
    cells = [part for pair in share.cells for part in pair]
    return _pack([order_id, home, cells, [list(counter) for counter in share.counters]])


def weighed_args(entries: Sequence[Entry]) -> list[bytes]:
    """The arguments that commit.lua weighs: cells, units, counters, names, what is kept, and who takes what."""
    cells: dict[int, int] = {}
    counters: dict[str, int] = {}
    for entry in entries:
        for cell, units in entry.share.cells:
            cells[cell] = cells.get(cell, 0) + units
        for name, units in entry.share.counters:
            counters[name] = counters.get(name, 0) + units
    cell_places = {cell: place for place, cell in enumerate(cells, 1)}
    counter_places = {name: place for place, name in enumerate(counters, 1 + len(cells))}
    by_order: list[int] = []
    for entry in entries:
        by_order.append(len(entry.share.cells) + len(entry.share.counters))
        for cell, units in entry.share.cells:
            by_order += (cell_places[cell], units)
        for name, units in entry.share.counters:
            by_order += (counter_places[name], units)
    counted = [list(counters), [LIMIT_NONE] * len(counters), list(counters.values())]
    return [
        _pack([str(cell) for cell in cells]),
        _pack(list(cells.values())),
        _pack(counted) if counters else b"",
        _pack([entry.name for entry in entries]),
        packed_strings(part for entry in entries for part in (entry.name.encode(), entry.kept)),
        _pack(by_order),
    ]


def commit_args(
    entries: Sequence[Entry], holds_ms: Sequence[int | None], attempts: Sequence[str | None]
) -> list[bytes]:
    """The arguments of a commit: those that are weighed, holds, no wish for levels, attempts."""
    holds = [part for place, hold in enumerate(holds_ms, 1) if hold is not None for part in (place, hold)]
    named = [part for place, attempt in enumerate(attempts, 1) if attempt is not None for part in (place, attempt)]
    return [*weighed_args(entries), _pack(holds) if holds else b"", b"", _pack(named) if named else b""]
