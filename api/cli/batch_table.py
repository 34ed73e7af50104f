"""Prints what a batch was assigned: the whole in words, and a row a warehouse."""

from typing import Any

import numpy as np
from msgspec import Struct

from api.cli.console import counted, out
from api.cli.table import print_table
from engine import BatchAssignment, BatchProblem


class WarehouseShare(Struct, frozen=True):
    """What one warehouse serves."""

    warehouse: str | int
    orders: int
    units: int


class BatchTotals(Struct, frozen=True, kw_only=True):
    """A batch's assignment in numbers. Costs are in the unit of the costs given."""

    cost: int
    bound: int
    gap: float
    ended: str
    elapsed_s: float
    passes: int
    rounds: int
    orders: int
    lines: int
    units: int
    shipments: int
    """Warehouses that orders use, added up."""
    unserved_units: int
    unserved_orders: int
    """Orders of which a unit or more is not served."""
    warehouses: tuple[WarehouseShare, ...]
    """Those that serve anything, most units first."""


def totals_of(problem: BatchProblem, found: BatchAssignment) -> BatchTotals:
    """The numbers of an assignment."""
    order = np.searchsorted(problem.line_start, found.line, side="right") - 1
    served = found.warehouse >= 0
    width = len(problem.fixed)
    used = np.unique(order[served] * width + found.warehouse[served])
    orders = np.bincount(used % width, minlength=width)
    units = np.bincount(found.warehouse[served], found.quantity[served], minlength=width).astype(np.int64)
    names: Any = range(width) if problem.names is None else problem.names.warehouses
    ranked = sorted(np.flatnonzero(orders).tolist(), key=lambda at: (-int(units[at]), at))
    return BatchTotals(
        cost=found.cost,
        bound=found.bound,
        gap=found.gap,
        ended=found.ended,
        elapsed_s=round(found.elapsed_s, 3),
        passes=found.passes,
        rounds=found.rounds,
        orders=problem.orders,
        lines=problem.lines,
        units=int(problem.quantity.sum(dtype=np.int64)),
        shipments=len(used),
        unserved_units=int(found.quantity[~served].sum(dtype=np.int64)),
        unserved_orders=len(np.unique(order[~served])),
        warehouses=tuple(WarehouseShare(names[at], int(orders[at]), int(units[at])) for at in ranked),
    )


_ENDED = {
    "complete": "all was done that there is to do",
    "time_limit": "the time limit came first: a longer --time-limit-s may find less",
    "cancelled": "it was stopped: this is the best until then",
}


def print_totals(totals: BatchTotals) -> None:
    """For people."""
    out.print(
        f"{counted(totals.orders, 'order')} of {counted(totals.lines, 'line')}, {counted(totals.units, 'unit')}:"
        f" cost {totals.cost:,} in {counted(totals.shipments, 'shipment')}, after {totals.elapsed_s:,.1f} s"
        f" ({_ENDED[totals.ended]}).",
        soft_wrap=True,
    )
    if totals.cost == totals.bound:
        out.print("[green]No assignment costs less.[/]")
    else:
        out.print(f"No assignment costs less than {totals.bound:,}: at most {totals.gap:.2%} could be saved.")
    if totals.unserved_units:
        units = counted(totals.unserved_units, "unit of", "units of")
        out.print(f"[yellow]{units} {counted(totals.unserved_orders, 'order')} not served.[/]")
    if totals.warehouses:
        out.print()
        columns = ("warehouse", "orders", "units", "of all units")
        rows = [(row.warehouse, row.orders, row.units, f"{row.units / totals.units:.1%}") for row in totals.warehouses]
        print_table(columns, rows, numbers=columns[1:])
