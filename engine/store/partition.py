"""One partition of the stock: its epoch, the generation in which this process commits, and the rooms of its calls."""

import secrets
from collections.abc import Sequence
from typing import Any

from engine.store.cells import CellCalls
from engine.store.crossing import CrossingCalls
from engine.store.feed import FeedCalls
from engine.store.keys import PartitionKeys
from engine.store.movements import MovementCalls
from engine.store.orders import OrderCalls
from engine.store.wire import Lane, Wire


class Partition:
    """A partition, opened by `open`; every call of a function goes through `call`."""

    def __init__(self, wire: Wire, keys: PartitionKeys, number: int, writer: str) -> None:
        self.wire = wire
        self.keys = keys
        self.number = number
        self.writer = writer
        """Names this process in the event stream and before the store's fence."""
        self.epoch = b""
        self.lost_commits = 0
        """Commits that the store had acknowledged and did not have any more at the last `open`: a replica took over."""
        self._generation = b""
        self._committed = 0
        self._all_keys = tuple(getattr(keys, name) for name in keys.__struct_fields__)
        self.orders = OrderCalls(self)
        self.cells = CellCalls(self)
        self.movements = MovementCalls(self)
        self.crossing = CrossingCalls(self)
        self.feed = FeedCalls(self)

    async def open(self, partitions: int) -> None:
        """Make the partition if there is none, and begin a generation: commits sent before count no more."""
        epoch, _, generation, former = await self.wire.call(
            "stockade_open",
            self._all_keys,
            (secrets.token_hex(8), self.writer, partitions, self.number),
            lane=Lane.SALE,
        )
        known = epoch == self.epoch
        born, _, commits = bytes(former).partition(b":")
        # A ticket that the store has not heard of was given back with the commits that came after it.
        if known and born == self._generation:
            self.lost_commits = max(0, self._committed - int(commits))
        elif known and self._generation:
            self.lost_commits = self._committed
        else:
            self.lost_commits = 0
        self.epoch, self._generation, self._committed = epoch, generation, 0

    def distrust(self) -> None:
        """Have every change refused as StoreChanged until the next `open`."""
        self.epoch = b""

    async def call(self, function: str, args: Sequence[Any], *, lane: Lane = Lane.SALE) -> Any:
        """Call a function of the library with this partition's keys; epoch and writer go before the arguments."""
        return await self.wire.call(function, self._all_keys, (self.epoch, self.writer, *args), lane=lane)

    async def call_once(self, function: str, args: Sequence[Any]) -> Any:
        """As `call`, with a ticket that counts once and only in this generation. For one call at a time."""
        before = b"%b:%d" % (self._generation, self._committed)
        ticket = b"%b:%d" % (self._generation, self._committed + 1)
        reply = await self.call(function, (before, ticket, *args))
        self._committed += 1
        return reply
