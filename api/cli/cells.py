"""Cells as a table."""

from collections.abc import Sequence

from msgspec import UNSET

from api.cli.table import print_table
from engine.model import Cell

_TEXTS = ("sku", "warehouse", "arrivals", "pools")


def print_cells(cells: Sequence[Cell]) -> None:
    """Cells, a row each; columns that few networks need only where one of the cells does."""
    columns: dict[str, list[object]] = {
        "sku": [row.sku for row in cells],
        "warehouse": [row.warehouse for row in cells],
        "on hand": [row.on_hand for row in cells],
        "reserved": [row.reserved for row in cells],
        "safety": [row.safety for row in cells],
        "available": [row.available for row in cells],
    }
    seldom: dict[str, list[object]] = {
        "quarantined": [row.quarantined for row in cells],
        "inbound": [row.inbound for row in cells],
        "arrivals": [_arrivals(row) for row in cells],
        "pools": [_pools(row) for row in cells],
    }
    columns |= {name: column for name, column in seldom.items() if any(column)}
    print_table(
        list(columns), zip(*columns.values(), strict=True), numbers=[name for name in columns if name not in _TEXTS]
    )


def _arrivals(cell: Cell) -> str:
    return ", ".join(
        f"{one.quantity:,} as {one.reference}" + (f" on {one.arrives_at:%Y-%m-%d %H:%M} UTC" if one.arrives_at else "")
        for one in cell.arrivals
    )


def _pools(cell: Cell) -> str:
    return "" if cell.pools is UNSET else ", ".join(f"{name} {units:,}" for name, units in cell.pools.items())
