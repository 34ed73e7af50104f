"""What callers were told in a schedule, and whether it was true."""

from collections.abc import Callable

from engine.intake import Conflict, Contended, InsufficientStock, PurchaseLimit, Reserved, Unavailable
from engine.model import Order
from engine.planner import Record, canonical_bytes, fingerprint_of
from tests.simulation.books import Violation


class Promises:
    """Everything that was told. `record` looks an order up in its home."""

    def __init__(self, record: Callable[[str], Record | None]) -> None:
        self.record = record
        self.fresh: dict[str, str] = {}
        """Of each order that was told to be reserved just now, who told so."""
        self.acknowledged: dict[str, bytes] = {}
        """Fingerprints of orders that were told to be reserved."""
        self.doubts: dict[str, int] = {}
        """Of each order that was ever submitted, how many times that has no certain answer yet."""
        self._stepped: set[tuple[str, str]] = set()

    def submitted(self, process: str, order: Order) -> "Submission":
        """An order is taken by a process."""
        order_id, fingerprint = order.order_id, fingerprint_of(canonical_bytes(order))
        before = self.record(order_id) if order_id in self.doubts else None
        self.doubts[order_id] = self.doubts.get(order_id, 0) + 1
        held = before is not None and before.fingerprint == fingerprint
        return Submission(self, process, order_id, fingerprint, held_before=held)

    def stepped(self, order_id: str, transition: str) -> None:
        """A transition had its effect."""
        if (order_id, transition) in self._stepped:
            raise Violation(f"transition {transition} of {order_id} was done twice")
        self._stepped.add((order_id, transition))

    def check_kept(self) -> None:
        """In the end: what was told to be reserved is kept, and what was refused by all is not."""
        for order_id, doubts in self.doubts.items():
            record = self.record(order_id)
            if order_id in self.acknowledged:
                if record is None or record.fingerprint != self.acknowledged[order_id]:
                    raise Violation(f"{order_id} was told to be reserved, and its record is gone")
            elif doubts == 0 and record is not None:
                raise Violation(f"{order_id} was refused by all, and is held")


class Submission:
    """One order on its way through one process."""

    def __init__(
        self, promises: Promises, process: str, order_id: str, fingerprint: bytes, *, held_before: bool
    ) -> None:
        self._promises = promises
        self._process = process
        self._order_id = order_id
        self._fingerprint = fingerprint
        self._held_before = held_before

    def answered(self, outcome: object) -> None:
        """The caller hears of it: whatever it is must be true now."""
        promises, order_id = self._promises, self._order_id
        record = promises.record(order_id)
        same = record is not None and record.fingerprint == self._fingerprint
        sure = True
        if isinstance(outcome, Reserved):
            if not same:
                raise Violation(f"{order_id} is told to be reserved, and its home has no such record")
            if not outcome.replayed and promises.fresh.setdefault(order_id, self._process) != self._process:
                raise Violation(f"{order_id} was reserved twice")
            promises.acknowledged[order_id] = self._fingerprint
        elif isinstance(outcome, Unavailable):
            sure = outcome.certain
        elif isinstance(outcome, Conflict):
            if record is None or same:
                raise Violation(f"{order_id} is told to be another's, and is not")
        elif isinstance(outcome, InsufficientStock | PurchaseLimit | Contended):
            if self._held_before:
                raise Violation(f"{order_id} was held before, and its retry is refused: {outcome}")
        else:
            raise Violation(f"{order_id} got {outcome!r}")
        if sure:
            promises.doubts[order_id] -= 1
