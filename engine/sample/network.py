"""The sample network as shipped in data/, and the stock that a sale on it starts with. Reads package data only."""

import csv
import tomllib
from functools import cache
from importlib.resources import files
from math import ceil, fsum
from random import Random
from typing import TypeVar

import msgspec
from msgspec import Struct

from engine.model.catalogue import Sku, Warehouse
from engine.model.stock import StockCount
from engine.model.tariff import Tariff
from engine.sample.city import City
from engine.sample.holding import Holders
from engine.sample.order_mix import UNITS_PER_ORDER_MEAN
from engine.sample.spread import split_units

HOT_SKUS = 12
"""The sale's headline items: the SKUs of the greatest demand weight."""

HOT_COVER_MIN, HOT_COVER_MAX = 0.4, 0.8
"""Stock of a hot SKU against its expected demand: below 1, so that it sells out."""
COVER_MIN, COVER_MAX = 1.3, 2.0
"""The same of any other SKU."""

SAFETY_CHANCE = 0.1
SAFETY_UNITS_MAX = 5
SAFETY_CELL_UNITS_MIN = 20
"""Cells of fewer units keep no safety stock, which would be most of them."""

Row = TypeVar("Row", bound=Struct)


class SampleNetwork(Struct, frozen=True, kw_only=True):
    """Catalogue, tariff and demand; money in minor units of `currency`."""

    warehouses: tuple[Warehouse, ...]
    skus: tuple[Sku, ...]
    demand_weights: tuple[float, ...]
    """Relative demand, one number a SKU in the order of `skus`."""
    tariff: Tariff
    cities: tuple[City, ...]
    currency: str = "CNY"

    @property
    def hot_skus(self) -> tuple[str, ...]:
        """Ids of the HOT_SKUS most wanted SKUs, the most wanted first."""
        places = sorted(range(len(self.skus)), key=lambda place: -self.demand_weights[place])
        return tuple(self.skus[place].sku for place in places[:HOT_SKUS])


@cache
def load_network() -> SampleNetwork:
    """The network of data/. Raises msgspec.ValidationError where a row was edited beyond the model's limits."""
    sku_rows = _read_rows("skus.csv")
    demand_weights = tuple(float(row.pop("demand_weight")) for row in sku_rows)
    return SampleNetwork(
        warehouses=_convert_rows(_read_rows("warehouses.csv"), Warehouse),
        skus=_convert_rows(sku_rows, Sku),
        demand_weights=demand_weights,
        tariff=msgspec.convert(tomllib.loads(_read_text("tariff.toml")), Tariff),
        cities=_convert_rows(_read_rows("cities.csv"), City),
    )


def starting_stock(network: SampleNetwork, orders_expected: int, seed: int) -> tuple[StockCount, ...]:
    """Counts that leave the hot SKUs short and the others enough for `orders_expected` orders of OrderSource.

    Retries and twins are no orders of their own. Cells that would hold nothing are left out. One seed gives the same
    counts on every machine.
    """
    random = Random(seed)
    holders = Holders(network.warehouses, network.cities)
    hot_skus = frozenset(network.hot_skus)
    units_per_weight = orders_expected * UNITS_PER_ORDER_MEAN / fsum(network.demand_weights)
    counts = []
    for sku, demand_weight in zip(network.skus, network.demand_weights, strict=True):
        hot = sku.sku in hot_skus
        cover_min, cover_max = (HOT_COVER_MIN, HOT_COVER_MAX) if hot else (COVER_MIN, COVER_MAX)
        wanted = demand_weight * units_per_weight * (cover_min + (cover_max - cover_min) * random.random())
        # Rounded to its own side of the demand, which counts where an order or two are expected.
        units = int(wanted) if hot else ceil(wanted)
        weights = holders.draw_weights(sku, hot=hot, random=random)
        for warehouse, on_hand in zip(network.warehouses, split_units(units, weights), strict=True):
            if on_hand:
                safety = _draw_safety(on_hand, random)
                counts.append(StockCount(sku=sku.sku, warehouse=warehouse.id, on_hand=on_hand, safety=safety))
    return tuple(counts)


def _draw_safety(on_hand: int, random: Random) -> int:
    if random.random() >= SAFETY_CHANCE or on_hand < SAFETY_CELL_UNITS_MIN:
        return 0
    return 1 + int(random.random() * SAFETY_UNITS_MAX)


def _read_text(name: str) -> str:
    return files("engine.sample").joinpath("data", name).read_text(encoding="utf-8")


def _read_rows(name: str) -> list[dict[str, str]]:
    """Rows by column name; an empty field is one left out."""
    rows = csv.DictReader(_read_text(name).splitlines())
    return [{column: text for column, text in row.items() if text} for row in rows]


def _convert_rows(rows: list[dict[str, str]], row_type: type[Row]) -> tuple[Row, ...]:
    # Not strict: a CSV field is text, whatever it says.
    return tuple(msgspec.convert(row, row_type, strict=False) for row in rows)
