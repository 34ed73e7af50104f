"""Whether the books of all partitions balance: what records, parts and attempts hold against cells and counters.

For a store that is at rest: it reads one partition after the other. Settles first what processes left behind.
"""

import asyncio
from collections import Counter

import msgspec

from engine import Engine
from engine.intake import settle_due
from engine.planner import Record
from engine.store.scan import scan_hash

SETTLE_S = 30.0
POLL_S = 0.1


async def settled(engine: Engine) -> None:
    """Wait until no attempt and no order waits for another partition."""
    async with asyncio.timeout(SETTLE_S):
        while True:
            await settle_due(engine.store)
            left = 0
            for partition in engine.store.partitions:
                for key in (partition.keys.leases, partition.keys.outbox):
                    # One member without a name keeps the key alive.
                    left += await partition.wire.command("ZCARD", key) - 1
            if not left:
                return
            await asyncio.sleep(POLL_S)


async def assert_balanced(engine: Engine) -> dict[str, Record]:
    """All partitions agree with the records of their homes, and no cell is below zero; returns the records."""
    await settled(engine)
    records: dict[str, Record] = {}
    for partition in engine.store.partitions:
        async for page in partition.orders.scan():
            records.update((order_id, Record(record)) for order_id, record in page)
    held: Counter[int] = Counter()
    counted: Counter[str] = Counter()
    for record in records.values():
        if record.holds_stock:
            for cell, units in record.held:
                held[cell] += units
        if record.status not in ("released", "expired"):
            for name, units in record.counters:
                counted[name] += units
    found_held: Counter[int] = Counter()
    found_counted: Counter[str] = Counter()
    for partition in engine.store.partitions:
        async for page in scan_hash(partition.wire, partition.keys.on_hand):
            _, rows = await partition.cells.read([int(cell) for cell, _ in page])
            for row in rows:
                assert row.free >= 0, f"cell {row.cell} is sold beyond its stock: {row}"
                found_held[row.cell] += row.on_hand - row.safety - row.free
        async for counters in scan_hash(partition.wire, partition.keys.counters):
            found_counted.update({name.decode(): int(units) for name, units in counters})
        await assert_parts(engine, partition.number, records)
    wrong = {cell: (held[cell], found_held[cell]) for cell in held | found_held if held[cell] != found_held[cell]}
    assert not wrong, f"cells by number, what records hold and what the cell says: {wrong}"
    assert +counted == +found_counted
    return records


async def assert_parts(engine: Engine, number: int, records: dict[str, Record]) -> None:
    """A partition's parts hold what the records say."""
    partition = engine.store.partitions[number]
    async for page in scan_hash(partition.wire, partition.keys.parts):
        for name, stored in page:
            _, cells, _, _ = msgspec.msgpack.decode(stored)
            record = records.get(name.decode())
            own = {} if record is None or not record.holds_stock else dict(record.held)
            part = {cell: units for cell, units in zip(cells[::2], cells[1::2], strict=True) if units}
            expected = {cell: units for cell, units in own.items() if units and engine.store.owner(cell) is partition}
            assert part == expected, f"the part of {name!r} in partition {number}"
