"""A table of named columns, of whatever library: which columns it has, each as it came. Looks at no value."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
from msgspec import Struct

from engine.errors import FieldError, InvalidInput
from engine.model.wire_error import no_such

NEEDS_PYARROW = "needs pyarrow: pip install 'stockade[frames]'"


@runtime_checkable
class Frame(Protocol):
    """A table of named columns, as pandas, polars and pyarrow have them; none of them is imported here."""

    @property
    def columns(self) -> Iterable[Any]:
        """Names of its columns."""

    def __getitem__(self, name: Any, /) -> Any:
        """A column."""


@runtime_checkable
class ArrowStream(Protocol):
    """Whatever hands out its data by the Arrow PyCapsule protocol."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """A capsule of an ArrowArrayStream."""


Source = Mapping[str, Any] | Frame | ArrowStream | np.ndarray[Any, Any]
"""What a table is taken from: columns by name, a frame, an Arrow stream, a structured array of NumPy."""


class Table(Struct, frozen=True):
    """Columns by name, as they came, of one length."""

    name: str
    """What errors call it."""
    columns: dict[str, Any]
    rows: int

    def has(self, column: str) -> bool:
        """Whether the table has it."""
        return column in self.columns

    def refused(self, row: int, column: str, rule: str) -> FieldError:
        """A cell that breaks a rule; rows count from 0."""
        return FieldError(f"/{self.name}/{row}/{column}", rule)


def read_table(name: str, source: Source, *, needed: Collection[str], optional: Collection[str] = ()) -> Table:
    """The columns of a source. Raises InvalidInput for one that lacks, is not known, or has another length."""
    columns = {str(column): values for column, values in _columns(name, source).items()}
    known = (*needed, *optional)
    wrong = [FieldError(f"/{name}", f'lacks the column "{column}"') for column in needed if column not in columns]
    wrong += [
        FieldError(f"/{name}/{column}", no_such("column", column, known)) for column in columns if column not in known
    ]
    if wrong:
        raise InvalidInput(tuple(wrong))
    rows = _length(name, needed[0] if isinstance(needed, tuple) else next(iter(needed)), columns)
    for column in columns:
        if (length := _length(name, column, columns)) != rows:
            raise InvalidInput((FieldError(f"/{name}/{column}", f"has {length} rows, other columns {rows}"),))
    return Table(name, columns, rows)


def pyarrow_or_none() -> Any:
    """The library, where it is installed."""
    try:
        import pyarrow
    except ImportError:
        return None
    return pyarrow


def _columns(name: str, source: Any) -> Mapping[Any, Any]:
    if isinstance(source, Mapping):
        return source
    if isinstance(source, np.ndarray):
        if source.dtype.names is None:
            raise InvalidInput((FieldError(f"/{name}", "an array must be structured: its columns need names"),))
        return {column: source[column] for column in source.dtype.names}
    if hasattr(source, "collect") and hasattr(source, "lazy"):
        raise InvalidInput((FieldError(f"/{name}", "is not computed yet: collect() it first"),))
    if hasattr(source, "column_names") and hasattr(source, "column"):
        return {column: source.column(column) for column in source.column_names}
    if hasattr(source, "columns") and hasattr(source, "to_numpy"):
        return {column: source[column] for column in source.columns}
    if hasattr(source, "__arrow_c_stream__") or hasattr(source, "__dataframe__"):
        return _by_protocol(name, source)
    rule = f"must be a frame of pandas, polars or Arrow, or columns by name, not {type(source).__name__}"
    raise InvalidInput((FieldError(f"/{name}", rule),))


def _by_protocol(name: str, source: Any) -> Mapping[str, Any]:
    arrow = pyarrow_or_none()
    if arrow is None:
        raise InvalidInput((FieldError(f"/{name}", f"{type(source).__name__} {NEEDS_PYARROW}"),))
    if hasattr(source, "__arrow_c_stream__"):
        table = arrow.table(source)
    else:
        from pyarrow import interchange

        table = interchange.from_dataframe(source)
    return {column: table.column(column) for column in table.column_names}


def _length(name: str, column: str, columns: Mapping[str, Any]) -> int:
    try:
        return len(columns[column])
    except TypeError:
        found = type(columns[column]).__name__
        raise InvalidInput((FieldError(f"/{name}/{column}", f"must be a column of values, not {found}"),)) from None
