"""Lots on their way, by source: how many of each may be under way, and whose orders fill a batch.

No source takes all places: each may hold as many as are left free, so that there is always one for who comes next
(dynamic thresholds, after A. K. Choudhury and E. L. Hahne, IEEE/ACM Transactions on Networking 6(2), 1998). One source
alone has half of them, two a third each. A batch is filled from all sources that have lots, in even parts.
"""

import asyncio
from collections import deque

from engine.intake.lot import Lot
from engine.intake.waiting import Share


class LotRoom:
    """The places of lots under way."""

    def __init__(self, lots_max: int) -> None:
        self._free = lots_max
        self._held: dict[str, int] = {}
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        """By source, whose turn it is first."""

    async def enter(self, source: str) -> None:
        """Wait for a place; who waited longest of a source gets its next."""
        if source not in self._waiting and self._fits(source):
            self._take(source)
            return
        place = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(source, deque()).append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.leave(source)
            else:
                self._forget(source, place)
            raise

    def leave(self, source: str) -> None:
        """Give a place up."""
        self._free += 1
        self._held[source] -= 1
        if not self._held[source]:
            del self._held[source]
        self._admit()

    def _fits(self, source: str) -> bool:
        return self._held.get(source, 0) < self._free

    def _take(self, source: str) -> None:
        self._free -= 1
        self._held[source] = self._held.get(source, 0) + 1

    def _admit(self) -> None:
        """Give free places to those who wait, one to each source in turn."""
        for source in list(self._waiting):
            places = self._waiting[source]
            # Whoever was cancelled just now has not left the line yet.
            while places and places[0].done():
                places.popleft()
            if places and self._fits(source):
                self._take(source)
                places.popleft().set_result(None)
                # Behind the others.
                self._waiting[source] = self._waiting.pop(source)
            if not places:
                del self._waiting[source]

    def _forget(self, source: str, place: asyncio.Future[None]) -> None:
        places = self._waiting.get(source)
        if places is not None and place in places:
            places.remove(place)
            if not places:
                del self._waiting[source]


class LotQueue:
    """What lots have left to be planned."""

    def __init__(self) -> None:
        self._sources: dict[str, deque[Share]] = {}
        self._turns: deque[str] = deque()
        self.abandoned = 0
        """Orders that were left alone, as nobody waited for them any more."""

    def __bool__(self) -> bool:
        return bool(self._sources)

    @property
    def orders(self) -> int:
        """Orders in all of them."""
        return sum(share.end - share.start for shares in self._sources.values() for share in shares)

    def put(self, share: Share) -> None:
        """Add what a lot has, behind those of its source."""
        self._of(share.lot.source).append(share)

    def put_first(self, shares: list[Share]) -> None:
        """Put shares before the others of their sources, in this order."""
        for share in reversed(shares):
            self._of(share.lot.source).appendleft(share)

    def take(self, orders_max: int, bytes_max: int) -> list[Share]:
        """So many orders and bytes at the most (one order may go beyond), from all sources alike.

        One share of each lot, whose parts follow each other: the core takes no lot twice at once.
        """
        taken: dict[Lot, Share] = {}
        while self._turns and orders_max > 0 and bytes_max > 0:
            sources = len(self._turns)
            # An even part of what is left; rounded up, so that the last one of a batch is not left out.
            orders_part, bytes_part = -(-orders_max // sources), -(-bytes_max // sources)
            for _ in range(sources):
                share = self._take(min(orders_part, orders_max), min(bytes_part, bytes_max))
                if share is None:
                    continue
                before = taken.get(share.lot)
                taken[share.lot] = share if before is None else before.joined(share)
                orders_max -= share.end - share.start
                bytes_max -= share.size
                if orders_max <= 0 or bytes_max <= 0:
                    break
        return list(taken.values())

    def clear(self) -> list[Share]:
        """Take out all of them."""
        found = [share for shares in self._sources.values() for share in shares]
        for share in found:
            self._leave(share)
        self._sources.clear()
        self._turns.clear()
        return found

    def _take(self, orders_max: int, bytes_max: int) -> Share | None:
        """What the first lot of the source whose turn it is has of so many orders and bytes, if any has one left."""
        source = self._turns.popleft()
        shares = self._sources[source]
        while shares and (shares[0].lot.abandoned or shares[0].lot.done.done()):
            self._leave(shares.popleft())
        if not shares:
            del self._sources[source]
            return None
        share = shares.popleft()
        lot = share.lot
        end, size = lot.core.end_of(share.start, share.end, orders_max, bytes_max)
        if end < share.end:
            shares.appendleft(Share(lot, end, share.end))
        if shares:
            self._turns.append(source)
        else:
            del self._sources[source]
        return Share(lot, share.start, end, size)

    def _leave(self, share: Share) -> None:
        # Of any other all that is left was told.
        if share.lot.abandoned:
            self.abandoned += share.lot.leave(share.start, share.end)

    def _of(self, source: str) -> deque[Share]:
        shares = self._sources.get(source)
        if shares is None:
            shares = self._sources[source] = deque()
            self._turns.append(source)
        return shares
