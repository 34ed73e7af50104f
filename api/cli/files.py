"""Reads the files that commands are given, and says in words what is wrong with one."""

import csv
import sys
from pathlib import Path
from typing import TypeVar

import msgspec

from engine.errors import FieldError, InvalidInput
from engine.model.rules import field_error

T = TypeVar("T")


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


def csv_rows(file: Path, data: bytes, type_: type[T], *, pointer: str = "") -> list[T]:
    """The rows of a CSV file with a header, as typed values; an empty field is one that is not given.

    Raises InvalidInput, which names row (from 0, below `pointer`), field and rule, or the file.
    """
    try:
        header, *rows = [row for row in csv.reader(data.decode("utf-8-sig").splitlines()) if row] or [[]]
    except (csv.Error, UnicodeDecodeError) as error:
        raise InvalidInput((FieldError(str(file), f"is not CSV in UTF-8: {error}"),)) from None
    for index, row in enumerate(rows):
        if len(row) != len(header):
            raise InvalidInput((FieldError(f"{pointer}/{index}", "has not as many columns as the header"),))
    given = [{name: text for name, text in zip(header, row, strict=True) if text} for row in rows]
    try:
        return msgspec.convert(given, list[type_], strict=False)  # type: ignore[valid-type]
    except msgspec.ValidationError as error:
        found = field_error(error)
        raise InvalidInput((FieldError(f"{pointer}{found.pointer}", found.message),)) from None
