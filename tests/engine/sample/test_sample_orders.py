"""The offers of a sale: the same for a seed everywhere, with retries, twins and awkward orders among them."""

from collections import Counter, defaultdict
from itertools import islice, pairwise

import msgspec
import pytest

from engine.model.order import Order
from engine.sample import OrderSource, load_network
from engine.sample import order_mix as mix

NETWORK = load_network()
OFFERS = list(OrderSource(NETWORK, seed=3).offers(20_000))
FIRST_ORDER_OF_SEED_1 = (
    '{"order_id":"D20261111-000001","ship_to":{"lat":36.05701,"lon":103.83987,"country":"CN","region":"Gansu"},'
    '"lines":[{"sku":"OVN-32","quantity":1}],"channel":"app","customer":"C143628"}'
)
ORDERS = [offer.order for offer in OFFERS if offer.kind == "new"]


def test_one_seed_means_the_same_offers() -> None:
    """A sale is run again to find what went wrong in it."""
    assert list(OrderSource(NETWORK, seed=3).offers(2_000)) == OFFERS[:2_000]
    assert list(OrderSource(NETWORK, seed=4).offers(2_000)) != OFFERS[:2_000]


def test_the_offers_of_a_seed_never_change() -> None:
    """Published results name a seed; a release that drew otherwise would break them silently."""
    first = next(OrderSource(NETWORK, seed=1).offers(1))
    assert msgspec.json.encode(first.order).decode() == FIRST_ORDER_OF_SEED_1


def test_a_source_starts_anew_on_every_call() -> None:
    """Two policies are compared on the same orders, and a warm-up must not shift them."""
    source = OrderSource(NETWORK, seed=3)
    consumed = list(islice(source.offers(100), 10))
    assert consumed == list(source.offers(10)) == OFFERS[:10]


def test_every_order_is_one_that_the_service_takes() -> None:
    """What is refused as malformed would test the decoder, not the sale."""
    for order in ORDERS:
        assert msgspec.json.decode(msgspec.json.encode(order), type=Order) == order


def test_new_orders_count_up_from_their_prefix() -> None:
    """Ids are what makes an order the same order; a second source in the same store takes another prefix."""
    assert [order.order_id for order in ORDERS] == [f"D20261111-{number:06d}" for number in range(1, len(ORDERS) + 1)]
    other = next(OrderSource(NETWORK, seed=3, id_prefix="WARM").offers(1))
    assert other.order.order_id == "WARM-000001"


def test_retries_equal_an_earlier_order_byte_for_byte() -> None:
    """The same id with another body is a conflict, not a retry."""
    wire: dict[str, bytes] = {}
    last_place: dict[str, list[int]] = defaultdict(list)
    for place, offer in enumerate(OFFERS):
        body = msgspec.json.encode(offer.order)
        if offer.kind == "new":
            assert offer.order.order_id not in wire
            wire[offer.order.order_id] = body
        else:
            assert wire[offer.order.order_id] == body
        if offer.kind == "retry":
            assert any(
                mix.RETRY_LAG_MIN <= place - earlier <= mix.RETRY_LAG_MAX
                for earlier in last_place[offer.order.order_id]
            )
        last_place[offer.order.order_id].append(place)


def test_twins_follow_their_order_at_once() -> None:
    """Two requests for one order in flight together is the race that a store must not lose."""
    assert all(now.order is before.order for before, now in pairwise(OFFERS) if now.kind == "twin")


def test_kinds_come_in_their_shares() -> None:
    """Too few replays and the idempotency of a run is hardly tried."""
    kinds = Counter(offer.kind for offer in OFFERS)
    assert kinds["retry"] / len(OFFERS) == pytest.approx(mix.RETRY_SHARE, rel=0.2)
    assert kinds["twin"] / len(OFFERS) == pytest.approx(mix.TWIN_SHARE, rel=0.3)


def test_orders_have_one_to_five_lines_and_mostly_one() -> None:
    """The shape that shops report; the stock is sized by it."""
    line_counts = Counter(len(order.lines) for order in ORDERS)
    assert set(line_counts) == {1, 2, 3, 4, 5}
    assert line_counts[1] / len(ORDERS) == pytest.approx(0.55, abs=0.02)


def test_some_orders_name_a_sku_twice() -> None:
    """Two lines of one SKU must be summed before the check; only orders that do it can catch the one that does not."""
    doubled = [order for order in ORDERS if len({line.sku for line in order.lines}) < len(order.lines)]
    assert 0.005 < len(doubled) / len(ORDERS) < 0.02


def test_demand_is_what_the_stock_was_sized_for() -> None:
    """Otherwise hot SKUs would not sell out, or others would."""
    units: Counter[str] = Counter()
    for order in ORDERS:
        for line in order.lines:
            units[line.sku] += line.quantity
    per_weight = len(ORDERS) * mix.UNITS_PER_ORDER_MEAN / sum(NETWORK.demand_weights)
    assert units.total() / len(ORDERS) == pytest.approx(mix.UNITS_PER_ORDER_MEAN, rel=0.03)
    for sku, weight in list(zip(NETWORK.skus, NETWORK.demand_weights, strict=True))[:12]:
        assert units[sku.sku] == pytest.approx(weight * per_weight, rel=0.15), sku


def test_some_customers_pass_a_purchase_limit() -> None:
    """A limit that nobody reaches is not tested."""
    limits = {sku.sku: sku.purchase_limit for sku in NETWORK.skus if sku.purchase_limit is not None}
    bought: Counter[tuple[str | None, str]] = Counter()
    orders_of: defaultdict[tuple[str | None, str], int] = defaultdict(int)
    for order in ORDERS:
        for line in order.lines:
            bought[order.customer, line.sku] += line.quantity
            orders_of[order.customer, line.sku] += 1
    past = [key for key, units in bought.items() if key[1] in limits and units > limits[key[1]]]
    assert 10 < len(past) < len(ORDERS) / 20
    assert any(orders_of[key] > 1 for key in past), "someone passes it by ordering again"


def test_only_pending_orders_hold_for_a_time() -> None:
    """Hold seconds on a paid order is a contradiction that the service may refuse."""
    payments = Counter(order.payment for order in ORDERS)
    assert set(payments) == {"paid", "cod", "pending"}
    assert payments["paid"] > 0.8 * len(ORDERS)
    assert all((order.hold_seconds is not None) == (order.payment == "pending") for order in ORDERS)


def test_orders_go_to_cities_by_population() -> None:
    """The map of the demo shows where people live."""
    names = {(city.lat, city.lon): city.name for city in NETWORK.cities}
    visits = Counter(names[order.ship_to.lat, order.ship_to.lon] for order in ORDERS)
    share = NETWORK.cities[0].population / sum(city.population for city in NETWORK.cities)
    assert visits[NETWORK.cities[0].name] / len(ORDERS) == pytest.approx(share, rel=0.2)
    assert len(visits) > 290
