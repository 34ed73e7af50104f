"""The pieces of an assignment as columns and frames. Imports a library of frames only to make one of its own."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from engine.errors import StockadeError
from engine.frames.names import BatchNames, Id

if TYPE_CHECKING:
    from engine.batch_assign import BatchAssignment

Codes = npt.NDArray[np.signedinteger[Any]]
Named = tuple[str, Codes, Sequence[Id]]
"""A column of ids: its name, of each piece the number of its id (-1: none), and the ids."""


def numbers_and_names(
    assignment: "BatchAssignment", names: BatchNames | None
) -> tuple[dict[str, npt.NDArray[Any]], list[Named]]:
    """Columns of numbers and columns of ids, in the order they are shown. Without names all are numbers."""
    line = assignment.line
    if names is None:
        return {"line": line, "warehouse": assignment.warehouse, "quantity": assignment.quantity}, []
    row = line if names.row is None else names.row[line]
    order = np.searchsorted(names.line_start, line, side="right") - 1
    named: list[Named] = [
        ("order_id", order, names.orders),
        ("sku", names.sku[line], names.skus),
        ("warehouse", assignment.warehouse, names.warehouses),
    ]
    return {"row": row, "quantity": assignment.quantity}, named


_SHOWN = ("row", "line", "order_id", "sku", "warehouse", "quantity")


def _in_order(columns: dict[str, Any]) -> dict[str, Any]:
    return {name: columns[name] for name in _SHOWN if name in columns}


def to_columns(assignment: "BatchAssignment") -> dict[str, npt.NDArray[Any]]:
    """See BatchAssignment.to_columns."""
    numbers, named = numbers_and_names(assignment, assignment.names)
    # None is the last: the place that -1 leads to.
    ids = {name: np.array([*of, None], dtype=object)[codes] for name, codes, of in named}
    return _in_order(numbers | ids)


def to_arrow(assignment: "BatchAssignment") -> Any:
    """See BatchAssignment.to_arrow."""
    arrow = _library("pyarrow", "to_arrow")
    numbers, named = numbers_and_names(assignment, assignment.names)
    columns = {name: arrow.array(values) for name, values in numbers.items()}
    for name, codes, ids in named:
        mask = codes < 0
        indices = arrow.array(codes.astype(np.int32, copy=False), mask=mask if mask.any() else None)
        kind = arrow.string() if not ids or isinstance(ids[0], str) else arrow.int64()
        if kind == arrow.int64() and max(map(int, ids)) >= 2**63:
            kind = arrow.uint64()
        columns[name] = arrow.DictionaryArray.from_arrays(indices, arrow.array(ids, kind))
    return arrow.table(_in_order(columns))


def to_pandas(assignment: "BatchAssignment") -> Any:
    """See BatchAssignment.to_pandas."""
    pandas = _library("pandas", "to_pandas")
    numbers, named = numbers_and_names(assignment, assignment.names)
    columns: dict[str, Any] = dict(numbers)
    columns |= {name: pandas.Categorical.from_codes(codes, categories=list(ids)) for name, codes, ids in named}
    return pandas.DataFrame(_in_order(columns), copy=False)


def to_polars(assignment: "BatchAssignment") -> Any:
    """See BatchAssignment.to_polars."""
    polars = _library("polars", "to_polars")
    numbers, named = numbers_and_names(assignment, assignment.names)
    columns: dict[str, Any] = {name: polars.Series(name, values) for name, values in numbers.items()}
    for name, codes, ids in named:
        place = polars.Series(codes.astype(np.int64)).set(polars.Series(codes < 0), None)
        columns[name] = polars.Series(name, ids).gather(place)
    return polars.DataFrame(_in_order(columns))


def _library(name: str, method: str) -> Any:
    """An installed library. Raises StockadeError, which says how to get it."""
    try:
        return __import__(name)
    except ImportError:
        extra = "'stockade[frames]'" if name == "pyarrow" else name
        raise StockadeError(f"{method} needs {name}: pip install {extra}") from None
