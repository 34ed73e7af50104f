"""Results of policies: what counts in which mean."""

from collections.abc import AsyncIterator
from datetime import date

from engine.model import Allocation, AllocationLine, Shipment
from engine.model.allocation import Status
from engine.policy.results import PastOrder, PolicyResult, results_of

PLACED = date(2026, 11, 11)


def past(
    *,
    status: Status = "reserved",
    promised: int | None = None,
    wanted: int | None = None,
    cost: int = 100,
    lacks: int = 0,
) -> PastOrder:
    """An order of policy `p`; days of November."""
    shipments = (Shipment(warehouse="A", lines=(), cost=cost, distance_km=10.0),) if status != "backordered" else ()
    allocation = Allocation(
        order_id="o",
        status=status,
        version=1,
        shipments=shipments,
        unfilled=(AllocationLine(sku="x", quantity=lacks),) if lacks else (),
        cost=sum(shipment.cost for shipment in shipments),
        currency="CNY",
        policy="p",
        policy_version="1",
        promised_on=None if promised is None else date(2026, 11, promised).isoformat(),
    )
    return PastOrder(allocation, PLACED, None if wanted is None else date(2026, 11, wanted))


async def result_of(*orders: PastOrder) -> PolicyResult:
    """Of orders that are all of one policy."""

    async def each() -> AsyncIterator[PastOrder]:
        for one in orders:
            yield one

    (row,) = await results_of(each())
    return row


async def test_days_are_means_of_the_orders_that_are_promised_a_day() -> None:
    """And lateness of those that were wanted by one."""
    row = await result_of(
        past(promised=13), past(promised=16, wanted=14), past(promised=12, wanted=20), past(), past(wanted=12)
    )
    assert (row.orders, row.promised, row.days_to_promise) == (5, 3, (2 + 5 + 1) / 3)
    assert (row.due, row.late, row.days_late) == (2, 1, 2 / 2)


async def test_what_was_given_back_and_what_waits_is_counted_and_in_no_mean() -> None:
    """An order that holds nothing has cost nothing yet, which would make its policy look cheap."""
    row = await result_of(
        past(cost=300, promised=12),
        past(status="released", promised=30, wanted=12),
        past(status="expired"),
        past(status="backordered"),
    )
    assert (row.orders, row.over, row.waiting) == (4, 2, 1)
    assert (row.cost_per_order, row.shipments_per_order, row.mean_km) == (300, 1, 10)
    assert (row.promised, row.days_to_promise, row.due, row.days_late) == (1, 1, 0, None)


async def test_units_that_orders_go_without_are_counted() -> None:
    """Of those that the means are of: what is over or waits lacks all, and is counted elsewhere."""
    row = await result_of(
        past(lacks=3), past(), past(lacks=4), past(status="released", lacks=5), past(status="backordered", lacks=6)
    )
    assert (row.orders, row.unfilled_units) == (5, 7)


async def test_orders_that_all_were_given_back_have_no_means() -> None:
    """None, not zero, which would be the least cost of all."""
    row = await result_of(past(status="released"))
    assert (row.orders, row.over, row.unfilled_units) == (1, 1, 0)
    means = (row.cost_per_order, row.shipments_per_order, row.mean_km, row.days_to_promise, row.days_late)
    assert means == (None,) * 5
