"""A sale's result hides nothing: oversold is counted cell by cell, and time goes forward."""

from collections import Counter

from loadtest.result import Place
from loadtest.sale import Accepted, AllocationSeen, LineSeen, SaleLog, SentOrder, ShipmentSeen, units_sold
from loadtest.summary import TIMELINE_POINTS_MAX, flows, sku_sales, timeline, with_units


def accepted(order_id: str, seconds: float, *shipments: tuple[str, str, int]) -> Accepted:
    """An order reserved after `seconds`, of (warehouse, SKU, units)."""
    seen = tuple(
        ShipmentSeen(warehouse=warehouse, lines=(LineSeen(sku, units),), cost=500, distance_km=10.0)
        for warehouse, sku, units in shipments
    )
    allocation = AllocationSeen(order_id=order_id, status="confirmed", cost=500 * len(seen), shipments=seen)
    return Accepted(SentOrder(order_id, b"{}", "Wuhan"), seconds, allocation)


def test_a_surplus_elsewhere_hides_no_oversold_cell() -> None:
    """Three units promised from a warehouse with two are oversold, though another one has plenty."""
    sold = [accepted("a", 0.1, ("W1", "tea", 2)), accepted("b", 0.2, ("W1", "tea", 1))]
    (sale,) = sku_sales(
        sold, on_hand={("tea", "W1"): 2, ("tea", "W2"): 100}, demanded=Counter(tea=3), names={"tea": "Green tea"}
    )
    assert (sale.on_hand, sale.sold, sale.oversold, sale.name) == (102, 3, 1, "Green tea")


def test_units_from_a_cell_that_never_was_are_oversold() -> None:
    """A promise from nowhere is the worst kind."""
    (sale,) = sku_sales([accepted("a", 0.1, ("W9", "tea", 1))], on_hand={}, demanded=Counter(tea=1), names={})
    assert sale.oversold == 1


def test_the_timeline_counts_every_unit_down_and_ends_with_the_sale() -> None:
    """The plot's last point must agree with the books."""
    sold = [accepted(str(number), number / 10, ("W1", "tea", 1)) for number in range(10)]
    points = timeline(sold, available={"tea": 25}, hot_skus=["tea"], seconds=1.0)
    assert len(points) == TIMELINE_POINTS_MAX
    assert points[-1].available == (15,)
    assert [point.available[0] for point in points] == sorted((point.available[0] for point in points), reverse=True)
    assert points[-1].seconds == 1.0


def test_flows_and_places_agree_on_units() -> None:
    """What left the warehouses reached the cities."""
    sold = [accepted("a", 0.1, ("W1", "tea", 2), ("W2", "cup", 1)), accepted("b", 0.2, ("W1", "cup", 4))]
    place = {"kind": "dc", "lat": 0.0, "lon": 0.0, "units": 0}
    warehouses, cities = with_units(
        sold,
        warehouses=[Place(id="W1", name="W1", **place), Place(id="W2", name="W2", **place)],
        cities=[Place(id="Wuhan", name="Wuhan", **place)],
    )
    assert [warehouse.units for warehouse in warehouses] == [6, 1]
    assert cities[0].units == 7 == sum(units_sold(sold).values())
    assert [(flow.warehouse, flow.shipments) for flow in flows(sold)] == [("W1", 2), ("W2", 1)]


def test_percentiles_are_of_the_nearest_rank() -> None:
    """A hundred answers of 1 to 100 ms have known percentiles; no answer at all has none, and does not fail."""
    latency = SaleLog(latencies_ms=[float(ms) for ms in range(100, 0, -1)]).latency()
    assert (latency.p50_ms, latency.p99_ms, latency.max_ms) == (50.0, 99.0, 100.0)
    assert SaleLog().latency().max_ms == 0.0
