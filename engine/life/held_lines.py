"""Turns lines that name units of an order into cells, and divides its canonical lines. Does no I/O."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from engine.errors import FieldError
from engine.model import HeldLine, Line, limits
from engine.planner import Planner, Record, divided_lines

_sorted = msgspec.msgpack.Encoder(order="sorted").encode

Cells = list[tuple[int, int]]
"""Cell numbers and units."""


def cells_of(planner: Planner, record: Record, lines: Sequence[HeldLine]) -> tuple[Cells, tuple[FieldError, ...]]:
    """The cells in which an order holds the units that lines name; or what is wrong with the lines."""
    held: Counter[int] = Counter()
    for cell, units in record.held:
        held[cell] += units
    taken: Counter[int] = Counter()
    errors: list[FieldError] = []
    for index, line in enumerate(lines):
        sku = planner.core.sku_number(line.sku)
        warehouse = planner.core.warehouse_number(line.warehouse) if line.warehouse is not None else None
        if sku is None:
            errors.append(FieldError(f"/lines/{index}/sku", f'unknown SKU "{line.sku}"'))
        elif line.warehouse is not None and warehouse is None:
            errors.append(FieldError(f"/lines/{index}/warehouse", f'unknown warehouse "{line.warehouse}"'))
        else:
            left = line.quantity
            for cell, units in held.items():
                if sku_of(cell) == sku and warehouse in (None, cell % limits.WAREHOUSES_MAX):
                    some = min(left, units - taken[cell])
                    taken[cell] += some
                    left -= some
            if left:
                place = f" at {line.warehouse}" if line.warehouse is not None else ""
                message = f"the order holds only {line.quantity - left} more of it{place}"
                errors.append(FieldError(f"/lines/{index}/quantity", message))
    return [(cell, units) for cell, units in taken.items() if units], tuple(errors)


def sku_of(cell: int) -> int:
    """The number of a cell's SKU, of a pool's cell too."""
    return cell // limits.WAREHOUSES_MAX % limits.SKUS_MAX


def with_lines(canonical: bytes, order_id: str, lines: Sequence[Any]) -> bytes:
    """A canonical order with another id and other lines; a line without a price keeps that of its SKU."""
    order = msgspec.msgpack.decode(canonical)
    prices: dict[str, int] = {}
    for line in order["lines"]:
        if "unit_price" in line:
            prices.setdefault(line["sku"], line["unit_price"])
    rows = [msgspec.to_builtins(line) for line in lines]
    priced = [{"unit_price": prices[row["sku"]], **row} if row["sku"] in prices else row for row in rows]
    return _sorted({**order, "order_id": order_id, "lines": priced})


def divided(
    planner: Planner, record: Record, stored: bytes, moved: Cells, order_id: str, into: str
) -> tuple[bytes, bytes]:
    """The canonical orders of what stays and of what goes, when these units are split off; `stored` is the record."""
    if (named := divided_lines(planner.core, stored, moved)) is not None:
        first, second = ([Line(*line) for line in lines] for lines in named)
        return with_lines(record.canonical, order_id, first), with_lines(record.canonical, into, second)
    units: Counter[int | None] = Counter()
    for cell, count in moved:
        units[sku_of(cell)] += count
    stays: list[dict[str, Any]] = []
    goes: list[dict[str, Any]] = []
    for line in msgspec.msgpack.decode(record.canonical)["lines"]:
        sku = planner.core.sku_number(line["sku"])
        some = min(units[sku], line["quantity"])
        units[sku] -= some
        if some:
            goes.append({**line, "quantity": some})
        if line["quantity"] > some:
            stays.append({**line, "quantity": line["quantity"] - some})
    return with_lines(record.canonical, order_id, stays), with_lines(record.canonical, into, goes)
