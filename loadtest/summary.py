"""Turns what a sale answered, and the stock before and after it, into the result that people read. Pure."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from loadtest.result import Flow, Place, SkuSale, StockPoint
from loadtest.sale import Accepted, units_sold

TIMELINE_POINTS_MAX = 120
RATE_WINDOW_S = 0.25
"""Orders per second are counted over this long."""


def sku_sales(
    accepted: Sequence[Accepted],
    *,
    on_hand: Mapping[tuple[str, str], int],
    demanded: Counter[str],
    names: Mapping[str, str],
) -> tuple[SkuSale, ...]:
    """Every SKU in demand: units on hand before the sale, asked for, promised, and promised beyond what was there.

    Oversold is counted cell by cell: a surplus at one warehouse does not hide what another one lacks.
    """
    sold = units_sold(accepted)
    total: Counter[str] = Counter()
    beyond: Counter[str] = Counter()
    for (sku, warehouse), units in sold.items():
        total[sku] += units
        beyond[sku] += max(0, units - on_hand.get((sku, warehouse), 0))
    stocked: Counter[str] = Counter()
    for (sku, _), units in on_hand.items():
        stocked[sku] += units
    return tuple(
        SkuSale(
            sku=sku,
            name=names.get(sku, sku),
            on_hand=stocked[sku],
            demanded=demanded[sku],
            sold=total[sku],
            oversold=beyond[sku],
        )
        for sku, _ in demanded.most_common()
    )


def flows(accepted: Sequence[Accepted]) -> tuple[Flow, ...]:
    """Shipments by warehouse and city, the most first."""
    counted: Counter[tuple[str, str]] = Counter(
        (shipment.warehouse, one.order.city) for one in accepted for shipment in one.allocation.shipments
    )
    return tuple(Flow(warehouse=warehouse, city=city, shipments=n) for (warehouse, city), n in counted.most_common())


def with_units(
    accepted: Sequence[Accepted], *, warehouses: Sequence[Place], cities: Sequence[Place]
) -> tuple[tuple[Place, ...], tuple[Place, ...]]:
    """The same places with the units that left or reached them, and the cost of their shipments."""
    units: dict[str, int] = defaultdict(int)
    cost: dict[str, int] = defaultdict(int)
    for one in accepted:
        for shipment in one.allocation.shipments:
            moved = sum(line.quantity for line in shipment.lines)
            for place in ("w " + shipment.warehouse, "c " + one.order.city):
                units[place] += moved
                cost[place] += shipment.cost
    return (
        tuple(_moved(place, units["w " + place.id], cost["w " + place.id]) for place in warehouses),
        tuple(_moved(place, units["c " + place.id], cost["c " + place.id]) for place in cities),
    )


def _moved(place: Place, units: int, cost: int) -> Place:
    return Place(id=place.id, name=place.name, kind=place.kind, lat=place.lat, lon=place.lon, units=units, cost=cost)


def timeline(
    accepted: Sequence[Accepted], *, available: Mapping[str, int], hot_skus: Sequence[str], seconds: float
) -> tuple[StockPoint, ...]:
    """Units left of the hot SKUs as buyers saw them go, and orders per second, at even steps."""
    left = {sku: available.get(sku, 0) for sku in hot_skus}
    in_order = sorted(accepted, key=lambda one: one.seconds)
    points: list[StockPoint] = []
    steps = TIMELINE_POINTS_MAX - 1
    at, window_start = 0, 0
    for step in range(steps + 1):
        now = seconds * step / steps
        while at < len(in_order) and in_order[at].seconds <= now:
            for shipment in in_order[at].allocation.shipments:
                for line in shipment.lines:
                    if line.sku in left:
                        left[line.sku] -= line.quantity
            at += 1
        while window_start < at and in_order[window_start].seconds < now - RATE_WINDOW_S:
            window_start += 1
        window_s = min(now, RATE_WINDOW_S)
        rate = (at - window_start) / window_s if window_s else 0.0
        points.append(StockPoint(seconds=now, available=tuple(left[sku] for sku in hot_skus), orders_per_second=rate))
    return tuple(points)
