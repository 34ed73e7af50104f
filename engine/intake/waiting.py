"""Orders on their way: one whose caller waits for it alone, and what one batch took of them and of lots."""

from collections.abc import Iterator
from math import inf
from typing import NamedTuple, Protocol

import msgspec

from engine.errors import EngineClosed
from engine.intake import outcome as oc
from engine.intake.lot import Lot, Slot, id_of
from engine.planner import CoreLot


class Answer(Protocol):
    """Where an outcome goes: a future, or a place in a lot."""

    def done(self) -> bool:
        """Whether nobody waits any more."""

    def set_result(self, outcome: oc.Outcome, /) -> None:
        """Tell the outcome."""

    def set_exception(self, error: EngineClosed, /) -> None:
        """Tell that none will come."""


class Waiting:
    """An order whose caller waits."""

    __slots__ = (
        "answer",
        "attempts",
        "canonical",
        "deadline_s",
        "expected_day",
        "fresh_load",
        "order_id",
        "source",
        "taken",
        "tries",
        "unsure",
    )

    def __init__(
        self, order_id: str, canonical: bytes, answer: Answer, deadline_s: float = inf, *, source: str = ""
    ) -> None:
        self.order_id = order_id
        self.source = source
        """Whose it is."""
        self.canonical = canonical
        self.answer = answer
        self.deadline_s = deadline_s
        """When it must have begun to be planned, by the loop's clock."""
        self.attempts = 0
        self.fresh_load: int | None = None
        """The load of the planner since which the levels of all its SKUs were read, if they were."""
        self.expected_day: int | None = None
        """The day by which stock is expected that it waits for: 0 where nobody knows, None before anybody looked."""
        self.taken = False
        """Whether a batch has had it."""
        self.tries = 0
        self.unsure = False
        """Whether a try broke off that may have been done."""

    def tell_unavailable(self, detail: str, *, retry_after_s: int = 1) -> None:
        """Answer that the store cannot be had, and whether that is all there is to it."""
        if not self.answer.done():
            self.answer.set_result(oc.Unavailable(detail, certain=not self.unsure, retry_after_s=retry_after_s))


class Share(msgspec.Struct, frozen=True):
    """The orders of a lot from one place to another."""

    lot: Lot
    start: int
    end: int
    size: int = 0
    """Bytes, once it was taken."""

    def joined(self, later: "Share") -> "Share":
        """With those of the same lot that follow them."""
        assert later.start == self.end, "what is left of a lot is taken in its order"
        return Share(self.lot, self.start, later.end, self.size + later.size)

    def tell_unavailable(self, detail: str, *, retry_after_s: int = 1) -> None:
        """As `Waiting` does: none of them was sent."""
        outcome = oc.Unavailable(detail, certain=True, retry_after_s=retry_after_s)
        self.lot.tell_rest(self.start, self.end, outcome)


class CoreShare(NamedTuple):
    """A share as the core takes it."""

    lot: CoreLot
    start: int
    end: int


class Taken:
    """The orders of one batch by place: first those that wait one by one, then those of lots.

    Of a lot an order becomes an object only when it is asked for: when anything but a plain yes came of it.
    """

    def __init__(self, singles: list[Waiting], shares: list[Share], *, left_some: bool = False) -> None:
        """`left_some`: others that wait one by one had to stay behind."""
        self.left_some = left_some
        self.singles = singles
        self.shares = shares
        self.of_lots = [CoreShare(share.lot.core, share.start, share.end) for share in shares]
        self._made: dict[int, Waiting] = {}

    def __len__(self) -> int:
        return len(self.singles) + sum(share.end - share.start for share in self.shares)

    def __getitem__(self, place: int) -> Waiting:
        if place < len(self.singles):
            return self.singles[place]
        if place not in self._made:
            lot, at = self._find(place)
            canonical = lot.canonical(at)
            order_id = id_of(canonical)
            self._made[place] = Waiting(order_id, canonical, Slot(lot, at, order_id), source=lot.source)
        return self._made[place]

    def unanswered(self) -> Iterator[tuple[int, Waiting]]:
        """Orders that have no outcome, with their places."""
        yield from enumerate(self.singles)
        place = len(self.singles)
        for share in self.shares:
            for at in range(share.start, share.end):
                if share.lot.is_open(at):
                    yield place, self[place]
                place += 1

    def look(self) -> None:
        """Have lots see whether they are done."""
        for share in self.shares:
            share.lot.look()

    def fail(self, reason: str) -> None:
        """Tell all that have no outcome that none will come."""
        for waiting in self.singles:
            if not waiting.answer.done():
                waiting.answer.set_exception(EngineClosed(reason))
        for share in self.shares:
            share.lot.fail(reason)

    def _find(self, place: int) -> tuple[Lot, int]:
        at = place - len(self.singles)
        for share in self.shares:
            if at < share.end - share.start:
                return share.lot, share.start + at
            at -= share.end - share.start
        raise IndexError(place)
