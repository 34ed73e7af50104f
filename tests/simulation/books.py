"""Closes the books of simulated partitions: what must hold at every moment, and what must when all is settled."""

from collections.abc import Sequence
from typing import Any

import msgspec

from engine.planner import Record
from engine.store.keys import home_of, partition_of_cell
from tests.simulation.store import SimulatedServer
from tests.simulation.wire import KEYS, PARTITION_KEYS

_unpack = msgspec.msgpack.Decoder().decode


class Violation(AssertionError):
    """Something that must hold does not."""


def check_partition(server: SimulatedServer, number: int) -> None:
    """What must hold in a partition at every moment; check.lua lists it."""
    wrong = server.call("simulation_check", KEYS[number])
    if wrong:
        raise Violation(f"p{number}: {wrong.decode()}")


def check_events(server: SimulatedServer, number: int) -> None:
    """Whether the events of a partition lead to its levels."""
    wrong = server.call("simulation_check_events", KEYS[number])
    if wrong:
        raise Violation(f"p{number}: {wrong.decode()}")


def record_of(server: SimulatedServer, number: int, order_id: str) -> Record | None:
    """An order's record, in its home."""
    stored = server.command("HGET", PARTITION_KEYS[number].orders, order_id)
    return None if stored is None else Record(stored)


def check_closed(servers: Sequence[SimulatedServer]) -> None:
    """When all is settled: nothing is tentative, nothing is due, and every part is what its record says."""
    records: dict[str, Record] = {}
    for number, server in enumerate(servers):
        keys = PARTITION_KEYS[number]
        for order_id, stored in server.hgetall(keys.orders).items():
            if order_id:
                records[order_id.decode()] = Record(stored)
        for kind in ("tentative", "leases", "outbox"):
            key = getattr(keys, kind)
            left = server.hgetall(key) if kind == "tentative" else dict(server.zrange(key))
            if set(left) != {b""}:
                raise Violation(f"p{number}: left in {kind}: {sorted(set(left) - {b''})}")
    partitions = len(servers)
    for number, server in enumerate(servers):
        expected = {
            order_id: share
            for order_id, record in records.items()
            if home_of(order_id, partitions) != number and any(share := _share(record, number, partitions))
        }
        found = {
            order_id.decode(): share
            for order_id, packed in server.hgetall(PARTITION_KEYS[number].parts).items()
            if order_id and any(share := _part(_unpack(packed)))
        }
        if found != expected:
            raise Violation(f"p{number}: parts are {found}, records say {expected}")


Share = tuple[dict[int, int], dict[int, int], dict[str, int]]
"""Units held and units shipped by cell, units by counter."""


def _share(record: Record, number: int, partitions: int) -> Share:
    """What a record has in a partition."""
    held: dict[int, int] = {}
    for cell, units in record.held:
        if partition_of_cell(cell, partitions) == number:
            held[cell] = held.get(cell, 0) + units
    shipped = {cell: units for cell, units in record.shipped if partition_of_cell(cell, partitions) == number}
    counters = record.counters if record.status not in ("released", "expired") else []
    return held, shipped, {name: units for name, units in counters if int(name.split(":")[0]) % partitions == number}


def _part(part: Any) -> Share:
    _, held, shipped, counters = part
    return _table(held), _table(shipped), dict(counters)


def _table(flat: Sequence[int]) -> dict[int, int]:
    return dict(zip(flat[::2], flat[1::2], strict=True))
