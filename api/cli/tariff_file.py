"""Reads the files that `stockade tariff` is given, and says of every mistake where it is."""

import contextlib
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from api.cli.files import read_file
from engine.errors import FieldError, InvalidInput
from engine.model import Carrier, Tariff
from engine.model.tariff_rules import check_tariff
from engine.policy.lines import lines_of, not_toml, not_utf8
from engine.policy.mistake import Mistake, Mistakes
from engine.policy.mistake import Path as Keys
from engine.policy.shape import struct_of


def read_tariff(file: Path) -> Tariff:
    """The tariff of a file. Raises InvalidInput, which names every mistake, in TOML with its line."""
    data = read_file(file)
    if file.suffix == ".toml":
        try:
            # As the reader does it, so that lines are counted alike.
            text = data.decode().replace("\r\n", "\n")
            values = tomllib.loads(text)
        except UnicodeDecodeError as error:
            raise _refused(file, (not_utf8(error, data),), has_lines=True) from None
        except tomllib.TOMLDecodeError as error:
            raise _refused(file, (not_toml(str(error), text),), has_lines=True) from None
        lines = lines_of(text)
    else:
        lines = {}
        try:
            values = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidInput((FieldError(str(file), f"is not JSON, nor named .toml: {error}"),)) from None
    mistakes = Mistakes()
    tariff = struct_of(Tariff, values, (), mistakes)
    _check(values, tariff, mistakes)
    if tariff is None or mistakes.found:
        raise _refused(file, mistakes.with_lines(lines), has_lines=bool(lines))
    return tariff


@contextlib.contextmanager
def told_by_file(file: Path | None) -> Iterator[None]:
    """Has what is wrong with a matrix told as a mistake in its file; the warehouses are its header."""
    try:
        yield
    except InvalidInput as error:
        if file is None:
            raise
        header = [FieldError(f"{file}:1", one.message) for one in error.errors if one.pointer.startswith("/warehouses")]
        rest = [FieldError(str(file), one.message) for one in error.errors if not one.pointer.startswith("/warehouses")]
        raise InvalidInput((*header, *rest)) from None


def _check(values: Any, tariff: Tariff | None, mistakes: Mistakes) -> None:
    """The rules that a shape cannot say, of all that has the right shape: of the rest, not everything is known."""
    if tariff is not None and not mistakes.found:
        for keys, message in _broken_rules(tariff):
            mistakes.add(keys, message)
        return
    carriers = values.get("carriers") if isinstance(values, dict) else None
    for place, value in enumerate(carriers if isinstance(carriers, list) else ()):
        path: Keys = ("carriers", place)
        if not mistakes.has(path) and (carrier := struct_of(Carrier, value, path, Mistakes())) is not None:
            for keys, message in _broken_rules(Tariff(carriers=(carrier,))):
                mistakes.add((*path, *keys[2:]), message)


def _broken_rules(tariff: Tariff) -> list[tuple[Keys, str]]:
    try:
        check_tariff(tariff)
    except InvalidInput as error:
        return [(_keys(one.pointer), one.message) for one in error.errors]
    return []


def _keys(pointer: str) -> Keys:
    return tuple(int(part) if part.isdecimal() else part for part in pointer.split("/")[1:])


def _refused(file: Path, mistakes: tuple[Mistake, ...], *, has_lines: bool) -> InvalidInput:
    def told(one: Mistake) -> FieldError:
        where = f"{file}:{one.line}" if has_lines else str(file)
        return FieldError(where, f"{one.where}: {one.reason}".removeprefix(": "))

    return InvalidInput(tuple(map(told, mistakes)))
