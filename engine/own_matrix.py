"""Takes a user's own distances and costs from wherever they have them: a CSV file, an array, a frame, columns."""

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Protocol, TypeVar, get_args, runtime_checkable

import msgspec
import numpy as np

from engine.errors import FieldError, InvalidInput
from engine.model import By, CostMatrix, DistanceMatrix
from engine.model.rules import field_error

M = TypeVar("M", DistanceMatrix, CostMatrix)


@runtime_checkable
class Frame(Protocol):
    """A table of named columns, as those of polars and pandas are; neither is imported here."""

    @property
    def columns(self) -> Iterable[Any]:
        """Names of its columns."""

    def __getitem__(self, name: Any, /) -> Iterable[Any]:
        """A column."""


Source = str | PathLike[str] | np.ndarray[Any, Any] | Frame | Mapping[str, Sequence[Any]]
"""What `matrix_of` takes: the path of a CSV file, an array [destination, warehouse], a frame, or columns by name."""


def matrix_of(
    type_: type[M],
    source: Source,
    *,
    by: By | None = None,
    destinations: Sequence[str] | None = None,
    warehouses: Sequence[str] | None = None,
) -> M:
    """A DistanceMatrix (kilometres) or a CostMatrix (minor units a shipment). Empty, NaN and null say nothing.

    The first column of a CSV file, a frame or columns names destinations, and its name, or `by`, says by what: country,
    region or postcode; the others are warehouses. An array has the shape (destinations, warehouses), and is given both
    labels and `by`. Raises InvalidInput, which names row (from 0), column or argument, and rule.
    """
    if isinstance(source, np.ndarray):
        return _of_array(type_, source, by, destinations, warehouses)
    if destinations is not None or warehouses is not None:
        raise InvalidInput((FieldError("destinations, warehouses", "are for an array, which has no names"),))
    if isinstance(source, Mapping):
        columns = {str(name): list(values) for name, values in source.items()}
    elif isinstance(source, str | PathLike):
        columns = _csv_columns(Path(source))
    else:
        columns = {str(name): list(source[name]) for name in source.columns}
    if len(columns) < 2:
        raise InvalidInput((FieldError("", "must have a column of destinations and one or more of warehouses"),))
    first, *others = columns
    if len({len(values) for values in columns.values()}) > 1:
        raise InvalidInput((FieldError("", "must have columns of one length"),))
    rows = zip(*(columns[name] for name in others), strict=True)
    return _built(type_, by or first, [str(name) for name in columns[first]], others, rows)


def _csv_columns(file: Path) -> dict[str, list[str]]:
    try:
        lines = [row for row in csv.reader(file.read_text(encoding="utf-8-sig").splitlines()) if row]
    except OSError as error:
        raise InvalidInput((FieldError(str(file), f"cannot be read: {error.strerror}"),)) from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise InvalidInput((FieldError(str(file), f"is not CSV in UTF-8: {error}"),)) from None
    header, rows = (lines[0], lines[1:]) if lines else ([], [])
    if len(set(header)) < len(header):
        raise InvalidInput((FieldError(str(file), "must name each column once"),))
    for index, row in enumerate(rows):
        if len(row) != len(header):
            raise InvalidInput((FieldError(f"/{index}", "has not as many columns as the header"),))
    return {name: [row[place] for row in rows] for place, name in enumerate(header)}


def _of_array(
    type_: type[M],
    values: np.ndarray[Any, Any],
    by: By | None,
    destinations: Sequence[str] | None,
    warehouses: Sequence[str] | None,
) -> M:
    if by is None or destinations is None or warehouses is None:
        raise InvalidInput((FieldError("by, destinations, warehouses", "are needed for an array"),))
    wanted = (len(destinations), len(warehouses))
    if values.shape != wanted:
        raise InvalidInput(
            (FieldError("", f"must be of shape {wanted}, destinations by warehouses, not {values.shape}"),)
        )
    return _built(type_, by, list(destinations), list(warehouses), values.tolist())


def _built(type_: type[M], by: str, names: list[str], warehouses: list[str], rows: Iterable[Iterable[Any]]) -> M:
    if by not in get_args(By):
        rule = f'"{by}" must be one of {", ".join(get_args(By))}: it says by what the destinations are named'
        raise InvalidInput((FieldError("by", rule),))
    if len(set(names)) < len(names):
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise InvalidInput((FieldError("/rows", f'destination "{twice}" is there twice'),))
    whole = type_ is CostMatrix
    numbers: dict[str, list[Any]] = {}
    for index, (name, row) in enumerate(zip(names, rows, strict=True)):
        numbers[name] = [
            _number(value, whole, f"/{index}/{warehouse}") for warehouse, value in zip(warehouses, row, strict=True)
        ]
    try:
        return msgspec.convert({"by": by, "warehouses": warehouses, "rows": numbers}, type_)
    except msgspec.ValidationError as error:
        raise InvalidInput((field_error(error),)) from None


def _number(value: Any, whole: bool, pointer: str) -> float | int | None:
    if value is None or value == "":
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InvalidInput((FieldError(pointer, f"{value!r} is not a number"),)) from None
    if math.isnan(number):
        return None
    # Frames make floats of integers where some are missing.
    if whole and number != int(number if math.isfinite(number) else 0):
        raise InvalidInput((FieldError(pointer, f"{value!r} is not a whole amount of minor units"),))
    if number < 0 or math.isinf(number):
        raise InvalidInput((FieldError(pointer, f"{value!r} must be 0 or more"),))
    return int(number) if whole else number
