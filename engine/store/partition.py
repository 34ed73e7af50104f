"""One partition of the stock: its epoch, the generation in which this process commits, and the rooms of its calls."""

import secrets
from collections.abc import Sequence
from typing import Any, NamedTuple

from engine.store.cells import CellCalls
from engine.store.crossing import CrossingCalls
from engine.store.feed import FeedCalls
from engine.store.keys import PartitionKeys
from engine.store.movements import MovementCalls
from engine.store.orders import OrderCalls
from engine.store.plans import PlanCalls
from engine.store.wire import Lane, Served, Wire

GENERATIONS_KEPT = 100
"""Generations of this process whose commits are counted, should the store go back behind them."""

_READING = frozenset({"stockade_read_cells", "stockade_scan_free", "stockade_touched"})


class Ticket(NamedTuple):
    """The place of a commit among those of this process in one partition: later ones are greater."""

    generation: int
    number: int


NO_TICKET = Ticket(0, 0)


class Partition:
    """A partition, opened by `open`; every call of a function goes through `call`."""

    def __init__(self, wire: Wire, keys: PartitionKeys, number: int, writer: str) -> None:
        self.wire = wire
        self.keys = keys
        self.number = number
        self.writer = writer
        """Names this process in the event stream and before the store's fence."""
        self.epoch = b""
        self.opened_at = ""
        """The server that `open` found it on."""
        self.lost_commits = 0
        """Commits and prepares that the store had acknowledged and did not have any more at an `open`: a replica took
        over, or an older state came back. Until `forget_loss`."""
        self.kept = NO_TICKET
        """The last commit that the store still had then."""
        self.last_epoch = b""
        self._committed: dict[int, int] = {}
        self._generation = b""
        self._all_keys = tuple(getattr(keys, name) for name in keys.__struct_fields__)
        self.orders = OrderCalls(self)
        self.cells = CellCalls(self)
        self.movements = MovementCalls(self)
        self.crossing = CrossingCalls(self)
        self.feed = FeedCalls(self)
        self.plans = PlanCalls(self)

    @property
    def ticket(self) -> Ticket:
        """The last commit that was acknowledged."""
        generation = int(self._generation or 0)
        return Ticket(generation, self._committed.get(generation, 0))

    async def open(self, partitions: int) -> None:
        """Make the partition if there is none, and begin a generation: commits sent before count no more."""
        (epoch, _, generation, former, newest), self.opened_at = await self.wire.call_at(
            "stockade_open",
            self._all_keys,
            (secrets.token_hex(8), self.writer, partitions, self.number),
            lane=Lane.SALE,
        )
        if epoch == self.last_epoch:
            # A row that was too old to be kept, in a store that knows our generation, is no loss.
            if former or int(newest) < int(self._generation or 0):
                self._count_loss(bytes(former))
        else:
            # Another store altogether: what was acknowledged by the former one is no debt of this one.
            self._committed.clear()
            self.forget_loss()
        self.epoch, self.last_epoch, self._generation = epoch, epoch, generation
        self._committed[int(generation)] = 0
        while len(self._committed) > GENERATIONS_KEPT:
            del self._committed[min(self._committed)]

    def _count_loss(self, former: bytes) -> None:
        born, _, commits = former.partition(b":")
        kept = Ticket(int(born or 0), int(commits or 0))
        lost = sum(
            count - (kept.number if generation == kept.generation else 0)
            for generation, count in self._committed.items()
            if (generation, count) > kept
        )
        if lost:
            self.kept = min(kept, self.kept) if self.lost_commits else kept
            self.lost_commits += lost
            # Counted: not again when the next `open` finds the store as this one does.
            self._committed = {each: count for each, count in self._committed.items() if each < kept.generation}
            self._committed[kept.generation] = kept.number

    def forget_loss(self) -> None:
        """What was lost has been dealt with."""
        self.lost_commits, self.kept = 0, NO_TICKET

    def distrust(self) -> None:
        """Have every change refused as StoreChanged until the next `open`."""
        self.epoch = b""

    async def call(self, function: str, args: Sequence[Any], *, lane: Lane = Lane.SALE) -> Any:
        """Call a function of the library with this partition's keys; epoch and writer go before the arguments."""
        return (await self.call_at(function, args, lane=lane)).reply

    async def call_at(self, function: str, args: Sequence[Any], *, lane: Lane = Lane.SALE) -> Served:
        """As `call`, and says who answered."""
        durable = lane is Lane.SALE and function not in _READING
        all_args = (self.epoch, self.writer, *args)
        return await self.wire.call_at(function, self._all_keys, all_args, lane=lane, durable=durable)

    async def call_once(self, function: str, args: Sequence[Any]) -> Any:
        """As `call`, with a ticket that counts once and only in this generation. For one call at a time."""
        number = self.ticket.number
        before = b"%b:%d" % (self._generation, number)
        ticket = b"%b:%d" % (self._generation, number + 1)
        reply = await self.call(function, (before, ticket, *args))
        self._committed[int(self._generation)] = number + 1
        return reply
