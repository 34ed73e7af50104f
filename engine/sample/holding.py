"""Which warehouses hold a SKU at the start of the sale, by kind. Does no I/O."""

from collections.abc import Sequence
from random import Random

from engine.model.catalogue import Sku, Warehouse, WarehouseKind
from engine.sample.city import City
from engine.sample.spread import nearby_population, pick_distinct

DC_SHARE_MIN = 0.4
DC_SHARE_MAX = 0.7
"""Share of the dcs that hold a SKU. Below 1, so that some orders have to split."""

HELD_CHANCE: dict[WarehouseKind, float] = {"third_party": 0.35, "supplier": 0.2, "store": 0.6}
SCALE: dict[WarehouseKind, float] = {"dc": 1.0, "third_party": 0.5, "supplier": 0.4}
"""Stock per inhabitant nearby, against a dc."""

STORE_STOCK_SHARE = 0.01
"""A store's stock of a SKU, against that of all warehouses behind it."""
STORE_WEIGHT_G_MAX = 500
"""Heavier SKUs stand in a store only when hot."""

NOISE = 0.4
"""Each weight is off by up to this share: no forecast is exact."""


class Holders:
    """Draws how the stock of a SKU leans on the warehouses of one network."""

    def __init__(self, warehouses: Sequence[Warehouse], cities: Sequence[City]) -> None:
        self._places = {
            kind: [place for place, warehouse in enumerate(warehouses) if warehouse.kind == kind]
            for kind in ("dc", "third_party", "supplier", "store")
        }
        behind = [place for place, warehouse in enumerate(warehouses) if warehouse.kind != "store"]
        self._lean = [0.0] * len(warehouses)
        for place, inhabitants in zip(
            behind, nearby_population([warehouses[place] for place in behind], cities), strict=True
        ):
            self._lean[place] = inhabitants * SCALE[warehouses[place].kind]

    def draw_weights(self, sku: Sku, *, hot: bool, random: Random) -> list[float]:
        """One weight per warehouse, 0 where it does not hold the SKU."""
        dcs = self._places["dc"]
        dc_share = DC_SHARE_MIN + (DC_SHARE_MAX - DC_SHARE_MIN) * random.random()
        picked = pick_distinct([self._lean[place] for place in dcs], round(dc_share * len(dcs)), random)
        weights = [0.0] * len(self._lean)
        for place in [dcs[position] for position in picked] + self._draw_held("third_party", random):
            weights[place] = self._lean[place] * _noise(random)
        for place in self._draw_held("supplier", random):
            weights[place] = self._lean[place] * _noise(random)
        if hot or sku.weight_g <= STORE_WEIGHT_G_MAX:
            per_store = STORE_STOCK_SHARE * max(weights) * len(picked)
            for place in self._draw_held("store", random):
                weights[place] = per_store * _noise(random)
        return weights

    def _draw_held(self, kind: WarehouseKind, random: Random) -> list[int]:
        return [place for place in self._places[kind] if random.random() < HELD_CHANCE[kind]]


def _noise(random: Random) -> float:
    return 1 - NOISE + 2 * NOISE * random.random()
