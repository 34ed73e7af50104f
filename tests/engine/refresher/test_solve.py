"""What a pricing goes by: need until goods arrive, regions, demand by period, and costs as the planner books them."""

import numpy as np
import pytest

from engine.comparison import compare_on
from engine.forecast.kinds import Kinds
from engine.model import Order, ShipTo, Sku, Warehouse
from engine.model.order import Line
from engine.planner import CostDefaults, Planner, cell_number
from engine.refresher.demand import PERIODS, SKUS_MAX, Demand
from engine.refresher.lanes import LaneCosts, LaneTerms, lane_costs
from engine.refresher.regions import REGIONS_MAX, Regions
from engine.refresher.solve import OVERDUE_MS_MAX, Snapshot, needed_units, prices_of

DEFAULTS = CostDefaults(fixed_cost=500, unit_cost=50, cost_per_km=1.0)
HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ("arrivals", "need"),
    [
        ([], 100),
        ([(1_000, 5)], 100),
        ([(500, 1_000)], 50),
        ([(500, 20)], 80),
        ([(0, 1_000)], 0),
        ([(-10, 1_000)], 0),
        ([(-OVERDUE_MS_MAX - 1, 1_000)], 100),
        ([(800, 1_000), (500, 10)], 70),
        ([(200, 30), (500, 1_000)], 20),
        ([(200, 10), (500, 1_000)], 40),
    ],
)
def test_need_is_all_demand_but_what_arrives_in_time_for_it(arrivals: list[tuple[int, int]], need: float) -> None:
    """A tenth of a unit a millisecond, over a second."""
    assert needed_units(0.1, 1_000, arrivals) == pytest.approx(need)


def test_need_falls_steadily_as_an_arrival_comes_near() -> None:
    """From all demand to none."""
    needs = [needed_units(0.1, 1_000, [(ms, 10_000)]) for ms in range(1_000, -1, -100)]
    assert needs == pytest.approx([10.0 * tenths for tenths in range(10, -1, -1)])


def test_regions_are_squares_and_bounded() -> None:
    """Beyond the bound the nearest in the same country serves."""
    regions = Regions()
    assert regions.number(ShipTo(lat=30.2, lon=110.9)) == regions.number(ShipTo(lat=30.9, lon=110.1)) == 0
    assert regions.number(ShipTo(lat=30.2, lon=110.9, country="CN")) == 1
    for place in range(3 * REGIONS_MAX):
        regions.number(ShipTo(lat=-60.0 + place % 50, lon=-170.0 + place // 50, country="X"))
    assert len(regions.places) == REGIONS_MAX
    assert regions.number(ShipTo(lat=35.0, lon=115.0, country="CN")) == 1
    # Across the date line is near.
    assert regions.places[regions.number(ShipTo(lat=-60.0, lon=179.5, country="X"))].lon == -170.0


def test_demand_is_forecast_from_whole_periods() -> None:
    """And before one is over from what there is, as if it went on."""
    demand = Demand(HOUR_MS)
    assert demand.rates(0, "tsb").tolist() == []
    for minute in range(30):
        demand.add(minute * 60_000, 0, [("x", 2)])
    assert demand.rates(HOUR_MS // 2, "tsb")[0] * HOUR_MS == pytest.approx(120)
    for hour in range(1, 3):
        for minute in range(30):
            demand.add(hour * HOUR_MS + minute * 60_000, 0, [("x", 2)], times=float(hour))
    # The first hour may have begun before anybody looked: of it nothing is said.
    assert demand.rates(3 * HOUR_MS, "exponential")[0] * HOUR_MS == pytest.approx(60 + 0.1 * 60)
    # Periods without any order are periods with no demand.
    soon, later = (demand.rates(hour * HOUR_MS, "tsb")[0] for hour in (3, 20))
    assert later < 0.3 * soon
    assert demand.rates((3 + PERIODS) * HOUR_MS, "tsb")[0] == 0.0


def test_demand_is_bounded() -> None:
    """Of SKUs beyond the bound nothing is known."""
    demand = Demand(HOUR_MS)
    for number in range(SKUS_MAX + 5):
        demand.add(0, 0, [(f"s{number}", 1)])
    assert (len(demand.skus), demand.left_out) == (SKUS_MAX, 5)
    assert len(demand.rates(HOUR_MS, "croston-sba")) == SKUS_MAX


def terms(**change: object) -> LaneTerms:
    """Three warehouses in a row, of which one is closed."""
    warehouses = (
        Warehouse(id="A", lat=30.0, lon=110.0),
        Warehouse(id="B", lat=34.0, lon=110.0, fixed_cost=900, unit_cost=7),
        Warehouse(id="C", lat=31.0, lon=110.0, enabled=False),
    )
    given = {
        "currency": "CNY",
        "defaults": DEFAULTS,
        "warehouses": warehouses,
        "tariff": None,
        "matrices": {},
        "weight_g": 500,
    }
    return LaneTerms(**{**given, **change})  # type: ignore[arg-type]


def test_costs_are_those_that_the_planner_books_for_one_unit() -> None:
    """Wherever it goes, from each warehouse that is open; what is closed is dearer than not serving."""
    places = [ShipTo(lat=30.0, lon=110.0), ShipTo(lat=33.0, lon=111.0)]
    costs = lane_costs(terms(), places)
    for region, place in enumerate(places):
        for number, warehouse in enumerate(terms().warehouses[:2]):
            planner = Planner(currency="CNY", default_policy="cheapest", defaults=DEFAULTS)
            planner.put_warehouses(enumerate(terms().warehouses))
            planner.put_skus([(0, Sku(sku="x", weight_g=500))])
            planner.set_tariff(None)
            planner.set_levels([(cell_number(sku=0, warehouse=number), 1)], b"0-0")
            order = Order(order_id="o", ship_to=place, lines=(Line("x", 1),))
            (totals,) = compare_on(planner, ["cheapest"], [order])
            assert totals.cost_per_order == costs.fixed[number] + costs.unit[region, number], warehouse.id
    assert (costs.fixed[2] + costs.unit[:, 2] > costs.unserved_fixed + costs.unserved_unit).all()


def test_prices_settle_in_a_cell_of_few_units() -> None:
    """Four units beside the demand of thousands are worth what the next best choice costs more, and no more."""
    costs = LaneCosts(np.array([500, 734]), np.array([[261, 50], [50, 261]]), 1_468, np.array([522, 522]))
    kinds = Kinds()
    kinds.add(0, [(0, 1)])
    kinds.add(1, [(0, 1)], 30.0)
    snapshot = Snapshot(
        costs=costs,
        stock=np.array([[4, 20_000]]),
        rate=np.array([7_440 / 86_400_000]),
        arrivals=[[]],
        horizon_ms=86_400_000,
        places=np.array([[1.0, 30.0]]),
        of_all=np.array([1.0, 30.0]),
        kinds=kinds.baskets(),
        waiting=Kinds().baskets(),
    )
    prices = prices_of(snapshot, time_limit_s=5)
    assert prices[0, 1] == 0
    assert 0.9 * 445 <= prices[0, 0] <= 445
