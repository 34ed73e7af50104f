"""Takes a user's own distances and costs from wherever they have them: a CSV file, an array, a frame, columns."""

import math
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Protocol, TypeVar, get_args, runtime_checkable

import msgspec
import numpy as np

from engine.csv_rows import csv_rows
from engine.errors import FieldError, InvalidInput
from engine.model import By, CostMatrix, DistanceMatrix, limits
from engine.model.tariff import KM_MAX, OF_COUNTRY
from engine.model.wire_error import field_error, no_such

M = TypeVar("M", DistanceMatrix, CostMatrix)

IN_COUNTRY = ("region", "postcode")
"""What is named anew in every country, and may stand behind a column of countries."""

NAME_LENGTH_MAX = 64
"""Characters of a destination's name, as of any short text."""


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
    region or postcode; the others are warehouses. Before a column of regions or postcodes there may be one called
    `country`, that they are of. An array has the shape (destinations, warehouses), and is given both labels and `by`.

    Raises InvalidInput, which names the file's line, or row (from 0) and column, or argument, and the rule.
    """
    if isinstance(source, np.ndarray):
        return _of_array(type_, source, by, destinations, warehouses)
    if destinations is not None or warehouses is not None:
        raise InvalidInput((FieldError("destinations, warehouses", "are for an array, which has no names"),))
    wheres: list[str] | None = None
    if isinstance(source, Mapping):
        columns = {str(name): list(values) for name, values in source.items()}
    elif isinstance(source, str | PathLike):
        columns, wheres = _csv_columns(Path(source))
    else:
        columns = {str(name): list(source[name]) for name in source.columns}
    if len({len(values) for values in columns.values()}) > 1:
        raise InvalidInput((FieldError("", "must have columns of one length"),))
    named_by, names = _destinations(columns, by)
    header = f"{source}:1" if isinstance(source, str | PathLike) else ""
    if header and named_by and named_by not in get_args(By):
        rule = f'column 1, "{named_by}": {no_such("kind of destination", named_by, get_args(By))}'
        raise InvalidInput((FieldError(header, rule),))
    if not columns:
        raise InvalidInput((FieldError(header, "must have a column of destinations and one or more of warehouses"),))
    rows = zip(*columns.values(), strict=True)
    return _built(type_, named_by, names, list(columns), rows, wheres)


def _csv_columns(file: Path) -> tuple[dict[str, list[str]], list[str]]:
    """Columns by name, and where each row is."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise InvalidInput((FieldError(str(file), f"cannot be read: {error.strerror}"),)) from None
    (_, header), *rows = list(csv_rows(str(file), data)) or [(1, [])]
    if len(set(header)) < len(header):
        raise InvalidInput((FieldError(f"{file}:1", "must name each column once"),))
    columns = {name: [row[place] for _, row in rows] for place, name in enumerate(header)}
    return columns, [f"{file}:{line}" for line, _ in rows]


def _destinations(columns: dict[str, list[Any]], by: By | None) -> tuple[str, list[str]]:
    """By what destinations are named, and their names, whose columns are taken out."""
    first, second = [*columns, "", ""][:2]
    in_countries = by in IN_COUNTRY if by is not None else second in IN_COUNTRY
    if first != "country" or not in_countries or not second:
        return by or first, [str(name) for name in columns.pop(first, [])]
    countries, names = columns.pop(first), columns.pop(second)
    pairs = zip(map(_text, countries), map(_text, names), strict=True)
    return by or second, [f"{country}{OF_COUNTRY}{name}" if country else name for country, name in pairs]


def _text(name: Any) -> str:
    """A cell of a column of names; frames have None or NaN where there is none."""
    return name if isinstance(name, str) else ""


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
    return _built(type_, by, list(destinations), list(warehouses), values.tolist(), None)


def _built(
    type_: type[M],
    by: str,
    names: list[str],
    warehouses: list[str],
    rows: Iterable[Iterable[Any]],
    wheres: list[str] | None,
) -> M:
    """`wheres` are what errors call the rows of a file."""
    if by not in get_args(By):
        rule = f'"{by}" must be one of {", ".join(get_args(By))}: it says by what the destinations are named'
        raise InvalidInput((FieldError("by", rule),))
    amount_max = limits.MONEY_MAX if type_ is CostMatrix else KM_MAX
    numbers: dict[str, list[Any]] = {}
    for index, (name, row) in enumerate(zip(names, rows, strict=True)):
        where = f"/{index}" if wheres is None else wheres[index]
        if name in numbers:
            raise InvalidInput((FieldError(where, f'destination "{name}" is there twice'),))
        if not 1 <= len(name) <= NAME_LENGTH_MAX:
            raise InvalidInput((FieldError(where, f"must name a destination by 1 to {NAME_LENGTH_MAX} characters"),))
        numbers[name] = []
        for warehouse, value in zip(warehouses, row, strict=True):
            try:
                numbers[name].append(_number(value, type_ is CostMatrix, amount_max))
            except ValueError as error:
                found = (f"{where}/{warehouse}", str(error)) if wheres is None else (where, f"{warehouse}: {error}")
                raise InvalidInput((FieldError(*found),)) from None
    try:
        return msgspec.convert({"by": by, "warehouses": warehouses, "rows": numbers}, type_)
    except msgspec.ValidationError as error:
        raise InvalidInput((field_error(error, type_),)) from None


def _number(value: Any, whole: bool, amount_max: int) -> float | int | None:
    """A value as it is kept. Raises ValueError, which names the rule."""
    if value is None or value == "":
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{value!r} is not a number") from None
    if math.isnan(number):
        return None
    if not 0 <= number <= amount_max:
        raise ValueError(f"{value!r} must be 0 to {amount_max}")
    # Frames make floats of integers where some are missing.
    if whole and not number.is_integer():
        raise ValueError(f"{value!r} is not a whole amount of minor units")
    return int(number) if whole else number
