"""Reads a file of settings: TOML, a setting a line. Which there are, and what they may be, it does not know."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from engine.errors import FieldError, InvalidInput
from engine.policy.lines import lines_of

FILE_BYTES_MAX = 1_000_000


class ConfigFile(Struct, frozen=True):
    """What a file says."""

    path: Path
    values: Mapping[str, Any]
    lines: Mapping[str, int]
    """Where each value stands, from 1."""

    def where(self, name: str) -> str:
        """A value's place, as it is told."""
        return f"{self.path}:{self.lines.get(name, 1)}: {name}"


def read_config(path: Path) -> ConfigFile:
    """The file. Raises InvalidInput, which names it, for one that cannot be read or is not TOML."""
    try:
        with path.open("rb") as file:
            text = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise _broken(path, f"cannot be read: {error.strerror}") from None
    if len(text) > FILE_BYTES_MAX:
        raise _broken(path, f"is no file of settings: it has more than {FILE_BYTES_MAX:,} bytes")
    try:
        decoded = text.decode().replace("\r\n", "\n")
        values = tomllib.loads(decoded)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _broken(path, f"is not TOML: {error}") from None
    lines = {str(key[0]): line for key, line in lines_of(decoded).items() if len(key) == 1}
    return ConfigFile(path, values, lines)


def _broken(path: Path, message: str) -> InvalidInput:
    return InvalidInput((FieldError(str(path), message),))
