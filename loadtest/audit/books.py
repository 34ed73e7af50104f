"""Holds cells before and after a run against what its orders hold. Pure."""

from collections.abc import Collection, Mapping

from loadtest.audit.finding import Lie, lie
from loadtest.audit.stock import Key, Stock

Wrong = dict[Key, tuple[int, int]]
"""Cells whose reserved units changed by the first number, while orders of the run hold the second of them."""


def wrong_cells(
    before: Stock,
    after: Stock,
    held: Mapping[str, Mapping[str, int]],
    *,
    asked: Collection[str] | None,
    passed_over: set[Key],
) -> Wrong:
    """Cells that do not reserve what the orders hold. `asked`: SKUs of which the stock was read; None for all.

    `passed_over`: others took from these, too.
    """
    known = held if asked is None else {sku: row for sku, row in held.items() if sku in asked}
    sums = {(sku, warehouse): units for sku, row in known.items() for warehouse, units in row.items()}
    found: Wrong = {}
    for key in {*before, *after, *sums} - passed_over:
        was, now = before.get(key), after.get(key)
        booked = (now.reserved if now else 0) - (was.reserved if was else 0)
        if booked != sums.get(key, 0):
            found[key] = (booked, sums.get(key, 0))
    return found


def less(held: Mapping[str, Mapping[str, int]], former: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """Units of the first without those of the second."""
    left = {sku: dict(row) for sku, row in held.items()}
    for sku, row in former.items():
        for warehouse, units in row.items():
            row_left = left.setdefault(sku, {})
            row_left[warehouse] = row_left.get(warehouse, 0) - units
    return left


def told_of_wrong(wrong: Wrong, *, gap: str | None) -> list[Lie]:
    """The same as a lie, if there is any. `gap`: why it is not known whether others ordered meanwhile."""
    examples = [
        f"{sku} at {warehouse}: {booked:+,} reserved, {held:,} held"
        for (sku, warehouse), (booked, held) in wrong.items()
    ]
    detail = "cells reserve other units than the orders of the run hold of them"
    return lie("booked-wrong", examples, detail if gap is None else f"{detail}, unless others ordered, too ({gap})")


def oversold(before: Stock, after: Stock, held: Mapping[str, Mapping[str, int]]) -> list[Lie]:
    """Cells with more reserved, or held by the run's orders, than is on hand; or sold below their safety stock.

    Raising the safety stock, or counting less, leaves a cell below it without a sale.
    """
    examples = []
    for key, now in after.items():
        was = before.get(key)
        sold_out = was is not None and was.available >= 0 and was.safety == now.safety and now.on_hand >= was.on_hand
        units = max(now.reserved, held.get(now.sku, {}).get(now.warehouse, 0))
        if units > now.on_hand or (now.available < 0 and sold_out):
            where = f"{now.sku} at {now.warehouse}"
            examples.append(f"{where}: {now.on_hand:,} on hand, {now.safety:,} of that safety stock, {units:,} sold")
    return lie("oversold", examples, "cells are oversold")
