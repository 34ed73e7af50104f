"""How long orders may wait, and how long they would: decides how many are let in, by what the service does.

Controlled delay, as in B. Maurer, "Fail at Scale" (ACM Queue 13(8), 2015), after CoDel (K. Nichols and V. Jacobson, ACM
Queue 10(5), 2012): a burst may fill the queue up to a long wait, but a queue that was not emptied for a while is one
that stands and serves nobody: then only orders are let in that wait for a short time. There it ends when the queue is
empty; here a batch empties a short queue at any load, so it ends when, for a while, nobody had to be turned away.

The rate is that of batches which were large, or left orders behind: how long a lone order takes tells nothing of what
the service can do. All is reckoned once a batch; an order meets plain numbers.
"""

from math import ceil, exp
from typing import Literal

from msgspec import Struct

RATE_S = 1.0
"""The rate is smoothed over so long."""
RATE_PART_S = 0.02
"""What one measurement spans at the least: the loop's clock counts whole milliseconds."""

STANDING_AFTER_S = 0.1
"""A queue that no batch emptied for so long stands."""
CALM_AFTER_S = 1.0
"""So long after the last order was turned away, a burst may come again."""

BATCH_PART = 4
"""A standing queue may always hold this part of a batch: else a store whose round trip is long would get ever smaller
batches, the service do ever less, and let in ever fewer."""
SMALL_PART = 16
"""Batches that are no more than this part of the largest tell what one costs whatever is in it."""
SMALL_WEIGHT = 0.125

RETRY_S_MAX = 60

Reason = Literal["queue-full", "queue-wait", "queue-standing", "deadline"]
"""Why an order is turned away: no place is left; it would wait too long; it would in a queue that stands; its own
deadline is over, or would be."""
REASONS: tuple[Reason, ...] = ("queue-full", "queue-wait", "queue-standing", "deadline")


class Terms(Struct, frozen=True, kw_only=True):
    """How long an order may wait until it is planned, in seconds."""

    burst_s: float = 1.0
    """In a queue that was empty lately."""
    standing_s: float = 0.02
    """In one that stands."""
    order_s: float = 10.0
    """Where its caller says nothing."""


class Patience:
    """Says how many orders may wait. Times are those of the event loop."""

    def __init__(self, terms: Terms, *, orders_max: int, batch_orders_max: int) -> None:
        self.terms = terms
        self._orders_max = orders_max
        self._least = max(1, batch_orders_max // BATCH_PART)
        self._small = max(1, batch_orders_max // SMALL_PART)
        self.limit = orders_max
        """Orders that may wait now."""
        self.reason: Reason = "queue-full"
        """Why no more."""
        self.s_per_order = 0.0
        """What each order that waits costs those behind it; 0: not known yet."""
        self.standing = False
        self.served = 0
        """Orders that came one by one and were settled, since the start."""
        self.turned_away: dict[Reason, int] = dict.fromkeys(REASONS, 0)
        """Orders, since the start."""
        self._turned_away = 0
        """All of them."""
        self._rate = 0.0
        self._measured_s = 0.0
        self._part_orders = 0
        self._part_s = 0.0
        self._small_s = 0.0
        self._settled_s = 0.0
        self._emptied_s = 0.0
        self._refused_s = 0.0
        """When the last one was turned away for want of room, and not because its own deadline was too near."""
        self._second: list[tuple[float, int]] = []
        """(time, turned away until then), of the last second."""

    def begin(self, now_s: float) -> None:
        """Work begins after there was none: what was before is no measure of it."""
        self._settled_s = self._emptied_s = now_s

    def rest(self, now_s: float) -> None:
        """Nobody waits, and no batch is taken that would tell."""
        if self._calmed(now_s):
            self._reckon()

    def took(self, now_s: float, left: int) -> None:
        """A batch was taken, and so many orders were left behind."""
        if left == 0:
            self._emptied_s = now_s
            self._calmed(now_s)
        elif now_s - self._emptied_s >= STANDING_AFTER_S:
            self.standing = True
        self._reckon()

    def settled(self, now_s: float, *, orders: int, of_lots: int, left_some: bool) -> None:
        """A batch was settled: so many orders that had come one by one, and others of lots, have their answers;
        `left_some` stayed behind, or have to be planned again."""
        span_s, self._settled_s = now_s - self._settled_s, now_s
        self.served += orders
        if not left_some and orders + of_lots <= self._small:
            self._small_s += SMALL_WEIGHT * (span_s - self._small_s)
            return
        if not left_some and orders < self._least // 2:
            return
        self._part_orders += orders
        self._part_s += span_s
        if self._part_s >= RATE_PART_S:
            # One that was measured long ago counts little.
            weight = 1 - exp(-(max(self._part_s, now_s - self._measured_s)) / RATE_S) if self._rate else 1.0
            self._rate += weight * (self._part_orders / self._part_s - self._rate)
            self._measured_s = now_s
            self._part_orders, self._part_s = 0, 0.0
            self._reckon()

    def wait_s(self, orders: int) -> float:
        """How long so many orders wait at the present rate; 0 while that is not known.

        What is no more than a part of a batch goes with the next one, whatever the rate: that may have been measured by
        a few that had to be planned again, or while the store stood still.
        """
        return orders * self.s_per_order if orders >= self._least else 0.0

    def turn_away(self, reason: Reason, now_s: float, orders: int) -> int:
        """Count an order that is turned away while so many wait. Returns after how many seconds it may come again.

        By then what waits now, and what was turned away within the last second, could have been served.
        """
        second = self._second
        if not second or now_s - second[-1][0] >= STANDING_AFTER_S:
            second.append((now_s, self._turned_away))
            while second[0][0] < now_s - 1:
                del second[0]
        self.turned_away[reason] += 1
        self._turned_away += 1
        if reason != "deadline":
            self._refused_s = now_s
        wait_s = self.wait_s(orders + self._turned_away - second[0][1])
        return min(RETRY_S_MAX, max(1, ceil(wait_s)))

    def _calmed(self, now_s: float) -> bool:
        """Whether a queue stood that stands no more, now that it is empty."""
        calmed = self.standing and now_s - self._refused_s >= CALM_AFTER_S
        self.standing &= not calmed
        return calmed

    def _reckon(self) -> None:
        self.s_per_order = 1 / self._rate if self._rate else 0.0
        limit, reason = self._orders_max, REASONS[0]
        if self._rate:
            wait_s = max(self.terms.standing_s, 2 * self._small_s) if self.standing else self.terms.burst_s
            may_wait = max(self._least, int(self._rate * wait_s))
            if may_wait < limit:
                limit, reason = may_wait, "queue-standing" if self.standing else "queue-wait"
        self.limit, self.reason = limit, reason
