"""Says what is wrong with a value by its field and in words, for every door: msgspec names types, patterns and norms.

The words come from the type that the value should have been of, so that they tell all that it may be.
"""

import re
from collections.abc import Collection, Sequence
from datetime import date, datetime
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

from engine.errors import FieldError

INSTANT_WORDS = 'must be an instant with its offset from UTC, such as "2026-11-11T20:00:00+08:00"'
DAY_WORDS = 'must be a day of the calendar, such as "2026-11-11"'

SHOWN_LENGTH_MAX = 64
"""Characters of a wrong text that are told."""

_WHERE = re.compile(r"(?P<rule>.*) - at (?P<key>`key` in )?`\$(?P<path>(?:\.\w+|\[\d+\]|\[\.\.\.\])*)`", re.DOTALL)
_STEP = re.compile(r"\.(?P<name>\w+)|\[(?P<place>\d+|\.\.\.)\]")
_FIELD = re.compile(r"Object (?P<what>missing required|contains unknown) field `(?P<name>.*)`", re.DOTALL)
_KIND = re.compile(r"Expected `(?P<wanted>[^`]*)`(?:, got `(?P<got>\w+)`)?")
_ENUM = "Invalid enum value "
_OUT_OF_RANGE = ("Integer value out of range", "Number out of range")

_GOT = {
    "str": "text",
    "int": "a whole number",
    "float": "a number with decimals",
    "bool": "true or false",
    "object": "an object",
    "array": "an array",
}
_NOT_GIVEN: Any = object()

Shape = tuple[Any, Sequence[Meta]]
"""A type without its annotations, and these."""


def field_error(error: msgspec.ValidationError, type_: Any, given: Any = _NOT_GIVEN) -> FieldError:
    """A wire error as pointer and rule. `type_` is what was read, `given` its fields before, where they are at hand.

    Of a dictionary msgspec names no key: the pointer is that of the dictionary.
    """
    found = _WHERE.fullmatch(str(error))
    rule = found["rule"] if found else str(error)
    steps = [step["name"] or step["place"] for step in _STEP.finditer(found["path"] if found else "")]
    pointer = "".join(f"/{step}" for step in steps if step != "...")
    if field := _FIELD.fullmatch(rule):
        pointer += "/" + field["name"].replace("~", "~0").replace("/", "~1")
    is_key = bool(found and found["key"])
    shape = _shape_at(type_, steps, is_key=is_key)
    words = words_of(rule, shape, _value_at(given, steps))
    return FieldError(pointer, f"{words} (a key)" if is_key else words)


def words_of(rule: str, shape: Shape, value: Any = _NOT_GIVEN) -> str:
    """What msgspec says of a value of a shape, in words; what it does not say itself stays as it is."""
    if field := _FIELD.fullmatch(rule):
        if field["what"].startswith("missing"):
            return "is missing"
        return no_such("field", field["name"], [one.encode_name for one in _fields(shape[0])])
    if rule.startswith(_ENUM):
        return _not_listed(rule.removeprefix(_ENUM), _literals(shape[0]))
    if "RFC3339" in rule or "timezone component" in rule:
        return (DAY_WORDS if rule.endswith("date") else INSTANT_WORDS) + _not(value, None)
    kind = _KIND.match(rule)
    if kind is None and rule not in _OUT_OF_RANGE:
        return rule
    wanted, got = (kind["wanted"], kind["got"]) if kind else ("", None)
    if not got:
        shape = _member(shape, wanted)
    if value == () and (empty := _extra(shape, "empty")):
        return empty
    return f"must be {_described(shape)}{_not(value, got)}"


def shape_of(type_: Any) -> Shape:
    """A type without None and annotations."""
    metas: list[Meta] = []
    while True:
        if _origin(type_) is Annotated:
            metas += (one for one in type_.__metadata__ if isinstance(one, Meta))
            type_ = type_.__origin__
        elif _origin(type_) in (Union, UnionType):
            others = [one for one in get_args(type_) if one is not NoneType]
            if len(others) > 1:
                return type_, metas
            type_ = others[0]
        else:
            return type_, metas


def no_such(what: str, name: str, there: Collection[str]) -> str:
    """A name that is none of those there are."""
    lowered = {one.lower(): one for one in there}
    meant = [lowered[one] for one in get_close_matches(name.lower(), lowered, n=1)]
    return (
        f"no such {what}; " + (f'did you mean "{meant[0]}"? There' if meant else "there") + f" are {', '.join(there)}"
    )


def _shape_at(type_: Any, steps: Sequence[str], *, is_key: bool) -> Shape:
    """The type of the value that a path leads to, as far as it can be told."""
    for step in steps:
        bare, _ = shape_of(type_)
        type_ = Any
        if fields := _fields(bare):
            type_ = next((one.type for one in fields if one.encode_name == step), Any)
        elif (arguments := get_args(bare)) and _origin(bare) is dict:
            type_ = arguments[1]
        elif arguments and _origin(bare) is tuple and arguments[-1] is not Ellipsis and step.isdecimal():
            type_ = arguments[int(step)]
        elif arguments:
            type_ = arguments[0]
    shape = shape_of(type_)
    return shape_of(get_args(shape[0])[0]) if is_key and _origin(shape[0]) is dict else shape


def _value_at(given: Any, steps: Sequence[str]) -> Any:
    for step in steps:
        if isinstance(given, dict) and step in given:
            given = given[step]
        elif isinstance(given, list) and step.isdecimal():
            given = given[int(step)]
        else:
            return _NOT_GIVEN
    return tuple(given) if isinstance(given, list) else given


def _origin(type_: Any) -> Any:
    """Of what it is a form, as far as it is one."""
    return get_origin(type_)


def _fields(bare: Any) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(bare) if isinstance(bare, type) and issubclass(bare, Struct) else ()


def _literals(bare: Any) -> list[str]:
    return [str(one) for one in get_args(bare)] if _origin(bare) is Literal else []


def _not_listed(quoted: str, there: Sequence[str]) -> str:
    name = quoted.strip("'\"")
    meant = get_close_matches(name.lower(), there, n=1)
    told = f"must be one of {', '.join(there)}{_not(name, None)}"
    return told + (f'; did you mean "{meant[0]}"?' if meant else "")


def _member(shape: Shape, wanted: str) -> Shape:
    """Of a union the one that a limit is of."""
    if _origin(shape[0]) not in (Union, UnionType):
        return shape
    members = [shape_of(one) for one in get_args(shape[0])]
    return next((one for one in members if getattr(one[0], "__name__", "") == wanted), shape)


def _extra(shape: Shape, name: str) -> str | None:
    return next((meta.extra[name] for meta in shape[1] if meta.extra and name in meta.extra), None)


def _not(value: Any, got: str | None) -> str:
    """What it is instead: the value, if it is simple; else its kind, where that is what is wrong."""
    if isinstance(value, bool):
        return f", not {str(value).lower()}"
    if isinstance(value, str):
        return f', not "{value[:SHOWN_LENGTH_MAX]}{"..." if len(value) > SHOWN_LENGTH_MAX else ""}"'
    if isinstance(value, int | float):
        return f", not {value:,}"
    return f", not {_GOT.get(got, got)}" if got else ""


def _described(shape: Shape) -> str:
    """All that a value may be, after "must be"."""
    bare, metas = shape
    if rule := _extra(shape, "rule"):
        return rule
    if _origin(bare) is Literal:
        return f"one of {', '.join(_literals(bare))}"
    if _origin(bare) in (Union, UnionType):
        kinds = [_described((shape_of(one)[0], ())) for one in get_args(bare) if one is not NoneType]
        return f"{', '.join(kinds[:-1])} or {kinds[-1]}"
    if bare in (date, datetime):
        return (DAY_WORDS if bare is date else INSTANT_WORDS).removeprefix("must be ")
    if bare in (int, float):
        return ("a whole number" if bare is int else "a number") + _range(metas, "ge", "le")
    if bare is bool:
        return "true or false"
    if bare is str:
        return "text" + _of(_range(metas, "min_length", "max_length"), "characters")
    if _fields(bare) or _origin(bare) is dict or bare is dict:
        return "an object" + _of(_range(metas, "min_length", "max_length"), "fields")
    if _origin(bare) in (tuple, list):
        count = len(get_args(bare)) if _origin(bare) is tuple and get_args(bare)[-1] is not Ellipsis else 0
        return "an array" + (f" of {count}" if count else _of(_range(metas, "min_length", "max_length"), "values"))
    return "another kind of value"


def _range(metas: Sequence[Meta], least: str, most: str) -> str:
    low = next((bound for meta in metas if (bound := getattr(meta, least)) is not None), None)
    high = next((bound for meta in metas if (bound := getattr(meta, most)) is not None), None)
    if low is not None and high is not None:
        return f" from {low:,} to {high:,}"
    if high is not None:
        return f" of at most {high:,}"
    return f" of at least {low:,}" if low is not None else ""


def _of(range_: str, things: str) -> str:
    """The range as one of lengths."""
    return f" of {range_.removeprefix(' from ').removeprefix(' of ')} {things}" if range_ else ""
