"""Reads the files that commands are given, and says in words what is wrong with one."""

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
