"""Gives the types of document.py to what a TOML reader returned, and goes on after a mistake to find the next."""

from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import msgspec

from engine.model.wire_error import field_error, no_such
from engine.policy.mistake import Mistakes, Path

T = TypeVar("T", bound=msgspec.Struct)

_WRONG: Any = object()
"""Stands for a value that has a mistake in it."""


def struct_of(type_: type[T], value: object, path: Path, mistakes: Mistakes) -> T | None:
    """The table as a struct; a field with a mistake has its default, so that the others are looked at further.

    None where it is no table, or where a field has no default to go on with.
    """
    made: T = _struct(type_, value, path, mistakes)
    return None if made is _WRONG else made


def _struct(type_: type[T], value: object, path: Path, mistakes: Mistakes) -> Any:
    if not isinstance(value, dict):
        mistakes.add(path, "must be a table")
        return _WRONG
    fields = {field.encode_name: field for field in msgspec.structs.fields(type_)}
    for key in value:
        if key not in fields:
            mistakes.add((*path, key), no_such("setting", key, fields))
            for meant in get_close_matches(key, [name for name in fields if name not in value], n=1):
                mistakes.mean((*path, meant))
    given: dict[str, Any] = {}
    usable = True
    for name, field in fields.items():
        if name in value:
            made = _value(field.type, value[name], (*path, name), mistakes)
            if made is not _WRONG:
                given[field.name] = made
            else:
                usable &= not field.required
        elif field.required:
            if not mistakes.has((*path, name)):
                mistakes.add(path, f"lacks `{name}`")
            usable = False
    return type_(**given) if usable else _WRONG


def _value(type_: Any, value: object, path: Path, mistakes: Mistakes) -> Any:
    inner = _without_none(_bare(type_))
    bare = _bare(inner)
    if isinstance(bare, type) and issubclass(bare, msgspec.Struct):
        return _struct(bare, value, path, mistakes)
    parts: list[tuple[Path, Any, object]] = []
    if get_origin(bare) is tuple and isinstance(value, list):
        kinds = get_args(bare)
        kinds = kinds[:1] * len(value) if kinds[-1] is Ellipsis else kinds
        # Of one that has too few or too many, those that there are.
        parts = [((*path, place), kind, one) for place, (kind, one) in enumerate(zip(kinds, value, strict=False))]
    elif get_origin(bare) is dict and isinstance(value, dict):
        parts = [((*path, key), get_args(bare)[1], one) for key, one in value.items()]
    for at, kind, one in parts:
        _value(kind, one, at, mistakes)
    # Also of a table that goes on with defaults: the whole would be refused for it once more.
    if parts and mistakes.has(path):
        return _WRONG
    try:
        return msgspec.convert(value, type_ if get_origin(type_) is Annotated else inner)
    except msgspec.ValidationError as error:
        mistakes.add(path, reason_of(error, type_, value))
        return _WRONG


def _bare(type_: Any) -> Any:
    return get_args(type_)[0] if get_origin(type_) is Annotated else type_


def _without_none(type_: Any) -> Any:
    if get_origin(type_) in (Union, UnionType):
        others = [one for one in get_args(type_) if one is not NoneType]
        return others[0] if len(others) == 1 else type_
    return type_


def reason_of(error: msgspec.ValidationError, type_: Any, value: object) -> str:
    """What is wrong with a value that should have been of a type, in words, by the names that TOML has for things."""
    return field_error(error, type_, value).message.replace("an object", "a table")
