"""The books of every partition in plain Python: what records, parts and attempts hold against cells and counters."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec
from redis.asyncio import Redis

from engine import Engine
from engine.intake import follow_order
from engine.planner import Record
from engine.store import home_of, partition_of_cell, partition_of_counter
from tests.engine.small_network import SKUS, WAREHOUSES, cell

_unpack = msgspec.msgpack.decode


class Ledger(msgspec.Struct):
    """What a partition keeps."""

    free: dict[int, int]
    on_hand: dict[int, int]
    counters: dict[str, int]
    parts: dict[str, list[Any]]
    tentative: dict[str, list[Any]]
    totals: tuple[int, int]


class Books(msgspec.Struct):
    """What all partitions keep."""

    records: dict[str, Record]
    ledgers: list[Ledger]

    def free(self) -> dict[int, int]:
        """What is free in each cell."""
        return {cell: units for ledger in self.ledgers for cell, units in ledger.free.items()}

    def on_hand(self) -> dict[int, int]:
        """What is on hand in each cell."""
        return {cell: units for ledger in self.ledgers for cell, units in ledger.on_hand.items()}


async def put_stock(engine: Engine, counts: Mapping[tuple[str, str], int]) -> None:
    """Fill an empty store of any number of partitions: `counts` holds on_hand by (SKU, warehouse)."""
    await engine.put_warehouses(WAREHOUSES)
    await engine.put_skus(SKUS)
    wanted = {cell(engine, *name): units for name, units in counts.items()}
    for partition, cells in engine.store.by_owner(list(wanted)).items():
        event, levels, _ = await partition.movements.set_stock(cells, [wanted[one] for one in cells], [0] * len(cells))
        engine.planner.set_levels(list(zip(cells, levels, strict=True)), event)


async def read_books(engine: Engine) -> Books:
    """All that the store keeps of stock and orders."""
    records: dict[str, Record] = {}
    ledgers = []
    async with Redis.from_url(engine.store.url) as client:
        for partition in engine.store.partitions:
            keys = partition.keys
            found = {
                name: {field: value for field, value in (await client.hgetall(getattr(keys, name))).items() if field}
                for name in ("free", "on_hand", "counters", "orders", "parts", "tentative", "meta")
            }
            records |= {field.decode(): Record(value) for field, value in found["orders"].items()}
            ledgers.append(
                Ledger(
                    free={int(field): int(value) for field, value in found["free"].items()},
                    on_hand={int(field): int(value) for field, value in found["on_hand"].items()},
                    counters={field.decode(): int(value) for field, value in found["counters"].items()},
                    parts={field.decode(): _unpack(value) for field, value in found["parts"].items()},
                    tentative={field.decode(): _unpack(value) for field, value in found["tentative"].items()},
                    totals=(int(found["meta"].get(b"free_total", 0)), int(found["meta"].get(b"on_hand_total", 0))),
                )
            )
    return Books(records, ledgers)


async def assert_books(engine: Engine, *, follow: bool = True) -> Books:
    """Whatever a cell or counter misses is held by a record, a part or an attempt; and parts equal their records.

    `follow`: let partitions follow first, as whoever tends the store does.
    """
    if follow:
        for order_id in (await read_books(engine)).records:
            await follow_order(engine.store, order_id)
    books = await read_books(engine)
    count = len(books.ledgers)
    for number, ledger in enumerate(books.ledgers):
        held: Counter[int] = Counter()
        counted: Counter[str] = Counter()
        for order_id, record in books.records.items():
            cells, shipped, counters = _share(record, number, count)
            if home_of(order_id, count) == number:
                assert order_id not in ledger.parts
                held.update(cells)
                counted.update(counters)
            elif follow:
                part = ledger.parts.get(order_id, [record.version, [], [], []])
                assert part[0] == record.version, order_id
                assert (_pairs(part[1]), _pairs(part[2]), dict(part[3])) == (cells, shipped, counters), order_id
        for _, flat, _, counters in ledger.parts.values():
            held.update(_pairs(flat))
            counted.update(dict(counters))
        for _, _, flat, counters in ledger.tentative.values():
            held.update(_pairs(flat))
            counted.update(dict(counters))
        missing = {one: ledger.on_hand[one] - ledger.free.get(one, 0) for one in ledger.on_hand}
        assert {one: units for one, units in missing.items() if units} == {o: u for o, u in held.items() if u}
        assert min(ledger.free.values(), default=0) >= 0
        assert {name: units for name, units in ledger.counters.items() if units} == {
            n: u for n, u in counted.items() if u
        }
        assert ledger.totals == (sum(ledger.free.values()), sum(ledger.on_hand.values()))
    if count == 1:
        assert (await engine.audit()).differences == ()
    return books


def _share(record: Record, number: int, count: int) -> tuple[dict[int, int], dict[int, int], dict[str, int]]:
    """What of a record belongs to a partition: held, shipped, counted."""
    shipped = {one: units for one, units in record.shipped if partition_of_cell(one, count) == number}
    held = {one: units for one, units in record.held if units and partition_of_cell(one, count) == number}
    counters = dict(record.counters) if record.status not in ("released", "expired") else {}
    return held, shipped, {n: u for n, u in counters.items() if partition_of_counter(n, count) == number}


def _pairs(flat: list[int]) -> dict[int, int]:
    return dict(zip(flat[::2], flat[1::2], strict=True))
