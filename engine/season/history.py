"""A season from a history of orders and the network that it is played on, by names. Checks them; reads no file."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import numpy as np
from msgspec import Meta, Struct

from engine.batch_problem import BatchProblem
from engine.errors import FieldError, InvalidInput
from engine.model import MoneyMinor
from engine.season.season import Season

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Units = Annotated[int, Meta(ge=1, le=1_000_000)]

TOLD_MAX = 20
"""Mistakes that are told at once."""


At = datetime | Annotated[float, Meta(ge=0)]
"""When an order came: a time of day with its zone, or seconds since the season began."""


class PlayedWarehouse(Struct, frozen=True, forbid_unknown_fields=True):
    """A warehouse, and what each shipment from it costs."""

    id: Name
    fixed_cost: MoneyMinor


class PlayedRegion(Struct, frozen=True, forbid_unknown_fields=True):
    """Where orders go, and what a unit costs from each warehouse: every one must be named."""

    id: Name
    unit_cost: dict[Name, MoneyMinor]
    unserved_unit: MoneyMinor | None = None
    """What a unit costs that is not served; without it twice the dearest warehouse."""


class PlayedStock(Struct, frozen=True, forbid_unknown_fields=True):
    """Units of a SKU at a warehouse when the season begins."""

    sku: Name
    warehouse: Name
    on_hand: Annotated[int, Meta(ge=0, le=1_000_000_000)]


class PlayedNetwork(Struct, frozen=True, forbid_unknown_fields=True):
    """What a season is played on."""

    warehouses: Annotated[list[PlayedWarehouse], Meta(min_length=1, max_length=4_096)]
    regions: Annotated[list[PlayedRegion], Meta(min_length=1, max_length=10_000)]
    stock: list[PlayedStock]
    unserved_fixed: MoneyMinor | None = None
    """What an order costs once of which a unit is not served; without it twice the dearest warehouse."""


class PlayedLine(Struct, frozen=True, forbid_unknown_fields=True):
    """Units of a SKU."""

    sku: Name
    quantity: Units = 1


class PlayedOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """An order of the history."""

    at: At
    """The same kind of time for all."""
    region: Name
    lines: Annotated[list[PlayedLine], Meta(min_length=1, max_length=500)]
    order_id: Name | None = None


def season_of_history(
    name: str, network: PlayedNetwork, orders: Sequence[PlayedOrder], *, length_s: float | None = None
) -> Season:
    """The season, orders in the sequence of their times. Raises InvalidInput, which names each row and its rule."""
    errors = _flaws(network)
    warehouses = {one.id: place for place, one in enumerate(network.warehouses)}
    regions = {one.id: place for place, one in enumerate(network.regions)}
    at_s = _times(orders, errors)
    for place, order in enumerate(orders):
        if order.region not in regions:
            errors.append(FieldError(f"/orders/{place}/region", f'the network has no region "{order.region}"'))
    if not orders:
        errors.append(FieldError("/orders", "must not be empty"))
    if errors:
        raise InvalidInput(tuple(errors[:TOLD_MAX]))
    sequence = np.argsort(at_s, kind="stable")
    skus: dict[str, int] = {}
    for row in network.stock:
        skus.setdefault(row.sku, len(skus))
    rows: list[dict[int, int]] = []
    for place in sequence:
        units: dict[int, int] = {}
        for line in orders[place].lines:
            number = skus.setdefault(line.sku, len(skus))
            units[number] = units.get(number, 0) + line.quantity
        rows.append(units)
    stock = np.zeros((len(skus), len(warehouses)), np.int64)
    for row in network.stock:
        stock[skus[row.sku], warehouses[row.warehouse]] += row.on_hand
    unit = np.array([[region.unit_cost[one] for one in warehouses] for region in network.regions], np.int64)
    fixed = np.array([one.fixed_cost for one in network.warehouses], np.int64)
    lacking = [
        2 * int(costs.max()) if region.unserved_unit is None else region.unserved_unit
        for region, costs in zip(network.regions, unit, strict=True)
    ]
    problem = BatchProblem(
        line_start=np.concatenate([[0], np.cumsum([len(units) for units in rows])]),
        sku=[sku for units in rows for sku in units],
        quantity=[quantity for units in rows for quantity in units.values()],
        region=[regions[orders[place].region] for place in sequence],
        fixed=fixed,
        unit_cost=unit,
        stock=stock,
        unserved_fixed=2 * int(fixed.max()) if network.unserved_fixed is None else network.unserved_fixed,
        unserved_unit=lacking,
    )
    times = at_s[sequence]
    last = float(times[-1])
    # The last order ends a season of which nothing else is said.
    return Season(name, problem, times, max(last, 1.0) if length_s is None else length_s)


def _flaws(network: PlayedNetwork) -> list[FieldError]:
    errors: list[FieldError] = []
    names = {one.id for one in network.warehouses}
    for field, ids in (
        ("warehouses", [one.id for one in network.warehouses]),
        ("regions", [one.id for one in network.regions]),
    ):
        for place, name in enumerate(ids):
            if name in ids[:place]:
                errors.append(FieldError(f"/{field}/{place}/id", f'"{name}" is there twice'))
    for place, region in enumerate(network.regions):
        pointer = f"/regions/{place}/unit_cost"
        if lacking := sorted(names - region.unit_cost.keys()):
            errors.append(FieldError(pointer, f'lacks the warehouse "{lacking[0]}"'))
        if unknown := sorted(region.unit_cost.keys() - names):
            errors.append(FieldError(pointer, f'there is no warehouse "{unknown[0]}"'))
    errors += [
        FieldError(f"/stock/{place}/warehouse", f'there is no warehouse "{row.warehouse}"')
        for place, row in enumerate(network.stock)
        if row.warehouse not in names
    ]
    return errors


def _times(orders: Sequence[PlayedOrder], errors: list[FieldError]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Seconds since the first order, where times are of a calendar; else as they are."""
    dated = [isinstance(order.at, datetime) for order in orders]
    found = np.zeros(len(orders))
    for place, order in enumerate(orders):
        if dated[place] != dated[0]:
            errors.append(FieldError(f"/orders/{place}/at", "must be of the same kind as that of the first order"))
        elif isinstance(order.at, datetime):
            if order.at.tzinfo is None:
                errors.append(FieldError(f"/orders/{place}/at", "must have a time zone, as 2026-11-11T10:00:00Z has"))
            else:
                found[place] = order.at.timestamp()
        else:
            found[place] = order.at
    return found - found.min() if len(found) and dated[0] else found
