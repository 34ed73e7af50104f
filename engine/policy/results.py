"""What came of orders, by the policy, the version and the trial's arm that they were planned by. Does no I/O."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime

import msgspec
from msgspec import Struct

from engine.model import Allocation, Trial
from engine.planner import Record

OVER = ("released", "expired")
"""States of orders that were given back: they count, but nothing else of them does."""


class PastOrder(Struct, frozen=True):
    """An order of the store: what it got, the day it was placed (UTC), and when it was wanted, if it said so."""

    allocation: Allocation
    placed_on: date
    deliver_by: date | None


class _Wanted(Struct):
    """What results ask of an order, whatever else it says."""

    deliver_by: date | None = None


_wanted = msgspec.msgpack.Decoder(_Wanted).decode


async def past_orders(orders: AsyncIterator[tuple[Allocation, Record]]) -> AsyncIterator[PastOrder]:
    """Stored orders as results are reckoned of."""
    async for allocation, record in orders:
        placed_on = datetime.fromtimestamp(record.reserved_ms / 1000, UTC).date()
        yield PastOrder(allocation, placed_on, _wanted(record.canonical).deliver_by)


class PolicyResult(Struct, frozen=True, kw_only=True):
    """Orders of one policy; money in minor units. Means are of the orders that hold or held stock to the end.

    A mean of nothing is None.
    """

    policy: str
    version: str
    trial: Trial | None
    orders: int
    over: int
    """Of these, cancelled or expired: left out of what follows."""
    waiting: int
    """Of these, waiting for stock: left out, too."""
    unfilled_units: int
    """Units that the others were promised without, as they accept; they cost nothing, and so make the means low."""
    currency: str
    """Of the cost. Orders of another are another row."""
    cost_per_order: float | None
    shipments_per_order: float | None
    mean_km: float | None
    """Of a shipment."""
    promised: int
    """Orders for all of which a day is promised."""
    days_to_promise: float | None
    """Mean of those: whole days from when the order was placed to the promised one."""
    due: int
    """Of those, orders that named a day in `deliver_by`."""
    late: int
    """Of those due, orders that are promised for a later day."""
    days_late: float | None
    """Mean over all that are due; one that is promised in time is 0 days late."""


class _Sums(Struct):
    orders: int = 0
    over: int = 0
    waiting: int = 0
    unfilled: int = 0
    cost: int = 0
    shipments: int = 0
    km: float = 0.0
    promised: int = 0
    days: int = 0
    due: int = 0
    late: int = 0
    days_late: int = 0

    def add(self, past: PastOrder) -> None:
        """One more order."""
        allocation = past.allocation
        self.orders += 1
        if allocation.status in OVER:
            self.over += 1
            return
        if allocation.status == "backordered":
            self.waiting += 1
            return
        self.unfilled += sum(line.quantity for line in allocation.unfilled)
        self.cost += allocation.cost
        self.shipments += len(allocation.shipments)
        self.km += sum(shipment.distance_km for shipment in allocation.shipments)
        if allocation.promised_on is None:
            return
        promised_on = date.fromisoformat(allocation.promised_on)
        self.promised += 1
        self.days += (promised_on - past.placed_on).days
        if past.deliver_by is not None:
            days_late = max(0, (promised_on - past.deliver_by).days)
            self.due += 1
            self.late += days_late > 0
            self.days_late += days_late


_Key = tuple[str, str, str, str, str]
"""Policy, version, trial, arm, currency."""


async def results_of(orders: AsyncIterator[PastOrder]) -> tuple[PolicyResult, ...]:
    """Results of all orders, a row for each policy, version, arm and currency, in the order of their names."""
    sums: dict[_Key, _Sums] = {}
    async for past in orders:
        allocation, trial = past.allocation, past.allocation.trial
        arm = (trial.name, trial.arm) if trial else ("", "")
        key = (allocation.policy, allocation.policy_version, *arm, allocation.currency)
        sums.setdefault(key, _Sums()).add(past)
    return tuple(_result(key, sums[key]) for key in sorted(sums))


def _result(key: _Key, of: _Sums) -> PolicyResult:
    policy, version, trial, arm, currency = key
    standing = of.orders - of.over - of.waiting
    return PolicyResult(
        policy=policy,
        version=version,
        trial=Trial(name=trial, arm="trial" if arm == "trial" else "control") if trial else None,
        orders=of.orders,
        over=of.over,
        waiting=of.waiting,
        unfilled_units=of.unfilled,
        currency=currency,
        cost_per_order=_mean(of.cost, standing),
        shipments_per_order=_mean(of.shipments, standing),
        mean_km=_mean(of.km, of.shipments),
        promised=of.promised,
        days_to_promise=_mean(of.days, of.promised),
        due=of.due,
        late=of.late,
        days_late=_mean(of.days_late, of.due),
    )


def _mean(total: float, count: int) -> float | None:
    return total / count if count else None
