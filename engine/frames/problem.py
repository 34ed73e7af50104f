"""A BatchProblem made from tables of lines, stock, costs and warehouses. Checks what tables can have wrong."""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.arrays import count
from engine.batch_problem import BatchProblem
from engine.errors import FieldError, InvalidInput
from engine.frames.dimension import Dimension
from engine.frames.grouping import Grouping, group_lines
from engine.frames.ids import id_column
from engine.frames.names import BatchNames, Id
from engine.frames.numbers import raise_rows, whole_numbers
from engine.frames.table import Source, Table, read_table
from engine.frames.told import told_by_name

LINES_NEEDED = ("order_id", "sku", "quantity", "region")
LINES_OPTIONAL = ("placed", "frozen", "max_shipments", "priority", "channel")
STOCK = ("sku", "warehouse", "quantity")
POOLS = ("channel", "sku", "warehouse", "quantity")
COSTS = ("region", "warehouse", "unit_cost")
WAREHOUSES_NEEDED, WAREHOUSES_OPTIONAL = ("warehouse", "fixed_cost"), ("capacity",)

COST_MAX = 10**13
UNITS_MAX = 2**50
CELLS_MAX = 2**27
"""A matrix of a gibibyte."""
INT32_MAX, INT64_MAX = 2**31 - 1, 2**63 - 1
PRIORITY_MAX = 1 << 20

Int64 = npt.NDArray[np.int64]


def problem_of(
    lines: Source,
    stock: Source,
    costs: Source,
    *,
    warehouses: Source | None,
    pools: Source | None,
    fixed_cost: int | None,
    unserved_fixed: int,
    unserved_unit: int | Mapping[Id, int],
    max_shipments: int | None,
    move_penalty: int,
) -> BatchProblem:
    """See BatchProblem.from_frames."""
    if (warehouses is None) is (fixed_cost is None):
        raise InvalidInput((FieldError("/warehouses", "one of warehouses and fixed_cost is needed, and not both"),))
    if max_shipments is not None:
        max_shipments = min(count("max_shipments", max_shipments, 1), INT32_MAX)
    line_table = read_table("lines", lines, needed=LINES_NEEDED, optional=LINES_OPTIONAL)
    stock_table = read_table("stock", stock, needed=STOCK)
    pool_table = None if pools is None else read_table("pools", pools, needed=POOLS)
    cost_table = read_table("costs", costs, needed=COSTS)
    place, fixed, capacity = _warehouses(warehouses, fixed_cost, cost_table)
    region = Dimension("region", id_column(cost_table, "region"))
    sku = Dimension("SKU", id_column(stock_table, "sku"))
    if pool_table is not None:
        sku.add(id_column(pool_table, "sku"))
    sku_column = id_column(line_table, "sku")
    sku.add(sku_column)
    grouping = group_lines(line_table, sku.codes(sku_column))
    regions = id_column(line_table, "region")
    region_codes = grouping.of_orders("region", region.codes(regions))
    given: dict[str, Any] = {
        name: grouping.sorted(place.codes(id_column(line_table, name, optional=True)))
        for name in ("placed", "frozen")
        if line_table.has(name)
    }
    given |= _of_orders(line_table, grouping, max_shipments)
    channel = None
    if pool_table is not None:
        channel = Dimension("channel", id_column(pool_table, "channel"))
        given["pool"] = _cells(pool_table, POOLS, (channel, sku, place), most=UNITS_MAX, absent=0)
    if line_table.has("channel"):
        given |= _channels(line_table, grouping, channel)
    elif channel is not None:
        raise InvalidInput((FieldError("/lines", 'lacks the column "channel", which pools need'),))
    names = BatchNames(
        orders=grouping.orders,
        skus=sku.ids,
        warehouses=place.ids,
        regions=region.ids,
        channels=[] if channel is None else channel.ids,
        row=grouping.sequence,
        line_start=grouping.line_start,
        sku=grouping.sku,
    )
    with told_by_name(names):
        return BatchProblem(
            names=names,
            line_start=grouping.line_start,
            sku=grouping.sku,
            quantity=grouping.sorted(whole_numbers(line_table, "quantity", least=1, most=INT32_MAX)),
            region=region_codes,
            fixed=fixed,
            unit_cost=_cells(cost_table, COSTS, (region, place), most=COST_MAX, absent=None),
            stock=_cells(stock_table, STOCK, (sku, place), most=UNITS_MAX, absent=0),
            unserved_fixed=unserved_fixed,
            unserved_unit=_unserved_unit(unserved_unit, region),
            move_penalty=move_penalty,
            capacity=capacity,
            **given,
        )


def _warehouses(
    source: Source | None, fixed_cost: int | None, costs: Table
) -> tuple[Dimension, Int64 | int, Int64 | None]:
    """All that there are, what using each costs, and how many orders each takes."""
    if source is None:
        place = Dimension("warehouse", id_column(costs, "warehouse"))
        return place, np.full(len(place), fixed_cost), None
    table = read_table("warehouses", source, needed=WAREHOUSES_NEEDED, optional=WAREHOUSES_OPTIONAL)
    column = id_column(table, "warehouse")
    place = Dimension("warehouse", column)
    raise_rows(table, "warehouse", _again(column.codes), "must be there once")
    fixed = whole_numbers(table, "fixed_cost", least=0, most=COST_MAX)
    if not table.has("capacity"):
        return place, fixed, None
    return place, fixed, whole_numbers(table, "capacity", least=0, most=INT64_MAX, missing=INT64_MAX)


def _of_orders(table: Table, grouping: Grouping, max_shipments: int | None) -> dict[str, Any]:
    """What belongs to whole orders."""
    found: dict[str, Any] = {"max_shipments": max_shipments}
    if table.has("max_shipments"):
        most = INT32_MAX if max_shipments is None else max_shipments
        column = whole_numbers(table, "max_shipments", least=1, most=INT32_MAX, missing=INT32_MAX)
        found["max_shipments"] = np.minimum(grouping.of_orders("max_shipments", column), most)
    if table.has("priority"):
        column = whole_numbers(table, "priority", least=1, most=PRIORITY_MAX, missing=1)
        found["priority"] = grouping.of_orders("priority", column)
    return found


def _channels(table: Table, grouping: Grouping, channel: Dimension | None) -> dict[str, Any]:
    """The channel of each order, -1 for one without a pool."""
    column = id_column(table, "channel", optional=True)
    grouping.of_orders("channel", column.codes)
    if channel is None:
        return {}
    return {"channel": grouping.of_orders("channel", channel.codes(column, others=True))}


def _cells(
    table: Table, names: tuple[str, ...], dimensions: Sequence[Dimension], *, most: int, absent: int | None
) -> Int64:
    """A table of cells, named by ids, as an array; `absent` stands where no row is, None: every cell must have one."""
    shape = tuple(len(dimension) for dimension in dimensions)
    if prod(shape) > CELLS_MAX:
        counts = " times ".join(f"{length:,}" for length in shape)
        rule = f"{counts} {dimensions[-1].what}s are more than {CELLS_MAX:,} cells"
        raise InvalidInput((FieldError(f"/{table.name}/{names[0]}", rule),))
    columns, quantity = [id_column(table, name) for name in names[:-1]], names[-1]
    values = whole_numbers(table, quantity, least=0, most=most)
    cell = np.zeros(table.rows, np.int64)
    for dimension, column in zip(dimensions, columns, strict=True):
        cell = cell * len(dimension) + dimension.codes(column)
    others = " and ".join(names[1:-1])
    raise_rows(table, names[0], _again(cell), f"must be there once with the same {others}")
    array = np.full(prod(shape), -1 if absent is None else absent, np.int64)
    array[cell] = values
    if (empty := np.flatnonzero(array < 0)).size:
        first = np.unravel_index(int(empty[0]), shape)
        lacking = " and ".join(f'{one.what} "{one.ids[at]}"' for one, at in zip(dimensions, first, strict=True))
        more = f" (and {empty.size - 1:,} more pairs)" if empty.size > 1 else ""
        instead = f"where nothing can go, let {quantity} be above what not serving a unit costs"
        rule = f"has no row for {lacking}{more}: {instead}"
        raise InvalidInput((FieldError(f"/{table.name}", rule),))
    return array.reshape(shape)


def _unserved_unit(given: int | Mapping[Id, int], region: Dimension) -> Int64:
    if not isinstance(given, Mapping):
        return np.full(len(region), given)
    if unknown := [id_ for id_ in given if region.number(id_) is None]:
        raise InvalidInput(tuple(FieldError(f"/unserved_unit/{id_}", "is no region of costs") for id_ in unknown))
    if lacking := [id_ for id_ in region.ids if id_ not in given]:
        raise InvalidInput(tuple(FieldError("/unserved_unit", f'lacks the region "{id_}"') for id_ in lacking))
    return np.array([given[id_] for id_ in region.ids])


def _again(codes: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Which rows have what an earlier one has."""
    again = np.ones(len(codes), bool)
    again[np.unique(codes, return_index=True)[1]] = False
    return again
