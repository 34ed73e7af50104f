"""Lines of a frame as those of orders: each order's together, in the order that orders come in."""

from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import InvalidInput
from engine.frames.ids import id_column
from engine.frames.names import Id
from engine.frames.numbers import ROWS_TOLD_MAX, raise_rows
from engine.frames.table import Table

Column = npt.NDArray[Any]


class Grouping:
    """Which lines are an order's, and columns of lines as the batch has them."""

    def __init__(
        self, table: Table, sequence: npt.NDArray[np.int64] | None, line_start: npt.NDArray[np.int64], orders: list[Id]
    ) -> None:
        """`sequence`: the row of each line; None where lines stand as the rows do, so that columns are not copied."""
        self._table = table
        self.sequence, self.line_start, self.orders = sequence, line_start, orders
        self.sku: npt.NDArray[np.int32] = np.empty(0, np.int32)

    def sorted(self, column: Column) -> Column:
        """A column of rows as one of lines."""
        return column if self.sequence is None else column[self.sequence]

    def of_orders(self, name: str, column: Column) -> Column:
        """A column that all rows of an order have alike, as one of orders. Raises InvalidInput where they do not."""
        lines = self.sorted(column)
        first = lines[self.line_start[:-1]]
        other = np.repeat(first, np.diff(self.line_start)) != lines
        if other.any():
            wrong = np.zeros(len(column), bool)
            wrong[other if self.sequence is None else self.sequence[other]] = True
            raise_rows(self._table, name, wrong, "must be what the first row of the order has")
        return first


def group_lines(table: Table, sku: npt.NDArray[np.int32]) -> Grouping:
    """The lines of a table by their orders. Raises InvalidInput for a SKU that an order has twice."""
    column = id_column(table, "order_id")
    codes = column.codes
    sequence = None
    # Numbers of orders rise in the order they come in, so that they never fall where each order's rows are together.
    if (np.diff(codes) < 0).any():
        sequence = np.argsort(codes, kind="stable")
        codes = codes[sequence]
    line_start = np.concatenate([[0], np.flatnonzero(np.diff(codes)) + 1, [len(codes)]]).astype(np.int64)
    if not len(codes):
        line_start = line_start[:1]
    grouping = Grouping(table, sequence, line_start, list(column.ids))
    grouping.sku = grouping.sorted(sku)
    _check_twice(table, codes, grouping)
    return grouping


def _check_twice(table: Table, order: Column, grouping: Grouping) -> None:
    """The core finds these, too, but knows neither rows nor names."""
    if not len(order):
        return
    key = order.astype(np.int64) * (int(grouping.sku.max()) + 1) + grouping.sku
    unique, first = np.unique(key, return_index=True)
    if len(unique) == len(key):
        return
    again = np.ones(len(key), bool)
    again[first] = False
    lines = np.flatnonzero(again)[:ROWS_TOLD_MAX]
    rows = lines if grouping.sequence is None else grouping.sequence[lines]
    rule = "must not be in an order twice: sum its quantities in one row"
    raise InvalidInput(tuple(table.refused(int(row), "sku", rule) for row in rows))
