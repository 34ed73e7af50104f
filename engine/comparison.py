"""Runs the same orders through several policies, from the same stock, without touching any store.

Orders have no day here, so warehouses' capacities per day bound nothing; stock counts know no pools, so all is shared.
"""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from engine.model import Allocation, Order, PolicyName, Sku, StockCount, Tariff, Warehouse
from engine.planner import CostDefaults, Planner, canonical_bytes, cell_number

_allocation = msgspec.json.Decoder(Allocation)


class PolicyRun(Struct, frozen=True, kw_only=True):
    """One policy's plans: the Allocation of each order, None where the stock did not suffice."""

    policy: PolicyName
    allocations: tuple[Allocation | None, ...]


class PolicyTotals(Struct, frozen=True, kw_only=True):
    """One policy over the orders that every policy served, so that the means speak of the same orders."""

    policy: PolicyName
    served: int
    """Orders that this policy served."""
    compared: int
    """Orders that every policy served."""
    cost_per_order: float
    shipments_per_order: float
    mean_km: float
    """Of a shipment."""


def compare_policies(
    policies: Sequence[PolicyName],
    *,
    warehouses: Sequence[Warehouse],
    skus: Sequence[Sku],
    tariff: Tariff | None,
    stock: Sequence[StockCount],
    orders: Sequence[Order],
    currency: str,
    defaults: CostDefaults,
) -> tuple[PolicyTotals, ...]:
    """Plan the orders one after the other under each policy, each taking its stock, and compare what they cost."""
    runs = []
    for policy in policies:
        planner = Planner(currency=currency, default_policy=policy, defaults=defaults)
        planner.put_warehouses(enumerate(warehouses))
        planner.put_skus(enumerate(skus))
        planner.set_tariff(tariff)
        levels = []
        for row in stock:
            sku, warehouse = planner.core.sku_number(row.sku), planner.core.warehouse_number(row.warehouse)
            if sku is not None and warehouse is not None:
                levels.append((cell_number(sku=sku, warehouse=warehouse), row.on_hand - (row.safety or 0)))
        planner.set_levels(levels, b"0-0")
        runs.append(PolicyRun(policy=policy, allocations=tuple(_plan(planner, order, policy) for order in orders)))
    common = [place for place in range(len(orders)) if all(run.allocations[place] is not None for run in runs)]
    return tuple(_totals(run, common) for run in runs)


def _plan(planner: Planner, order: Order, policy: PolicyName) -> Allocation | None:
    core = planner.core
    # No store behind these levels: they are as fresh as they get.
    batch, _ = core.plan([(canonical_bytes(msgspec.structs.replace(order, policy=policy)), 0, 0, True)])
    if len(batch) == 0:
        return None
    # Settled as if a store had taken it, so that the view keeps what the plan took.
    ((_, (_, json)),), _ = core.settle(batch, [(0, 0, b"0-0", b"", b"", [])])
    return _allocation.decode(json)


def _totals(run: PolicyRun, common: Sequence[int]) -> PolicyTotals:
    chosen = [allocation for place in common if (allocation := run.allocations[place]) is not None]
    shipments = [shipment for allocation in chosen for shipment in allocation.shipments]
    return PolicyTotals(
        policy=run.policy,
        served=sum(allocation is not None for allocation in run.allocations),
        compared=len(chosen),
        cost_per_order=sum(allocation.cost for allocation in chosen) / max(1, len(chosen)),
        shipments_per_order=len(shipments) / max(1, len(chosen)),
        mean_km=sum(shipment.distance_km for shipment in shipments) / max(1, len(shipments)),
    )
