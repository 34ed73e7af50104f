"""Orders that wait one by one, by source: first come, first served within one, and one from each in turn.

Where there is no room, the source that holds most gives way to one that holds less: its newest order is turned away for
the newcomer (longest queue drop, as in P. E. McKenney, "Stochastic Fairness Queueing", IEEE INFOCOM 1990; here each
source has a queue of its own, so none is hit by another's by chance). Which one holds most is known as B. Suter et al.
know it ("Buffer management schemes for supporting TCP in gigabit routers with per-flow queueing", IEEE JSAC 17(6),
1999): a source that grew beyond the one that is noted takes its place, so that one which sends no more may be missed.

A long order costs its source turns, so that those of others are not crowded out of a batch by bytes (as deficit round
robin does; M. Shreedhar and G. Varghese, IEEE/ACM Transactions on Networking 4(3), 1996).

Each call takes the same time however many wait, and a source of which none does leaves no trace. Knows no bound of its
own: who puts orders in asks first.
"""

from collections import deque

from engine.intake.waiting import Waiting

TURN_BYTES = 4 * 1024
"""An order of so many bytes costs its source another turn, as does each further part of that length."""


class OrderQueue:
    """Waiting orders. `len` is all of them."""

    __slots__ = ("_debts", "_first", "_longest", "_sources", "_turns", "length")

    def __init__(self) -> None:
        self._first: deque[Waiting] = deque()
        """Those that go before all others, whoever they are of: they were taken before."""
        self._sources: dict[str, deque[Waiting]] = {}
        self._turns: deque[str] = deque()
        """Sources that have orders, whose turn it is first."""
        self._debts: dict[str, int] = {}
        """Turns that sources have to let pass."""
        self._longest: deque[Waiting] = deque()
        """Of the source that holds most."""
        self.length = 0
        """The same as `len`, for who asks for each order."""

    def __len__(self) -> int:
        return self.length

    @property
    def sources(self) -> int:
        """How many sources have orders here."""
        return len(self._sources)

    def held(self, source: str) -> int:
        """How many orders a source has here, less those that go first."""
        return len(self._sources.get(source, ()))

    def before(self, source: str) -> int:
        """How many orders would go before the next one of a source, as all take turns."""
        return min(self.length, len(self._sources.get(source, ())) * len(self._sources))

    def may_displace(self, source: str) -> bool:
        """Whether another source holds so much more that its newest order gives way to this one's next."""
        return len(self._longest) > self.held(source) + 1

    def put(self, source: str, waiting: Waiting) -> None:
        """Add an order behind those of its source."""
        orders = self._sources.get(source)
        if orders is None:
            orders = self._sources[source] = deque((waiting,))
            self._turns.append(source)
        else:
            orders.append(waiting)
        if len(orders) > len(self._longest):
            self._longest = orders
        self.length += 1

    def put_first(self, orders: list[Waiting]) -> None:
        """Put orders before all others, in this order."""
        self._first.extendleft(reversed(orders))
        self.length += len(orders)

    def take_first(self) -> Waiting | None:
        """The next order of those that were taken before."""
        if not self._first:
            return None
        self.length -= 1
        return self._first.popleft()

    def take(self) -> Waiting:
        """The next order of the source whose turn it is. Raises IndexError where there is none but first ones."""
        source = self._turns.popleft()
        if self._debts:
            source = self._next_without_debt(source)
        orders = self._sources[source]
        waiting = orders.popleft()
        if orders:
            self._turns.append(source)
            if len(waiting.canonical) >= TURN_BYTES:
                self._debts[source] = len(waiting.canonical) // TURN_BYTES
        else:
            del self._sources[source]
        self.length -= 1
        return waiting

    def _next_without_debt(self, source: str) -> str:
        """Let turns pass until one is of a source that has none to let pass; a source alone has it at once."""
        while self._turns and (debt := self._debts.pop(source, 0)):
            if debt > 1:
                self._debts[source] = debt - 1
            self._turns.append(source)
            source = self._turns.popleft()
        self._debts.pop(source, None)
        return source

    def displace(self) -> Waiting:
        """Take out the newest order of the source that holds most; to be asked only where one `may_displace`."""
        self.length -= 1
        return self._longest.pop()

    def clear(self) -> list[Waiting]:
        """Take out all of them."""
        found = [*self._first, *(waiting for orders in self._sources.values() for waiting in orders)]
        self._first.clear()
        self._sources.clear()
        self._turns.clear()
        self._debts.clear()
        self._longest = deque()
        self.length = 0
        return found
