"""Whether refusals for stock were true: what was free, by the event feed, while each refused order was under way. Pure.

The store's clock and the generator's need not agree. Each order that was accepted at once was decided between its send
and its answer, which bounds the difference of the clocks from both sides; a refused order is given the longest time
that these bounds allow. What was free all of that time was free when the order was refused, whatever the clocks say, as
long as none of them was set.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from math import inf
from typing import NamedTuple

import msgspec
from msgspec import Struct

from loadtest.audit.feed import Change, FeedLog
from loadtest.audit.stock import Stock


class Wanted(NamedTuple):
    """A refused order: when it was under way, in milliseconds of the generator's clock, and units by SKU."""

    order_id: str
    sent_ms: int
    done_ms: int
    units: Mapping[str, int]


class _Line(Struct):
    sku: str
    quantity: int


class _Ordered(Struct):
    """What is looked at of an order. One with terms of its own may lack stock that others do not."""

    order_id: str
    lines: list[_Line]
    channel: str | None = None
    policy: str | None = None
    service_level: str | None = None
    customer_class: str | None = None
    allow_split: bool = True
    max_shipments: int | None = None
    warehouses: list[str] | None = None
    pickup_at: str | None = None

    @property
    def is_plain(self) -> bool:
        terms = (self.channel, self.policy, self.service_level, self.customer_class, self.max_shipments)
        return self.allow_split and all(one is None for one in (*terms, self.warehouses, self.pickup_at))


_ordered = msgspec.json.Decoder(_Ordered)


class Judged(Struct):
    """Refused orders by what can be told of their refusal."""

    true: int = 0
    false: list[tuple[str, str]] = []
    """Orders, each with a SKU of it."""
    doubtful: int = 0
    unknown: int = 0
    """Those that ask for more than SKUs and units."""


def wanted_of(body: bytes, sent_ms: int, took_ms: int) -> Wanted | None:
    """An order as it was sent; None where it asks for more than units."""
    try:
        order = _ordered.decode(body)
    except (msgspec.DecodeError, ValueError):
        return None
    if not order.is_plain:
        return None
    units: Counter[str] = Counter()
    for line in order.lines:
        units[line.sku] += line.quantity
    return Wanted(order.order_id, sent_ms, sent_ms + took_ms, units)


class Clocks:
    """The store's clock less the generator's, in milliseconds, between two bounds."""

    def __init__(self) -> None:
        self.least, self.most = -inf, inf

    def note(self, *, sent_ms: int, done_ms: int, decided_ms: int) -> None:
        """An order was decided between its send and its answer; all three are cut to whole milliseconds."""
        self.least = max(self.least, decided_ms - done_ms - 1)
        self.most = min(self.most, decided_ms + 1 - sent_ms)

    @property
    def agree(self) -> bool:
        """Whether there is a difference that fits all orders: no clock was set meanwhile."""
        return self.least <= self.most

    def window(self, one: Wanted) -> tuple[float, float]:
        """The longest time, by the store's clock, in which the order may have been under way."""
        return one.sent_ms + self.least, one.done_ms + 1 + self.most


class Free:
    """Units of a SKU that were free to all, over time."""

    def __init__(self, before: Mapping[str, int], changes: Collection[Change]) -> None:
        """`before`: by warehouse; changes of others are new cells."""
        cells = dict(before)
        self._times: list[int] = []
        self._levels = [sum(max(0, units) for units in cells.values())]
        for change in changes:
            was = cells.get(change.warehouse, 0)
            cells[change.warehouse] = was - change.taken
            self._times.append(change.at_ms)
            self._levels.append(self._levels[-1] + max(0, was - change.taken) - max(0, was))

    @property
    def last(self) -> int:
        """After all events."""
        return self._levels[-1]

    def between(self, from_ms: float, to_ms: float) -> tuple[int, int]:
        """The least and the most within a time."""
        first = bisect_right(self._times, from_ms - 1)
        levels = self._levels[first : max(first, bisect_right(self._times, to_ms)) + 1]
        return min(levels), max(levels)


def free_units(
    before: Stock, feed: FeedLog, skus: Collection[str], open_warehouses: Collection[str]
) -> dict[str, Free]:
    """Of each SKU, at the warehouses that any order may have."""
    cells: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for (sku, warehouse), cell in before.items():
        if sku in skus and warehouse in open_warehouses:
            cells[sku][warehouse] = cell.shared
    return {
        sku: Free(cells[sku], [one for one in feed.changes.get(sku, ()) if one.warehouse in open_warehouses])
        for sku in skus
    }


def final_units(after: Stock, skus: Collection[str], open_warehouses: Collection[str]) -> Counter[str]:
    """What is free at the end, likewise."""
    left: Counter[str] = Counter()
    for (sku, warehouse), cell in after.items():
        if sku in skus and warehouse in open_warehouses:
            left[sku] += max(0, cell.shared)
    return left


def judge(orders: Collection[Wanted], free: Mapping[str, Free], left: Mapping[str, int], clocks: Clocks) -> Judged:
    """By the feed: what was free while each order was under way.

    Where events do not lead to what is left, or a clock was set, nothing is told for certain.
    """
    judged = Judged()
    for one in orders:
        if not clocks.agree or any(free[sku].last != left.get(sku, 0) for sku in one.units):
            judged.doubtful += 1
            continue
        window = clocks.window(one)
        ranges = {sku: free[sku].between(*window) for sku in one.units}
        if all(ranges[sku][0] >= units for sku, units in one.units.items()):
            judged.false.append((one.order_id, next(iter(one.units))))
        elif all(ranges[sku][1] >= units for sku, units in one.units.items()):
            judged.doubtful += 1
        else:
            judged.true += 1
    return judged


def judge_by_the_end(orders: Collection[Wanted], left: Mapping[str, int]) -> Judged:
    """Without the feed: enough at the end makes a refusal doubtful, as it may have come back or been brought later."""
    judged = Judged()
    for one in orders:
        if all(left.get(sku, 0) >= units for sku, units in one.units.items()):
            judged.doubtful += 1
        else:
            judged.unknown += 1
    return judged
