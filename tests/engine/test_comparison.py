"""The comparison of policies: the same orders from the same stock, and means over those that all served alike."""

from collections.abc import Mapping, Sequence

import msgspec

from engine.comparison import INVALID_TOLD_MAX, PolicyTotals, compare_on, compare_policies
from engine.model import Order, PolicyName, Sku, StockCount, Warehouse
from engine.planner import CostDefaults, Planner, cell_number
from engine.policy import PolicyBook, check_policies
from tests.engine.small_network import order

NEAR_AND_DEAR = Warehouse(id="near", lat=30.0, lon=110.0, fixed_cost=5_000, priority=2)
FAR_AND_CHEAP = Warehouse(id="far", lat=31.0, lon=110.0, fixed_cost=10, priority=3)
FIRST_IN_RANK = Warehouse(id="first", lat=35.0, lon=110.0, fixed_cost=9_000, priority=1)
NETWORK = (NEAR_AND_DEAR, FAR_AND_CHEAP, FIRST_IN_RANK)
ALL: tuple[PolicyName, ...] = ("cheapest", "nearest", "priority")


def compare(
    stock: Mapping[tuple[str, str], int], orders: Sequence[Order], policies: Sequence[PolicyName] = ALL, safety: int = 0
) -> dict[PolicyName, PolicyTotals]:
    """Totals by policy."""
    totals = compare_policies(
        policies,
        warehouses=NETWORK,
        skus=(Sku(sku="x"), Sku(sku="y")),
        tariff=None,
        stock=[
            StockCount(sku=sku, warehouse=name, on_hand=units, safety=safety) for (sku, name), units in stock.items()
        ],
        orders=orders,
        currency="CNY",
        defaults=CostDefaults(fixed_cost=0, unit_cost=0, cost_per_km=1.0),
    )
    assert [one.policy for one in totals] == list(policies)
    return {one.policy: one for one in totals}


def everywhere(units: int) -> dict[tuple[str, str], int]:
    """Stock of x in every warehouse."""
    return {("x", warehouse.id): units for warehouse in NETWORK}


def test_each_policy_chooses_by_its_own_rule() -> None:
    """One order, three answers: by money, by distance, by rank."""
    totals = compare(everywhere(9), [order("one", ("x", 1))])
    assert {name: round(one.mean_km or 0) for name, one in totals.items()} == {
        "cheapest": 111,
        "nearest": 0,
        "priority": 556,
    }
    assert totals["nearest"].cost_per_order == 5_000
    assert 0 < (totals["cheapest"].cost_per_order or 0) < 200
    assert (totals["priority"].cost_per_order or 0) > 9_000


def test_what_an_order_asks_for_gives_way_to_the_policy_compared() -> None:
    """Else an order that names one would look the same in every column."""
    named = compare(everywhere(9), [order("one", ("x", 1), policy="priority")])
    assert named == compare(everywhere(9), [order("one", ("x", 1))])


def test_the_policies_share_no_stock() -> None:
    """Each starts from the same shelves, wherever it stands in the list."""
    orders = [order(f"o{number}", ("x", 1)) for number in range(4)]
    together = compare(everywhere(2), orders)
    for policy in ALL:
        assert compare(everywhere(2), orders, [policy])[policy] == together[policy]
    assert compare(everywhere(2), orders, ALL[::-1]) == together


def test_each_order_takes_its_stock_from_the_next() -> None:
    """Planned against full shelves, the last unit would be sold to everybody."""
    totals = compare(everywhere(1), [order(f"o{number}", ("x", 1)) for number in range(5)])
    assert {one.served for one in totals.values()} == {3}


def test_safety_stock_is_not_sold() -> None:
    """It is not sold by the service either."""
    totals = compare(everywhere(3), [order(f"o{number}", ("x", 1)) for number in range(5)], safety=2)
    assert {one.served for one in totals.values()} == {3}


def test_means_are_over_the_orders_that_all_served() -> None:
    """A policy that turns the dear orders away would look cheap."""
    stock = {("x", "near"): 1, ("x", "far"): 1, ("y", "far"): 1, ("y", "near"): 0}
    both = order("both", ("x", 1), ("y", 1), allow_split=False)
    totals = compare(stock, [order("one", ("x", 1), warehouses=("near", "far")), both], ("cheapest", "nearest"))
    assert {name: one.served for name, one in totals.items()} == {"cheapest": 1, "nearest": 2}
    assert {one.compared for one in totals.values()} == {1}
    assert totals["nearest"].shipments_per_order == 1
    assert totals["nearest"].cost_per_order == 5_000


def test_an_order_that_would_wait_for_stock_is_not_refused() -> None:
    """The service accepts it; but it ships nothing yet, so it takes no stock and is in no mean."""
    waits = order("waits", ("x", 9), allow_backorder=True)
    for totals in compare(everywhere(1), [order("one", ("x", 1)), waits, order("never", ("x", 9))]).values():
        assert (totals.served, totals.waiting, totals.refused, totals.compared) == (1, 1, 1, 1)
        assert totals.shipments_per_order == 1
    behind = compare(everywhere(1), [waits, order("one", ("x", 3))])
    assert {(one.served, one.waiting, one.refused) for one in behind.values()} == {(1, 1, 0)}


NEAR_ONLY = check_policies(b'version = "1"\n[policies.one]\nobjective = "pinned"\nwarehouses = ["near"]')


def compare_partial(*orders: Order) -> tuple[PolicyTotals, PolicyTotals]:
    """Totals of `cheapest`, and of a policy that sends from one warehouse alone, where each warehouse has 2 of x."""
    assert isinstance(NEAR_ONLY, PolicyBook)
    cheapest, one = compare_policies(
        ["cheapest", "one"],
        warehouses=NETWORK,
        skus=(Sku(sku="x"), Sku(sku="y")),
        tariff=None,
        stock=[StockCount(sku="x", warehouse=warehouse.id, on_hand=2) for warehouse in NETWORK],
        orders=orders,
        currency="CNY",
        defaults=CostDefaults(fixed_cost=0, unit_cost=10, cost_per_km=1.0),
        book=NEAR_ONLY.message,
    )
    return cheapest, one


def test_a_policy_is_not_cheap_by_leaving_units_out() -> None:
    """What is served in part counts as served, with its unfilled units, and is in no mean of others' whole order."""
    cheapest, one = compare_partial(order("part", ("x", 5), allow_partial=True))
    assert (cheapest.served, cheapest.unfilled_units) == (1, 0)
    assert (one.served, one.unfilled_units) == (1, 3)
    assert (cheapest.compared, one.compared) == (0, 0)
    assert (cheapest.cost_per_order, one.cost_per_order) == (None, None)


def test_orders_that_lack_the_same_units_everywhere_are_compared() -> None:
    """Both send the same: 1 of x, and no y."""
    cheapest, one = compare_partial(order("part", ("x", 1), ("y", 4), allow_partial=True))
    assert (cheapest.unfilled_units, one.unfilled_units) == (4, 4)
    assert (cheapest.compared, one.compared) == (1, 1)
    assert one.cost_per_order == 5_010


def test_invalid_orders_are_told_apart_from_refused_ones() -> None:
    """Nobody could serve them: a typing mistake is no shortage. All that were read are somewhere."""
    wrong = [order(f"w{number}", ("unknown", 1)) for number in range(INVALID_TOLD_MAX + 2)]
    waits = order("waits", ("x", 9), allow_backorder=True)
    orders = [*wrong, order("one", ("x", 1)), waits, order("never", ("x", 9))]
    for totals in compare(everywhere(1), orders).values():
        assert (totals.served, totals.waiting, totals.refused, totals.invalid) == (1, 1, 1, len(wrong))
        assert totals.served + totals.waiting + totals.refused + totals.invalid == totals.orders == len(orders)
        assert [one.order_id for one in totals.invalid_first] == [one.order_id for one in wrong[:INVALID_TOLD_MAX]]
        assert totals.invalid_first[0].pointer == "/lines/0/sku"


def test_an_order_that_comes_twice_is_counted_twice() -> None:
    """The sum is that of the orders read."""
    for totals in compare(everywhere(1), [order("one", ("x", 1))] * 4).values():
        assert (totals.orders, totals.served, totals.refused) == (4, 3, 1)


def test_nothing_to_compare_has_no_means_and_is_no_error() -> None:
    """An empty shelf or an empty file is an answer, too; zero would be the least cost of all."""
    for totals in (compare(everywhere(0), [order("one", ("x", 1))]), compare(everywhere(1), [])):
        for one in totals.values():
            assert (one.served, one.compared, one.promised) == (0, 0, 0)
            means = (one.cost_per_order, one.shipments_per_order, one.mean_km, one.days_to_promise)
            assert means == (None,) * 4


def test_stock_of_unknown_names_is_left_out() -> None:
    """A stock file of the whole company may name more than the catalogue at hand."""
    totals = compare({**everywhere(1), ("unknown", "near"): 5, ("x", "unknown"): 5}, [order("one", ("x", 4))])
    assert {one.served for one in totals.values()} == {0}


def test_days_are_counted_to_the_promised_one_where_there_is_one() -> None:
    """What the customer collects is there when it would leave: two working days after that on which it was ordered."""
    slow = msgspec.structs.replace(NEAR_AND_DEAR, handling_days=2)
    (totals,) = compare_policies(
        ["fastest"],
        warehouses=(slow, FAR_AND_CHEAP),
        skus=(Sku(sku="x"),),
        tariff=None,
        stock=[StockCount(sku="x", warehouse=name, on_hand=5) for name in ("near", "far")],
        orders=[order("collected", ("x", 1), pickup_at="near"), order("sent", ("x", 1))],
        currency="CNY",
        defaults=CostDefaults(fixed_cost=0, unit_cost=0, cost_per_km=1.0),
        now_ms=20_000 * 86_400_000 + 1,
    )
    assert (totals.compared, totals.refused, totals.promised, totals.days_to_promise) == (2, 0, 1, 2)


def test_a_book_of_its_own_is_compared_by_its_names() -> None:
    """And leaves the planner as it was: the same again gives the same."""
    book = check_policies(b'version = "1"\n[policies.dear]\nobjective = "pinned"\nwarehouses = ["first"]')
    assert isinstance(book, PolicyBook)
    planner = Planner(
        currency="CNY",
        default_policy="cheapest",
        defaults=CostDefaults(fixed_cost=0, unit_cost=0, cost_per_km=1.0),
    )
    planner.set_policies(book.message)
    planner.put_warehouses(enumerate(NETWORK))
    planner.put_skus([(0, Sku(sku="x"))])
    planner.set_levels([(cell_number(sku=0, warehouse=number), 2) for number in range(3)], b"0-0")
    orders = [order(f"o{number}", ("x", 1)) for number in range(4)]
    first = compare_on(planner, ["dear", "cheapest"], orders)
    assert [(one.served, one.refused) for one in first] == [(2, 2), (4, 0)]
    assert compare_on(planner, ["dear", "cheapest"], orders) == first
