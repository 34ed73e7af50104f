"""Orders that wait one by one, by source: first come, first served within one, and one from each in turn.

Where there is no room, the source that holds most gives way to one that holds less: its newest order is turned away for
the newcomer (longest queue drop, as in P. E. McKenney, "Stochastic Fairness Queueing", IEEE INFOCOM 1990; here each
source has a queue of its own, so none is hit by another's by chance). Each call takes the same time however many wait,
and a source of which none does leaves no trace. Knows no bound of its own: who puts orders in asks first.
"""

from collections import deque
from collections.abc import Iterable

from engine.intake.waiting import Waiting


class OrderQueue:
    """Waiting orders. `len` is all of them."""

    __slots__ = ("_by_length", "_first", "_length", "_longest", "_sources", "_turns")

    def __init__(self) -> None:
        self._first: deque[Waiting] = deque()
        """Those that go before all others, whoever they are of: they were taken before."""
        self._sources: dict[str, deque[Waiting]] = {}
        self._turns: deque[str] = deque()
        """Sources that have orders, whose turn it is first."""
        self._by_length: dict[int, dict[str, None]] = {}
        """The same by how many they have."""
        self._longest = 0
        self._length = 0

    def __len__(self) -> int:
        return self._length

    @property
    def sources(self) -> int:
        """How many sources have orders here."""
        return len(self._sources)

    def held(self, source: str) -> int:
        """How many orders a source has here, less those that go first."""
        orders = self._sources.get(source)
        return 0 if orders is None else len(orders)

    def may_displace(self, source: str) -> bool:
        """Whether another source holds so much more that its newest order gives way to this one's next."""
        return self._longest > self.held(source) + 1

    def put(self, source: str, waiting: Waiting) -> None:
        """Add an order behind those of its source."""
        orders = self._sources.get(source)
        if orders is None:
            self._sources[source] = deque((waiting,))
            self._turns.append(source)
            self._note(source, 0, 1)
        else:
            orders.append(waiting)
            length = len(orders)
            self._note(source, length - 1, length)
        self._length += 1

    def put_first(self, orders: list[Waiting]) -> None:
        """Put orders before all others, in this order."""
        self._first.extendleft(reversed(orders))
        self._length += len(orders)

    def take_first(self) -> Waiting | None:
        """The next order of those that were taken before."""
        if not self._first:
            return None
        self._length -= 1
        return self._first.popleft()

    def take(self) -> Waiting:
        """The next order of the source whose turn it is. Raises IndexError where there is none but first ones."""
        source = self._turns.popleft()
        orders = self._sources[source]
        waiting = orders.popleft()
        length = len(orders)
        if length:
            self._turns.append(source)
        else:
            del self._sources[source]
        self._note(source, length + 1, length)
        self._length -= 1
        return waiting

    def displace(self) -> Waiting:
        """Take out the newest order of the source that holds most; to be asked only where one `may_displace`."""
        source = next(iter(self._by_length[self._longest]))
        orders = self._sources[source]
        waiting = orders.pop()
        self._note(source, len(orders) + 1, len(orders))
        self._length -= 1
        return waiting

    def clear(self) -> list[Waiting]:
        """Take out all of them."""
        found = [*self._first, *_all(self._sources.values())]
        self._first.clear()
        self._sources.clear()
        self._turns.clear()
        self._by_length.clear()
        self._longest = self._length = 0
        return found

    def _note(self, source: str, before: int, now: int) -> None:
        """Keep `_by_length` and `_longest` true; lengths change by one, so the longest does, too."""
        by_length = self._by_length
        if before:
            same = by_length[before]
            del same[source]
            if not same:
                del by_length[before]
                if before == self._longest:
                    self._longest = now
        if now:
            found = by_length.get(now)
            if found is None:
                by_length[now] = {source: None}
            else:
                found[source] = None
            self._longest = max(self._longest, now)


def _all(queues: Iterable[deque[Waiting]]) -> Iterable[Waiting]:
    for orders in queues:
        yield from orders
