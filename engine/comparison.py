"""Runs the same orders through several policies, from the same stock, without touching any store.

Orders of a comparison on a network have no day, so warehouses' capacities per day bound nothing; stock counts know no
pools, so all is shared. One on a planner that was loaded from a store heeds both.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta

import msgspec
from msgspec import Struct

from engine.model import Allocation, Order, PolicyName, Sku, StockCount, Tariff, Warehouse
from engine.planner import Batch, CostDefaults, Planner, canonical_bytes, cell_number

INVALID_TOLD_MAX = 5
"""Orders that break a rule, of which a comparison tells what is wrong; the others are counted."""

_allocation = msgspec.json.Decoder(Allocation)


class InvalidOrder(Struct, frozen=True, kw_only=True):
    """An order that no service would plan: the field that breaks a rule (a JSON pointer) and what is wrong."""

    order_id: str
    pointer: str
    message: str


class PolicyRun(Struct, frozen=True, kw_only=True):
    """One policy's plans: the Allocation of each order, None where it is invalid, was refused, or would wait."""

    policy: PolicyName
    allocations: tuple[Allocation | None, ...]
    waiting: int
    invalid: int
    invalid_first: tuple[InvalidOrder, ...]


class PolicyTotals(Struct, frozen=True, kw_only=True):
    """One policy over the orders that all policies filled alike, so that the means speak of the same units.

    `served`, `waiting`, `refused` and `invalid` add up to `orders`. A mean of nothing is None.
    """

    policy: PolicyName
    orders: int
    """All that were given. One that is given twice is planned twice: a comparison does not look at ids."""
    served: int
    """Orders that this policy served, whole or in part."""
    unfilled_units: int
    """Units that it left out of those."""
    waiting: int
    """Orders that it left waiting for stock, as they accept; they take none, and are in no mean."""
    refused: int
    """Valid orders that it neither served nor left waiting."""
    invalid: int
    """Orders that break a rule, as those of an unknown SKU do."""
    invalid_first: tuple[InvalidOrder, ...]
    """What is wrong with the first of these, up to INVALID_TOLD_MAX."""
    compared: int
    """Orders that every policy served, and with the same units left out, if any."""
    cost_per_order: float | None
    shipments_per_order: float | None
    mean_km: float | None
    """Of a shipment."""
    promised: int
    """Orders, of those compared, for all of which a day is promised."""
    days_to_promise: float | None
    """Mean of those: whole days from when it was planned to the promised one."""


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
    book: bytes | None = None,
    now_ms: int | None = None,
) -> tuple[PolicyTotals, ...]:
    """Plan the orders one after the other under each policy, each taking its stock, and compare what they cost.

    `book` is the message of the policies (PolicyBook.message); without it there are the built-in ones. `now_ms` is when
    the orders are planned, in milliseconds since 1970; without it no day is promised, and no lateness known.
    """
    planner = Planner(currency=currency, default_policy="cheapest", defaults=defaults)
    if book is not None:
        planner.set_policies(book)
    planner.put_warehouses(enumerate(warehouses))
    planner.put_skus(enumerate(skus))
    planner.set_tariff(tariff)
    levels = []
    for row in stock:
        sku, warehouse = planner.core.sku_number(row.sku), planner.core.warehouse_number(row.warehouse)
        if sku is not None and warehouse is not None:
            levels.append((cell_number(sku=sku, warehouse=warehouse), row.on_hand - (row.safety or 0)))
    planner.set_levels(levels, b"0-0")
    return compare_on(planner, policies, orders, now_ms=now_ms)


def compare_on(
    planner: Planner,
    policies: Sequence[PolicyName],
    orders: Sequence[Order],
    *,
    day: int | None = None,
    now_ms: int | None = None,
) -> tuple[PolicyTotals, ...]:
    """As compare_policies, on a planner that is loaded; its view is afterwards as it was before.

    Nothing else may plan by it meanwhile. `day` is since 1970; without it, capacities bound nothing.
    """
    runs = [_run(planner, policy, orders, day, now_ms) for policy in policies]
    common = [place for place in range(len(orders)) if _filled_alike([run.allocations[place] for run in runs])]
    return tuple(_totals(run, common, now_ms) for run in runs)


def _filled_alike(allocations: Sequence[Allocation | None]) -> bool:
    """Whether all served the order, and left the same units of it unfilled: fewer units are cheaper to send."""
    left_out = []
    for allocation in allocations:
        if allocation is None:
            return False
        units: Counter[str] = Counter()
        for line in allocation.unfilled:
            units[line.sku] += line.quantity
        left_out.append(units)
    return all(units == left_out[0] for units in left_out)


def _run(
    planner: Planner, policy: PolicyName, orders: Sequence[Order], day: int | None, now_ms: int | None
) -> PolicyRun:
    planner.set_partitions(1, "comparison")
    if now_ms is not None:
        planner.keep_calendars(now_ms)
    batches: list[Batch] = []
    allocations: list[Allocation | None] = []
    waiting = invalid = 0
    invalid_first: list[InvalidOrder] = []
    for order in orders:
        allocation = None
        # No store behind these levels: they are as fresh as they get, and nobody knows of announced stock.
        canonical = canonical_bytes(msgspec.structs.replace(order, policy=policy))
        batch, decided = planner.core.plan([(canonical, 0, 0, True)], day, now_ms, [(0, 0)])
        if len(batch) > 0:
            # Settled as if a store had taken it, so that the view keeps what the plan took.
            ((_, (_, json)),), _ = planner.core.settle(batch, [(0, now_ms or 0, b"0-0", b"", b"", [])])
            batches.append(batch)
            allocation = _allocation.decode(json)
            if allocation.status == "backordered":
                allocation = None
                waiting += 1
        else:
            ((_, (word, flaws)),) = decided
            if word == "invalid":
                invalid += 1
                if len(invalid_first) < INVALID_TOLD_MAX:
                    pointer, message = flaws[0]
                    invalid_first.append(InvalidOrder(order_id=order.order_id, pointer=pointer, message=message))
        allocations.append(allocation)
    for batch in batches:
        planner.core.abandon(batch)
    return PolicyRun(
        policy=policy,
        allocations=tuple(allocations),
        waiting=waiting,
        invalid=invalid,
        invalid_first=tuple(invalid_first),
    )


def _totals(run: PolicyRun, common: Sequence[int], now_ms: int | None) -> PolicyTotals:
    chosen = [allocation for place in common if (allocation := run.allocations[place]) is not None]
    shipments = [shipment for allocation in chosen for shipment in allocation.shipments]
    today = date(1970, 1, 1) + timedelta(milliseconds=now_ms or 0)
    days = [(date.fromisoformat(one.promised_on) - today).days for one in chosen if one.promised_on]
    served = [allocation for allocation in run.allocations if allocation is not None]
    return PolicyTotals(
        policy=run.policy,
        orders=len(run.allocations),
        served=len(served),
        unfilled_units=sum(line.quantity for allocation in served for line in allocation.unfilled),
        waiting=run.waiting,
        refused=len(run.allocations) - len(served) - run.waiting - run.invalid,
        invalid=run.invalid,
        invalid_first=run.invalid_first,
        compared=len(chosen),
        cost_per_order=sum(allocation.cost for allocation in chosen) / len(chosen) if chosen else None,
        shipments_per_order=len(shipments) / len(chosen) if chosen else None,
        mean_km=sum(shipment.distance_km for shipment in shipments) / len(shipments) if shipments else None,
        promised=len(days),
        days_to_promise=sum(days) / len(days) if days else None,
    )
