"""Reads the files that commands are given, and says in words what is wrong with one."""

import re
import sys
from array import array
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from engine.csv_rows import csv_rows
from engine.errors import FieldError, InvalidInput, StockadeError, StockBelowReserved, StockRefused, below_reserved
from engine.model.wire_error import field_error, no_such

T = TypeVar("T")

ROWS_AT_ONCE = 1_000
"""Rows of a table that are given types at a time: what they were made of need not all stay in memory."""


def read_file(file: Path) -> bytes:
    """A file's bytes; `-` is standard input. Raises InvalidInput, which names the file."""
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise InvalidInput((FieldError(str(file), f"cannot be read: {error.strerror}"),)) from None


def decode_json(file: Path, data: bytes, type_: type[T], *, expected: str = "JSON") -> T:
    """A file's bytes as a typed value. Raises InvalidInput, which names the file, and the field and the rule."""
    try:
        return msgspec.json.decode(data, type=type_)
    except msgspec.ValidationError as error:
        raise told_of_file(file, InvalidInput((field_error(error, type_),))) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput((FieldError(str(file), f"is not {expected}: {error}"),)) from None


def told_of_file(file: Path, error: InvalidInput) -> InvalidInput:
    """Mistakes in a value as those of the file that it is from."""
    return InvalidInput(tuple(FieldError(str(file), _told_of(one.pointer, one.message)) for one in error.errors))


def json_rows(file: Path, data: bytes, type_: type[T]) -> tuple[list[T], Sequence[int]]:
    """JSON of many values, an array of them or one a line, as typed ones; and their lines, none where it is an array.

    Raises InvalidInput, which names file, line (from 1; of an array the row, from 0), field and rule.
    """
    rows: list[T] = []
    numbers = array("Q")
    if data.lstrip().startswith(b"["):
        try:
            rows = msgspec.json.decode(data, type=list[type_])  # type: ignore[valid-type]
        except msgspec.ValidationError as error:
            found = field_error(error, list[type_])  # type: ignore[valid-type]
            raise InvalidInput((FieldError(str(file), _told_of(found.pointer, found.message)),)) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidInput((FieldError(str(file), f"is not JSON: {error}"),)) from None
        return rows, numbers
    decoder = msgspec.json.Decoder(type_)
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        numbers.append(number)
        try:
            rows.append(decoder.decode(line))
        except msgspec.ValidationError as error:
            raise InvalidInput((row_error(file, numbers, len(rows), field_error(error, type_)),)) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            wrong = FieldError(f"{file}:{number}", f"is neither JSON of one row, nor part of an array: {error}")
            raise InvalidInput((wrong,)) from None
    return rows, numbers


def row_error(file: Path, numbers: Sequence[int], row: int, error: FieldError) -> FieldError:
    """A mistake in a row of `json_rows` (from 0) as one of its file, at its line if rows have lines."""
    if numbers:
        return FieldError(f"{file}:{numbers[row]}", _told_of(error.pointer, error.message))
    return FieldError(str(file), _told_of(f"/{row}{error.pointer}", error.message))


def _told_of(pointer: str, message: str) -> str:
    return f"{pointer}: {message}" if pointer else message


class Lines:
    """Where the rows of a CSV file are."""

    def __init__(self, file: Path, pointer: str, numbers: Sequence[int]) -> None:
        """`pointer` is that of the rows in errors; `numbers` are the lines that they begin on, from 1."""
        self._file = file
        self._row = re.compile(rf"{pointer}/(?P<row>\d+)(?:/(?P<field>.*))?")
        self._numbers = numbers

    def told(self, error: StockadeError, first: int = 0) -> StockadeError:
        """The error with lines for rows, where it is one of rows; their first has the index `first`."""
        if isinstance(error, InvalidInput):
            return InvalidInput(tuple(self._told(one, first) for one in error.errors))
        if isinstance(error, StockRefused):
            return self._of_rows([(row.row, row.message) for row in error.rows], first)
        if isinstance(error, StockBelowReserved):
            return self._of_rows([(row, below_reserved(reserved)) for row, reserved in error.rows], first)
        return error

    def _of_rows(self, rows: Sequence[tuple[int, str]], first: int) -> InvalidInput:
        return InvalidInput(tuple(FieldError(self.at(first + row), message) for row, message in rows))

    def _told(self, error: FieldError, first: int) -> FieldError:
        found = self._row.fullmatch(error.pointer)
        if found is None:
            return error
        message = _OTHER_ROW.sub(lambda other: f"as line {self._numbers[first + int(other[1])]}", error.message)
        prefix = f"{found['field']}: " if found["field"] else ""
        return FieldError(self.at(first + int(found["row"])), prefix + message)

    def at(self, row: int) -> str:
        """The file and the line of a row."""
        return f"{self._file}:{self._numbers[row]}"

    def number(self, row: int) -> int:
        """The line of a row, from 1."""
        return self._numbers[row]


_OTHER_ROW = re.compile(r"as row (\d+)$")


def _check_header(where: str, header: Sequence[str], type_: Any) -> None:
    """Raises InvalidInput, which names every column that there is not, or not once, and those that lack."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(type_)}
    errors = []
    for place, name in enumerate(header):
        if name not in fields:
            errors.append(FieldError(where, f'column {place + 1}, "{name}": {no_such("column", name, fields)}'))
        elif name in header[:place]:
            errors.append(FieldError(where, f'column {place + 1}, "{name}", is there as {header.index(name) + 1}, too'))
    if lacking := [name for name, field in fields.items() if field.required and name not in header]:
        told = ", ".join(f'"{name}"' for name in lacking)
        errors.append(FieldError(where, f"lacks the column{'s' if len(lacking) > 1 else ''} {told}"))
    if errors:
        raise InvalidInput(tuple(errors))


def read_csv(file: Path, data: bytes, type_: type[T], *, pointer: str = "") -> tuple[list[T], Lines]:
    """The rows of a CSV file with a header, as typed values, and where they are; an empty field is one not given.

    `pointer` is what errors have before the number of a row. Raises InvalidInput, which names file, line and rule.
    """
    rows: list[T] = []
    numbers = array("Q")
    lines = Lines(file, pointer, numbers)
    found = csv_rows(str(file), data)
    line, header = next(found, (1, []))
    _check_header(f"{file}:{line}", header, type_)
    while part := list(islice(found, ROWS_AT_ONCE)):
        first = len(numbers)
        numbers.extend(line for line, _ in part)
        given = [{name: text for name, text in zip(header, row, strict=True) if text} for _, row in part]
        try:
            rows += msgspec.convert(given, list[type_], strict=False)  # type: ignore[valid-type]
        except msgspec.ValidationError as error:
            wrong = field_error(error, list[type_], given)  # type: ignore[valid-type]
            raise lines.told(InvalidInput((FieldError(pointer + wrong.pointer, wrong.message),)), first) from None
    return rows, lines
