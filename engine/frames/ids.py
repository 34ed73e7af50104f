"""Columns of ids: the different ones, and of each row which. Text or whole numbers, of whatever library."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from engine.errors import FieldError, InvalidInput
from engine.frames.names import Id
from engine.frames.numbers import EXACT_MAX, ROWS_TOLD_MAX, as_arrow, is_missing, unmasked
from engine.frames.table import Table

ID_LENGTH_MAX = 256
"""Characters of an id of text."""

Codes = npt.NDArray[np.signedinteger[Any]]


class IdColumn(Struct, frozen=True, eq=False):
    """A column of ids, the different ones in the order they come in."""

    table: Table
    column: str
    ids: Sequence[Id]
    codes: Codes
    """Of each row the place of its id; -1 where it is empty."""
    numbers: Codes | None = None
    """The column itself, not copied, where its ids are whole numbers and none is missing."""


def id_column(table: Table, column: str, *, optional: bool = False) -> IdColumn:
    """Reads one; Arrow and whole numbers without a look at each row. Raises InvalidInput, which names rows from 0."""
    values = unmasked(table.columns[column])
    if getattr(values, "ndim", 1) != 1:
        raise InvalidInput((FieldError(f"/{table.name}/{column}", "must have one value a row"),))
    if _is_whole(values):
        array = np.asarray(values)
        if array.dtype.kind in "iu":
            ids, codes = _first_seen(array)
            return IdColumn(table, column, ids, codes, numbers=array)
    arrow = as_arrow(values)
    found = None if arrow is None else _of_arrow(arrow)
    if found is None:
        found = _of_objects(table, column, values if arrow is None else arrow.to_pylist())
    ids, codes = _without_empty(*found) if optional else found
    _check(table, column, ids, codes, optional=optional)
    return IdColumn(table, column, ids, codes)


def _is_whole(values: Any) -> bool:
    """Whether it says of itself that it holds integers, and all of them."""
    dtype = getattr(values, "dtype", None)
    if isinstance(dtype, np.dtype):
        return dtype.kind in "iu"
    named = str(getattr(values, "type", dtype)).lower()
    return named.startswith(("int", "uint")) and not _null_count(values)


def _null_count(values: Any) -> int:
    count = getattr(values, "null_count", 1)
    return int(count() if callable(count) else count)


def _first_seen(array: npt.NDArray[Any]) -> tuple[list[Id], Codes]:
    ids, first, codes = np.unique(array, return_index=True, return_inverse=True)
    sequence = np.argsort(first, kind="stable")
    rank = np.empty(len(ids), np.int32)
    rank[sequence] = np.arange(len(ids), dtype=np.int32)
    return ids[sequence].tolist(), rank[codes]


def _of_arrow(values: Any) -> tuple[list[Id], Codes] | None:
    """By Arrow's own dictionaries; None for a type that has no ids."""
    import pyarrow

    types = pyarrow.types
    kind = values.type.value_type if types.is_dictionary(values.type) else values.type
    text = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
    if not text and not types.is_integer(kind):
        return None
    plain = pyarrow.large_string() if text else kind
    if types.is_dictionary(values.type):
        # Dictionaries may have entries that no row has, and each chunk its own.
        chunks = [chunk.dictionary.cast(plain).take(chunk.indices) for chunk in values.chunks]
        values = pyarrow.chunked_array(chunks, plain)
    elif types.is_string_view(kind):
        values = values.cast(plain)
    encoded = values.dictionary_encode().combine_chunks()
    if isinstance(encoded, pyarrow.ChunkedArray):
        encoded = encoded.chunk(0) if encoded.num_chunks else pyarrow.array([], plain).dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return encoded.dictionary.to_pylist(), codes


def _of_objects(table: Table, column: str, values: Any) -> tuple[list[Id], Codes]:
    listed = values.to_list() if hasattr(values, "to_list") else list(values)
    number: dict[Id, int] = {}
    codes = np.empty(len(listed), np.int32)
    for row, value in enumerate(listed):
        if type(value) is str or (isinstance(value, str | int | np.integer) and not isinstance(value, bool)):
            codes[row] = number.setdefault(value, len(number))  # type: ignore[arg-type]
        elif is_missing(value):
            codes[row] = -1
        elif isinstance(value, float | np.floating) and value.is_integer() and abs(float(value)) <= EXACT_MAX:
            # Frames make floats of whole numbers where some are missing.
            codes[row] = number.setdefault(int(value), len(number))
        else:
            rule = f"must be text or a whole number, not {type(value).__name__}"
            raise InvalidInput((table.refused(row, column, rule),))
    return list(number), codes


def _without_empty(ids: list[Id], codes: Codes) -> tuple[list[Id], Codes]:
    """Empty text names nothing, where nothing may be named: columns of plain text have no other way to say so."""
    if "" not in ids:
        return ids, codes
    empty = ids.index("")
    return [id_ for id_ in ids if id_ != ""], np.where(codes == empty, -1, codes - (codes > empty))


def _check(table: Table, column: str, ids: Sequence[Id], codes: Codes, *, optional: bool) -> None:
    wrong: list[tuple[int, str]] = []
    if not optional:
        wrong = [(int(row), "must be there") for row in np.flatnonzero(codes < 0)[:ROWS_TOLD_MAX]]
    for code, id_ in enumerate(ids):
        if len(wrong) >= ROWS_TOLD_MAX:
            break
        if isinstance(id_, str) and not 1 <= len(id_) <= ID_LENGTH_MAX:
            wrong.append((_row_of(codes, code), f"must be 1 to {ID_LENGTH_MAX} characters, not {len(id_)}"))
        elif isinstance(id_, str) is not isinstance(ids[0], str):
            wrong.append((_row_of(codes, code), "must be of one kind with those before it, text or numbers"))
    if wrong:
        raise InvalidInput(tuple(table.refused(row, column, rule) for row, rule in wrong))


def _row_of(codes: Codes, code: int) -> int:
    return int(np.flatnonzero(codes == code)[0])


def raise_kinds(column: IdColumn, what: str, source: str, *, text: bool) -> None:
    """Raises InvalidInput where the column names things by text and the source by numbers, or the other way."""
    if column.ids and isinstance(column.ids[0], str) is not text:
        rule = f"must name each {what} as {source} does, by {'text' if text else 'whole numbers'}"
        raise InvalidInput((FieldError(f"/{column.table.name}/{column.column}", rule),))
