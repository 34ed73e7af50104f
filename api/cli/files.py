"""Reads the files that commands are given, and says in words what is wrong with one."""

import csv
import sys
from itertools import islice
from pathlib import Path
from typing import TypeVar

import msgspec

from engine.errors import FieldError, InvalidInput
from engine.model.rules import field_error

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
    """A file's bytes as a typed value. Raises InvalidInput, which names the field and the rule, or the file."""
    try:
        return msgspec.json.decode(data, type=type_)
    except msgspec.ValidationError as error:
        raise InvalidInput((field_error(error),)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput((FieldError(str(file), f"is not {expected}: {error}"),)) from None


def json_rows(file: Path, data: bytes, type_: type[T]) -> list[T]:
    """JSON of many values, an array of them or one a line, as typed ones.

    Raises InvalidInput, which names row (from 0), field and rule, or the file.
    """
    if data.lstrip().startswith(b"["):
        return decode_json(file, data, list[type_])  # type: ignore[valid-type]
    decoder = msgspec.json.Decoder(type_)
    rows: list[T] = []
    for line in data.splitlines():
        if not line.strip():
            continue
        try:
            rows.append(decoder.decode(line))
        except msgspec.ValidationError as error:
            found = field_error(error)
            raise InvalidInput((FieldError(f"/{len(rows)}{found.pointer}", found.message),)) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidInput((FieldError(str(file), f"row {len(rows)} is not JSON: {error}"),)) from None
    return rows


def csv_rows(file: Path, data: bytes, type_: type[T], *, pointer: str = "") -> list[T]:
    """The rows of a CSV file with a header, as typed values; an empty field is one that is not given.

    Raises InvalidInput, which names row (from 0, below `pointer`), field and rule, or the file.
    """
    rows: list[T] = []
    try:
        lines = (row for row in csv.reader(data.decode("utf-8-sig").splitlines()) if row)
        header = next(lines, [])
        while part := list(islice(lines, ROWS_AT_ONCE)):
            rows += _typed(header, part, type_, pointer, len(rows))
    except (csv.Error, UnicodeDecodeError) as error:
        raise InvalidInput((FieldError(str(file), f"is not CSV in UTF-8: {error}"),)) from None
    return rows


def _typed(header: list[str], rows: list[list[str]], type_: type[T], pointer: str, first: int) -> list[T]:
    """Rows of which the first has the index `first`."""
    for index, row in enumerate(rows, first):
        if len(row) != len(header):
            raise InvalidInput((FieldError(f"{pointer}/{index}", "has not as many columns as the header"),))
    given = [{name: text for name, text in zip(header, row, strict=True) if text} for row in rows]
    try:
        return msgspec.convert(given, list[type_], strict=False)  # type: ignore[valid-type]
    except msgspec.ValidationError as error:
        found = field_error(error)
        _, index_text, *rest = found.pointer.split("/")
        where = "/".join([pointer, str(first + int(index_text)), *rest])
        raise InvalidInput((FieldError(where, found.message),)) from None
