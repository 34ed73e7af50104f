"""Tables from CSV and Parquet files, and back. CSV alone needs no library; Parquet takes pyarrow or polars."""

import csv
import os
from array import array
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from engine.csv_rows import csv_rows
from engine.errors import FieldError, InvalidInput
from engine.frames.table import Source

PARQUET = ".parquet"
CSV = ".csv"
NEEDS = "needs pyarrow or polars: pip install 'stockade[frames]'"


class FileTable:
    """A table that a file holds."""

    def __init__(self, file: Path, source: Source, lines: Sequence[int] | None) -> None:
        """`lines`: the line that each row begins on, from 1; None of a file that has none."""
        self.file, self.source, self._lines = file, source, lines

    def place(self, row: int | None, column: str | None) -> tuple[str, str]:
        """Where a cell is, and what stands before the rule: file and line, or file and row (from 0); and its column."""
        if row is not None and self._lines is not None:
            return f"{self.file}:{self._lines[row]}", f"{column}: " if column else ""
        at = "/".join(str(part) for part in (row, column) if part is not None)
        return str(self.file) + (":1" if self._lines is not None else ""), f"/{at}: " if at else ""


def read_table_file(file: Path, *, numbers: Sequence[str]) -> FileTable:
    """A file as a table. `numbers`: columns of whole numbers, which CSV has as text.

    Raises InvalidInput, which names the file, the line and the rule.
    """
    if file.suffix == PARQUET:
        return FileTable(file, _read_parquet(file), None)
    if file.suffix != CSV:
        raise InvalidInput((FieldError(str(file), f"must be named {CSV} or {PARQUET}, by what it holds"),))
    try:
        data = file.read_bytes()
    except OSError as error:
        raise InvalidInput((FieldError(str(file), f"cannot be read: {error.strerror}"),)) from None
    return _read_csv(file, data, numbers)


def _read_csv(file: Path, data: bytes, numbers: Sequence[str]) -> FileTable:
    rows = csv_rows(str(file), data)
    _, header = next(rows, (1, []))
    if len(set(header)) < len(header):
        raise InvalidInput((FieldError(f"{file}:1", "must name each column once"),))
    lines = array("Q")
    columns: list[list[str | int | None]] = [[] for _ in header]
    # The same id is on many rows: each is kept once.
    seen: dict[str, str] = {}
    whole = [name in numbers for name in header]
    for line, row in rows:
        lines.append(line)
        for column, is_whole, text in zip(columns, whole, row, strict=True):
            if not text:
                column.append(None)
            elif is_whole:
                column.append(_number(text))
            else:
                column.append(seen.setdefault(text, text))
    return FileTable(file, dict(zip(header, columns, strict=True)), lines)


def _number(text: str) -> int | str:
    """A whole number, as spreadsheets write them; what is none stays text, and is told with its line."""
    bare = text.strip()
    if bare.isascii() and bare.removeprefix("-").isdigit() and len(bare) <= 20:
        return int(bare)
    return text


def _read_parquet(file: Path) -> Any:
    read = _parquet_reader()
    try:
        return read(file)
    except OSError as error:
        raise InvalidInput((FieldError(str(file), f"cannot be read: {error.strerror or error}"),)) from None
    except Exception as error:
        # Each library has errors of its own for what is no Parquet.
        raise InvalidInput((FieldError(str(file), f"is not Parquet: {str(error).splitlines()[0]}"),)) from None


def _parquet_reader() -> Any:
    with suppress(ImportError):
        from pyarrow import parquet

        # As one file: a path may look like a folder of partitions.
        return lambda file: parquet.ParquetFile(file).read()
    with suppress(ImportError):
        import polars

        return polars.read_parquet
    raise InvalidInput((FieldError("Parquet", NEEDS),))


def check_written(file: Path) -> None:
    """Raises InvalidInput for a file that `write_table_file` could not write, before long work is done for it."""
    if file.suffix not in (CSV, PARQUET):
        raise InvalidInput((FieldError(str(file), f"must be named {CSV} or {PARQUET}"),))
    if file.suffix == PARQUET:
        _parquet_reader()
    if not file.absolute().parent.is_dir():
        raise InvalidInput((FieldError(str(file), "cannot be written: there is no such folder"),))


def write_table_file(file: Path, columns: Mapping[str, Sequence[Any]]) -> None:
    """Writes columns, whole or not at all: over what stands there, once it is complete. Raises InvalidInput."""
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        if file.suffix == PARQUET:
            _write_parquet(partial, columns)
        else:
            with partial.open("w", encoding="utf-8", newline="") as out:
                writer = csv.writer(out, lineterminator="\n")
                writer.writerow(columns)
                writer.writerows(zip(*columns.values(), strict=True))
        partial.replace(file)
    except OSError as error:
        raise InvalidInput((FieldError(str(file), f"cannot be written: {error.strerror or error}"),)) from None
    finally:
        partial.unlink(missing_ok=True)


def _write_parquet(file: Path, columns: Mapping[str, Sequence[Any]]) -> None:
    with suppress(ImportError):
        import pyarrow
        from pyarrow import parquet

        parquet.write_table(pyarrow.table({name: pyarrow.array(values) for name, values in columns.items()}), file)
        return
    import polars

    polars.DataFrame(dict(columns)).write_parquet(file)
