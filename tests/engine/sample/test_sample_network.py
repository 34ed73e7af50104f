"""The shipped network: complete, valid, and a believable piece of China."""

from importlib.resources import files
from itertools import combinations, pairwise

import msgspec

from engine.model.catalogue import Warehouse
from engine.sample import City, SampleNetwork, load_network
from engine.sample.city import great_circle_km
from engine.sample.cut_geonames import APART_KM_MIN
from engine.sample.network import HOT_SKUS

NETWORK = load_network()


def test_every_row_obeys_the_models_limits() -> None:
    """Frozen Structs do not check on construction; what ships must pass the same gate as what users send."""
    assert msgspec.convert(msgspec.to_builtins(NETWORK), SampleNetwork) == NETWORK


def test_the_network_has_the_size_that_the_readme_and_the_reports_speak_of() -> None:
    """A lost row would make every published number a little wrong."""
    assert len(NETWORK.warehouses) == 30
    assert len(NETWORK.skus) == len(NETWORK.demand_weights) == 200
    assert len(NETWORK.cities) == 300
    assert NETWORK.currency == "CNY"


def test_names_and_ranks_are_unique() -> None:
    """Two rows of one id would overwrite each other; two of one rank leave the priority policy to chance."""
    for values in (
        [warehouse.id for warehouse in NETWORK.warehouses],
        [warehouse.priority for warehouse in NETWORK.warehouses],
        [sku.sku for sku in NETWORK.skus],
        [sku.name for sku in NETWORK.skus],
        [city.name for city in NETWORK.cities],
    ):
        assert None not in values
        assert len(set(values)) == len(values)


def test_every_place_is_in_china() -> None:
    """A swapped latitude and longitude is a valid number and a warehouse in the sea."""
    places: list[Warehouse | City] = [*NETWORK.warehouses, *NETWORK.cities]
    for place in places:
        assert 18 <= place.lat <= 54, place
        assert 73 <= place.lon <= 136, place


def test_every_warehouse_stands_by_a_city() -> None:
    """A mistyped degree stays in China, but not within 100 km of anyone."""
    for warehouse in NETWORK.warehouses:
        nearest_km = min(
            great_circle_km(from_lat=warehouse.lat, from_lon=warehouse.lon, to_lat=city.lat, to_lon=city.lon)
            for city in NETWORK.cities
        )
        assert nearest_km < 100, warehouse


def test_warehouses_are_of_every_kind_and_state_their_costs() -> None:
    """A cost left out would come from the user's configuration, and the sample would differ from machine to machine."""
    kinds = [warehouse.kind for warehouse in NETWORK.warehouses]
    assert kinds.count("dc") == 20
    assert set(kinds) == {"dc", "store", "supplier", "third_party"}
    for warehouse in NETWORK.warehouses:
        assert warehouse.fixed_cost
        assert warehouse.unit_cost
        assert warehouse.cost_per_km == 0, "the tariff carries the distance"
        assert warehouse.cutoff


def test_a_store_costs_more_than_any_dc() -> None:
    """Otherwise the cheapest policy would empty the shops first."""
    stores = [warehouse for warehouse in NETWORK.warehouses if warehouse.kind == "store"]
    dcs = [warehouse for warehouse in NETWORK.warehouses if warehouse.kind == "dc"]
    assert min(store.fixed_cost or 0 for store in stores) > max(dc.fixed_cost or 0 for dc in dcs)
    assert min(store.unit_cost or 0 for store in stores) > max(dc.unit_cost or 0 for dc in dcs)


def test_skus_weigh_50_g_to_15_kg() -> None:
    """Parcels: the tariff is one for couriers, not for freight."""
    for sku in NETWORK.skus:
        assert 50 <= sku.weight_g <= 15_000, sku
        assert 0.02 < sku.weight_g / (sku.volume_cm3 or 0) < 2.5, f"{sku} is lighter than down or heavier than stone"


def test_demand_is_skewed_towards_the_hot_skus() -> None:
    """A flash sale is a fight over few cells; even demand would not show one."""
    assert list(NETWORK.demand_weights) == sorted(NETWORK.demand_weights, reverse=True)
    assert min(NETWORK.demand_weights) > 0
    assert sum(NETWORK.demand_weights[:HOT_SKUS]) / sum(NETWORK.demand_weights) > 0.3


def test_only_hot_skus_have_a_purchase_limit() -> None:
    """Limits are for what everybody wants."""
    limited = {sku.sku for sku in NETWORK.skus if sku.purchase_limit is not None}
    assert len(limited) >= 3
    assert limited < set(NETWORK.hot_skus)


def test_tariff_zones_ascend_in_distance_price_and_days() -> None:
    """The planner takes the first zone that reaches; a zone out of order would never be used."""
    assert 5 <= len(NETWORK.tariff.zones) <= 7
    for near, far in pairwise(NETWORK.tariff.zones):
        assert near.max_km < far.max_km
        assert near.base < far.base
        assert near.per_kg < far.per_kg
        assert 1 <= (near.transit_days or 0) <= (far.transit_days or 0)


def test_cities_are_no_districts_of_each_other() -> None:
    """Two entries for one city would count its customers twice."""
    for one, other in combinations(NETWORK.cities, 2):
        apart_km = great_circle_km(from_lat=one.lat, from_lon=one.lon, to_lat=other.lat, to_lon=other.lon)
        assert apart_km >= APART_KM_MIN, (one, other)


def test_cities_are_credited() -> None:
    """CC BY 4.0 asks for the source, the licence and a note of what was changed, wherever the data go."""
    credits_text = files("engine.sample").joinpath("data", "CREDITS.md").read_text(encoding="utf-8")
    for words in ("GeoNames", "geonames.org", "Creative Commons Attribution 4.0", "Changed"):
        assert words in credits_text
