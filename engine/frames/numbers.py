"""Columns of whole numbers as NumPy arrays; which rows break a rule. Copies only what cannot be used as it is."""

from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import FieldError, InvalidInput
from engine.frames.table import Table, pyarrow_or_none

ROWS_TOLD_MAX = 20
"""Wrong rows of a column that an error names; more of them would be read by nobody."""

EXACT_MAX = 2**53
"""Up to here a float of 64 bits is the whole number that it was made of."""


def whole_numbers(
    table: Table, column: str, *, least: int, most: int, missing: int | None = None
) -> npt.NDArray[np.signedinteger[Any]]:
    """The column, of any integer type, not copied if it is one without gaps in a row.

    `missing` is what stands for an empty cell; None: there may be none. Raises InvalidInput, which names rows from 0.
    """
    values = _plain(unmasked(table.columns[column]))
    array = np.asarray(values)
    if array.dtype.kind in "US":
        # Of numbers among text NumPy makes text.
        array = np.array(list(values), dtype=object)
    if array.ndim != 1:
        raise InvalidInput((FieldError(f"/{table.name}/{column}", "must have one value a row"),))
    if array.dtype.kind in "mM":
        raise InvalidInput((FieldError(f"/{table.name}/{column}", "must have whole numbers, not times"),))
    if array.dtype.kind == "f":
        array = _from_floats(table, column, array, missing)
    elif array.dtype.kind not in "iu":
        array = _from_objects(table, column, array, missing)
    if array.size and (array.min() < least or array.max() > most):
        given = np.ones(len(array), bool) if missing is None else array != missing
        rule = f"must be a whole number from {least:,} to {most:,}"
        raise_rows(table, column, given & ((array < least) | (array > most)), rule, array)
    return array


def raise_rows(
    table: Table, column: str, wrong: npt.NDArray[np.bool_], rule: str, values: npt.NDArray[Any] | None = None
) -> None:
    """Raises InvalidInput for the first rows that are wrong, if there are any: each with the rule, and its value."""
    rows = np.flatnonzero(wrong)
    if len(rows):
        told = [(int(row), "" if values is None else f", not {_shown(values[row])}") for row in rows[:ROWS_TOLD_MAX]]
        errors = [table.refused(row, column, rule + value) for row, value in told]
        if len(rows) > ROWS_TOLD_MAX:
            errors.append(FieldError(f"/{table.name}/{column}", f"{len(rows) - ROWS_TOLD_MAX:,} more rows break it"))
        raise InvalidInput(tuple(errors))


def as_arrow(values: Any) -> Any:
    """The column as a chunked array of pyarrow, where both speak Arrow; else None."""
    arrow = pyarrow_or_none()
    if arrow is None:
        return None
    if isinstance(values, arrow.ChunkedArray):
        return values
    if isinstance(values, arrow.Array):
        return arrow.chunked_array([values])
    try:
        if hasattr(values, "__arrow_c_stream__"):
            return arrow.chunked_array(values)
        if hasattr(values, "__arrow_c_array__"):
            return arrow.chunked_array([arrow.array(values)])
    except (arrow.ArrowException, TypeError, ValueError):
        # Of several kinds of values there is no Arrow column.
        return None
    return None


def unmasked(values: Any) -> Any:
    """A masked array of NumPy as objects, None where it is masked."""
    return np.array(values.tolist(), dtype=object) if isinstance(values, np.ma.MaskedArray) else values


def _plain(values: Any) -> Any:
    """An Arrow column as an array; one of another library is asked for an array by NumPy itself."""
    arrow = pyarrow_or_none()
    if arrow is None or not isinstance(values, arrow.ChunkedArray | arrow.Array):
        return values
    if values.null_count or not arrow.types.is_integer(values.type):
        return np.array(values.to_pylist(), dtype=object)
    whole = values
    if isinstance(values, arrow.ChunkedArray):
        whole = values.chunk(0) if values.num_chunks == 1 else values.combine_chunks()
    return whole.to_numpy(zero_copy_only=True)


def _from_floats(table: Table, column: str, array: npt.NDArray[Any], missing: int | None) -> npt.NDArray[np.int64]:
    """Frames make floats of integers where some are missing."""
    empty = np.isnan(array)
    if missing is None:
        raise_rows(table, column, empty, "must be there")
    inexact = ~empty & ~(np.abs(array) <= 2 ** (np.finfo(array.dtype).nmant + 1))
    raise_rows(table, column, inexact | (~empty & (np.floor(array) != array)), "must be a whole number", array)
    found = np.where(empty, 0, array).astype(np.int64)
    if missing is not None:
        found[empty] = missing
    return found


def _from_objects(table: Table, column: str, array: npt.NDArray[Any], missing: int | None) -> npt.NDArray[np.int64]:
    found = np.zeros(len(array), np.int64)
    wrong = np.zeros(len(array), bool)
    empty = np.zeros(len(array), bool)
    for row, value in enumerate(array):
        if is_missing(value):
            empty[row], found[row] = True, 0 if missing is None else missing
            continue
        whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        if not whole and isinstance(value, float | np.floating):
            whole = bool(-EXACT_MAX <= value <= EXACT_MAX and value == int(value))
        if whole and -(2**63) <= int(value) < 2**63:
            found[row] = int(value)
        else:
            wrong[row] = True
    if missing is None:
        raise_rows(table, column, empty, "must be there")
    raise_rows(table, column, wrong, "must be a whole number", array)
    return found


def is_missing(value: Any) -> bool:
    """None, NaN, and what pandas has for them."""
    if isinstance(value, float | np.floating):
        return bool(np.isnan(value))
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def _shown(value: Any) -> str:
    return (
        f"{int(value):,}" if isinstance(value, int | np.integer) and not isinstance(value, bool) else repr(value)[:64]
    )
