"""The stock a sale starts with: short of what is hot, enough of the rest, in some warehouses only."""

from collections import Counter, defaultdict

import msgspec
import pytest

from engine.model.limits import STOCK_ROWS_MAX
from engine.model.stock import StockCount
from engine.sample import load_network, starting_stock
from engine.sample.network import HOT_COVER_MAX, HOT_COVER_MIN
from engine.sample.order_mix import UNITS_PER_ORDER_MEAN

NETWORK = load_network()
ORDERS = 30_000
COUNTS = starting_stock(NETWORK, ORDERS, seed=7)
KINDS = {warehouse.id: warehouse.kind for warehouse in NETWORK.warehouses}


def expected_units() -> dict[str, float]:
    per_weight = ORDERS * UNITS_PER_ORDER_MEAN / sum(NETWORK.demand_weights)
    return {sku.sku: weight * per_weight for sku, weight in zip(NETWORK.skus, NETWORK.demand_weights, strict=True)}


def on_hand_by_sku() -> Counter[str]:
    units: Counter[str] = Counter()
    for count in COUNTS:
        units[count.sku] += count.on_hand
    return units


def test_hot_skus_are_short_and_the_others_are_not() -> None:
    """The sale must sell out its headline items and nothing else, or the demo shows no fight, or only refusals."""
    expected, units = expected_units(), on_hand_by_sku()
    for sku in NETWORK.skus:
        cover = units[sku.sku] / expected[sku.sku]
        if sku.sku in NETWORK.hot_skus:
            assert HOT_COVER_MIN - 0.01 <= cover <= HOT_COVER_MAX, sku
        else:
            assert cover >= 1.3, sku
            assert units[sku.sku] <= expected[sku.sku] * 2 + 1, sku


def test_each_sku_is_in_some_dcs_only() -> None:
    """A SKU that is everywhere never makes an order split."""
    dcs = defaultdict(set)
    for count in COUNTS:
        if KINDS[count.warehouse] == "dc":
            dcs[count.sku].add(count.warehouse)
    dc_count = sum(kind == "dc" for kind in KINDS.values())
    for sku in NETWORK.skus:
        assert len(dcs[sku.sku]) <= 0.7 * dc_count, sku
    assert sum(len(held) for held in dcs.values()) / len(NETWORK.skus) >= 0.4 * dc_count


def test_dcs_hold_most_and_every_warehouse_something() -> None:
    """A warehouse without stock would be a dot on the map that does nothing."""
    by_kind: Counter[str] = Counter()
    for count in COUNTS:
        by_kind[KINDS[count.warehouse]] += count.on_hand
    assert by_kind["dc"] > 0.8 * by_kind.total()
    assert {count.warehouse for count in COUNTS} == set(KINDS)


def test_stores_hold_hot_or_light_skus_only() -> None:
    """Nobody stores rice by the sack in a shopping street."""
    light = {sku.sku for sku in NETWORK.skus if sku.weight_g <= 500}
    in_stores = {count.sku for count in COUNTS if KINDS[count.warehouse] == "store"}
    assert in_stores <= light | set(NETWORK.hot_skus)


def test_counts_are_valid_and_fit_one_stock_call() -> None:
    """The demo sets them by one call, which the model bounds."""
    assert msgspec.convert(msgspec.to_builtins(COUNTS), tuple[StockCount, ...]) == COUNTS
    assert len({(count.sku, count.warehouse) for count in COUNTS}) == len(COUNTS) <= STOCK_ROWS_MAX
    assert all(count.on_hand > (count.safety or 0) for count in COUNTS)
    assert any(count.safety for count in COUNTS)


def test_one_seed_means_one_stock() -> None:
    """A result can be repeated only from the same stock, and another seed has to try another."""
    assert starting_stock(NETWORK, ORDERS, seed=7) == COUNTS
    assert starting_stock(NETWORK, ORDERS, seed=8) != COUNTS


@pytest.mark.parametrize("orders", [1, 50])
def test_a_tiny_sale_has_stock_of_every_ordinary_sku(orders: int) -> None:
    """Rounding to nothing would make a SKU unsellable in a short run."""
    held = {count.sku for count in starting_stock(NETWORK, orders, seed=1)}
    assert {sku.sku for sku in NETWORK.skus} - set(NETWORK.hot_skus) <= held
