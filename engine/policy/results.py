"""What came of orders, by the policy, the version and the trial's arm that they were planned by. Does no I/O."""

from collections.abc import AsyncIterator

from msgspec import Struct

from engine.model import Allocation, Trial

OVER = ("released", "expired")
"""States of orders that were given back: they count, but neither cost nor way of them does."""


class PolicyResult(Struct, frozen=True, kw_only=True):
    """Orders of one policy; money in minor units."""

    policy: str
    version: str
    trial: Trial | None
    orders: int
    over: int
    """Of these, cancelled or expired: left out of what follows."""
    cost_per_order: float
    shipments_per_order: float
    mean_km: float
    """Of a shipment."""


class _Sums(Struct):
    orders: int = 0
    over: int = 0
    cost: int = 0
    shipments: int = 0
    km: float = 0.0


async def results_of(allocations: AsyncIterator[Allocation]) -> tuple[PolicyResult, ...]:
    """Results of all orders, a row for each policy, version and arm, in the order of their names."""
    sums: dict[tuple[str, str, str, str], _Sums] = {}
    async for allocation in allocations:
        trial = allocation.trial
        key = (allocation.policy, allocation.policy_version, trial.name if trial else "", trial.arm if trial else "")
        of = sums.setdefault(key, _Sums())
        of.orders += 1
        if allocation.status in OVER:
            of.over += 1
            continue
        of.cost += allocation.cost
        of.shipments += len(allocation.shipments)
        of.km += sum(shipment.distance_km for shipment in allocation.shipments)
    return tuple(_result(key, sums[key]) for key in sorted(sums))


def _result(key: tuple[str, str, str, str], of: _Sums) -> PolicyResult:
    policy, version, trial, arm = key
    standing = max(1, of.orders - of.over)
    return PolicyResult(
        policy=policy,
        version=version,
        trial=Trial(name=trial, arm="trial" if arm == "trial" else "control") if trial else None,
        orders=of.orders,
        over=of.over,
        cost_per_order=of.cost / standing,
        shipments_per_order=of.shipments / standing,
        mean_km=of.km / max(1, of.shipments),
    )
