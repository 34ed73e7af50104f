"""What shipping costs from each warehouse to each region, as the planner reckons it, in the terms of a batch problem.

A planner of its own, with the same warehouses, tariff and own distances and costs, is asked what one unit and two units
cost from everywhere. Its SKU is one of mean weight: prices are advice, and an order's cost is booked by its true one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import UNSET, Struct

from engine.model import Line, MatrixOf, Order, ShipTo, Sku, Tariff, Warehouse
from engine.model.explanation import Explanation
from engine.planner import CostDefaults, Planner, canonical_bytes, cell_number

Ints = npt.NDArray[np.int64]

PROBE = "probe"
DEARER = 2
"""How often what is dearest what is not served costs; what cannot be had costs twice that, so that it is not chosen."""


class _Told(Struct):
    explanation: Explanation


_decode = msgspec.json.Decoder(_Told).decode


class LaneTerms(Struct, frozen=True, kw_only=True):
    """What costs depend on: read by the thread that reckons, and never changed."""

    currency: str
    defaults: CostDefaults
    warehouses: tuple[Warehouse, ...]
    tariff: Tariff | None
    matrices: Mapping[MatrixOf, Any]
    weight_g: int


class LaneCosts(Struct, frozen=True):
    """[W] once for each shipment, [R, W] for each unit, and what is not served."""

    fixed: Ints
    unit: Ints
    unserved_fixed: int
    unserved_unit: Ints


def lane_costs(terms: LaneTerms, places: Sequence[ShipTo]) -> LaneCosts:
    """The costs to places. Exact for orders of one unit of that weight; what a way costs is counted with units."""
    planner = Planner(currency=terms.currency, default_policy="cheapest", defaults=terms.defaults)
    planner.put_warehouses(enumerate(terms.warehouses))
    planner.put_skus([(0, Sku(sku=PROBE, weight_g=terms.weight_g))])
    planner.set_tariff(terms.tariff)
    for of, matrix in terms.matrices.items():
        planner.set_matrix(of, matrix)
    numbers = {warehouse.id: number for number, warehouse in enumerate(terms.warehouses)}
    planner.set_levels([(cell_number(sku=0, warehouse=number), 2) for number in numbers.values()], b"0-0")
    one, two = (
        np.array([_costs(planner, numbers, place, units) for place in places], np.int64).reshape(-1, len(numbers))
        for units in (1, 2)
    )
    there = (one >= 0) & (two >= 0)
    # What a shipment costs whatever is in it, wherever it goes.
    once = np.where(there, np.maximum(0, 2 * one - two), np.iinfo(np.int64).max).min(
        axis=0, initial=np.iinfo(np.int64).max
    )
    fixed = np.where(there.any(axis=0), once, 0)
    unit = np.where(there, one - fixed, 0)
    unserved = DEARER * np.maximum(1, unit.max(axis=1, initial=0))
    unit = np.where(there, unit, DEARER * unserved[:, None] + int(fixed.max(initial=0)) * DEARER)
    return LaneCosts(fixed, unit, DEARER * int(fixed.max(initial=0)), unserved)


def _costs(planner: Planner, numbers: Mapping[str, int], place: ShipTo, units: int) -> list[int]:
    """What an order costs alone from each warehouse, -1 where it cannot come from there."""
    order = Order(order_id=PROBE, ship_to=place, lines=(Line(PROBE, units),))
    word, payload = planner.core.quote(canonical_bytes(order))
    found = [-1] * len(numbers)
    if word == "quoted":
        for row in _decode(payload).explanation.warehouses:
            if row.cost is not UNSET:
                found[numbers[row.warehouse]] = row.cost.total
    return found
