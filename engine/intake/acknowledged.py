"""What this process was acknowledged lately, so that a store that went back behind it can be given it again.

In memory only and bounded: what was acknowledged to a process that has ended, or longer ago than KEPT_S, nobody sends
again. Knows commits, not later changes: an order that was confirmed, cancelled or shipped since is kept as it began.
"""

import struct
import time
from collections import deque
from collections.abc import Iterator, Sequence

import msgspec

from engine.planner import Record
from engine.store import Ticket, unpacked_strings

KEPT_S = 600.0
"""Replication that lags further behind is broken, and a cluster elects no such replica."""

LOST_IDS_MAX = 1_000

_HEAD = struct.Struct(">BBIQQ")
_FORMAT, _RESERVED, _CONFIRMED, _RELEASED = 2, 1, 2, 5

_IDS, _RECORDS, _HOLDS = 3, 4, 6
"""Places in the arguments of a commit; commit.lua lists them, with four before these."""


class Promise(msgspec.Struct, frozen=True):
    """An order as it was acknowledged: its first record, and for how long it was held if it was unpaid."""

    order_id: str
    stored: bytes
    hold_ms: int | None

    @property
    def rest(self) -> bytes:
        """Fingerprint and body."""
        return self.stored[_HEAD.size :]

    def record(self) -> Record:
        """Its record as it began."""
        return Record(_HEAD.pack(_FORMAT, _CONFIRMED, 1, 0, 0) + self.rest)

    def released(self) -> bytes:
        """A record that says that it ended, for those who hold stock for it."""
        return _HEAD.pack(_FORMAT, _RELEASED, 2, 0, 0) + self.rest


class Commit(msgspec.Struct, frozen=True):
    """One acknowledged commit: when (monotonic), to which store and partition, as it was sent and answered."""

    at_s: float
    epoch: bytes
    partition: int
    ticket: Ticket
    orders: int
    args: Sequence[bytes]
    outcomes: bytes
    records: Sequence[bytes]

    def promises(self) -> Iterator[Promise]:
        """The orders that it took, and those that it found taken and still as they began."""
        ids = msgspec.msgpack.decode(self.args[_IDS], type=list[str])
        holds = msgspec.msgpack.decode(self.args[_HOLDS], type=list[int]) if self.args[_HOLDS] else []
        hold_of = dict(zip(holds[::2], holds[1::2], strict=True))
        letters = self.outcomes or b"A" * len(ids)
        found = iter(self.records)
        kept = unpacked_strings(self.args[_RECORDS])[1::2]
        for place, (order_id, letter, record) in enumerate(zip(ids, letters, kept, strict=True), 1):
            if letter == ord("A"):
                yield Promise(order_id, record, hold_of.get(place))
            elif letter == ord("R"):
                promise = _as_it_began(order_id, next(found))
                if promise is not None:
                    yield promise


class Acknowledged:
    """The latest commits of this process, the oldest first."""

    def __init__(self, orders_max: int) -> None:
        self._orders_max = orders_max
        self._orders = 0
        self._commits: deque[Commit] = deque()
        self._forgotten: dict[int, Commit] = {}

    def note(
        self,
        partition: int,
        epoch: bytes,
        ticket: Ticket,
        args: Sequence[bytes],
        outcomes: bytes,
        records: Sequence[bytes],
    ) -> None:
        """Keep a commit that was acknowledged."""
        count = len(outcomes) or _length(args[_IDS])
        if outcomes:
            count = outcomes.count(b"A") + outcomes.count(b"R")
        if not count:
            return
        self._commits.append(Commit(time.monotonic(), epoch, partition, ticket, count, args, outcomes, records))
        self._orders += count
        oldest_s = time.monotonic() - KEPT_S
        while self._commits and (self._orders > self._orders_max or self._commits[0].at_s < oldest_s):
            forgotten = self._commits.popleft()
            self._orders -= forgotten.orders
            self._forgotten[forgotten.partition] = forgotten

    def commits(self) -> list[Commit]:
        """All that are kept and not too old."""
        oldest_s = time.monotonic() - KEPT_S
        return [commit for commit in self._commits if commit.at_s >= oldest_s]

    def forgot(self, partition: int, epoch: bytes, kept: Ticket) -> bool:
        """Whether a commit that came after `kept` had to make room, though it is not too old."""
        commit = self._forgotten.get(partition)
        if commit is None or commit.epoch != epoch or commit.at_s < time.monotonic() - KEPT_S:
            return False
        return commit.ticket > kept


class LostOrders:
    """Orders that were acknowledged and that the store lost for good: how many, and which, the latest LOST_IDS_MAX."""

    def __init__(self) -> None:
        self.count = 0
        self.ids: deque[str] = deque(maxlen=LOST_IDS_MAX)

    def add(self, order_id: str) -> None:
        """Count an order, once."""
        if order_id not in self.ids:
            self.count += 1
            self.ids.append(order_id)


def _as_it_began(order_id: str, stored: bytes) -> Promise | None:
    """The promise of a record that nothing has happened to yet."""
    try:
        record = Record(stored)
    except ValueError:
        return None
    if record.version != 1 or not (record.holds_stock or record.status == "backordered"):
        return None
    hold_ms = record.expires_ms - record.reserved_ms if record.status == "reserved" else None
    return Promise(order_id, stored, hold_ms)


def _length(packed: bytes) -> int:
    """Entries of a MessagePack array."""
    first = packed[0]
    if first >> 4 == 0x9:
        return first & 0x0F
    return int.from_bytes(packed[1:3] if first == 0xDC else packed[1:5], "big")
