"""Reads a scenario, a built-in one by its name or one's own from a file, or says every mistake in it."""

import tomllib
from pathlib import Path
from typing import Any, overload

import msgspec
from msgspec import Struct

from engine.errors import FieldError, InvalidInput
from engine.model import limits
from engine.policy.lines import lines_of, not_toml, not_utf8
from engine.policy.mistake import Mistake, Mistakes
from engine.policy.shape import struct_of
from loadtest.scenarios.document import (
    ACTIONS_MAX,
    BUYERS_MAX,
    FILE_BYTES_MAX,
    Action,
    Buyers,
    Catalogue,
    Load,
    ScenarioDocument,
    Service,
    Targets,
)
from loadtest.scenarios.rules import check_scenario_document

FOLDER = Path(__file__).parent

_TABLES: dict[str, type[Struct]] = {"catalogue": Catalogue, "load": Load, "service": Service, "targets": Targets}
_ARRAYS: dict[str, tuple[type[Struct], int]] = {"buyers": (Buyers, BUYERS_MAX), "actions": (Action, ACTIONS_MAX)}


class Scenario(Struct, frozen=True):
    """One that is right."""

    name: str
    """Of the file, without its ending."""
    folder: Path
    """Where the files that it names are looked for."""
    document: ScenarioDocument


def names() -> list[str]:
    """The built-in ones."""
    return sorted(file.stem for file in FOLDER.glob("*.toml"))


def built_in(name: str) -> Scenario:
    """One of them."""
    return _read(FOLDER / f"{name}.toml")


def read_scenario(name: str) -> Scenario:
    """A built-in one, or that of a file. Raises InvalidInput, which names every mistake as file:line."""
    if name in names():
        return built_in(name)
    file = Path(name)
    if file.suffix != ".toml" and not file.exists():
        told = f"is neither a file nor a scenario that is there without one: {', '.join(names())}"
        raise InvalidInput((FieldError(name, told),))
    return _read(file)


def _read(file: Path) -> Scenario:
    try:
        with file.open("rb") as opened:
            text = opened.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise InvalidInput((FieldError(str(file), f"cannot be read: {error.strerror}"),)) from None
    checked = check_scenario(text)
    if isinstance(checked, ScenarioDocument):
        return Scenario(file.stem, file.parent, checked)
    errors = (FieldError(f"{file}:{one.line}", f"{one.where}: {one.reason}".removeprefix(": ")) for one in checked)
    raise InvalidInput(tuple(errors))


def check_scenario(text: bytes) -> ScenarioDocument | tuple[Mistake, ...]:
    """The scenario of a text, or all its mistakes by line."""
    mistakes = Mistakes()
    if len(text) > FILE_BYTES_MAX:
        mistakes.add((), f"the file is longer than {FILE_BYTES_MAX} bytes")
        return mistakes.with_lines({})
    try:
        # As the reader does it, so that lines are counted alike.
        decoded = text.decode().replace("\r\n", "\n")
        values = tomllib.loads(decoded)
    except UnicodeDecodeError as error:
        return (not_utf8(error, text),)
    except tomllib.TOMLDecodeError as error:
        return (not_toml(str(error), decoded),)
    document = _document(values, mistakes)
    check_scenario_document(document, mistakes)
    return mistakes.with_lines(lines_of(decoded)) if mistakes.found else document


def _document(values: dict[str, Any], mistakes: Mistakes) -> ScenarioDocument:
    """Part by part, so that a mistake in one does not keep the others from being looked at."""
    given: dict[str, Any] = {"buyers": ()}
    for name, type_ in _TABLES.items():
        if name in values and (made := struct_of(type_, values[name], (name,), mistakes)) is not None:
            given[name] = made
    for name, (one, most) in _ARRAYS.items():
        rows = values.get(name, [])
        if not isinstance(rows, list):
            mistakes.add((name,), f"must be an array of tables: write [[{name}]]")
            continue
        if len(rows) > most:
            mistakes.add((name,), f"are more than {most}")
        made_rows = [struct_of(one, row, (name, place), mistakes) for place, row in enumerate(rows[:most])]
        given[name] = tuple(row for row in made_rows if row is not None)
    if not values.get("buyers"):
        mistakes.add((), "lacks `buyers`")
    rest = {name: value for name, value in values.items() if name not in _TABLES and name not in _ARRAYS}
    whole = struct_of(ScenarioDocument, {**rest, "buyers": [{"name": "some"}]}, (), mistakes)
    whole = whole or ScenarioDocument(about="?", buyers=())
    return msgspec.structs.replace(whole, **given)


def with_changes(scenario: Scenario, *, rate: float | None, seconds: float | None) -> Scenario:
    """With another rate or length; what happens at a time of the run then happens at the same part of it.

    Stock is as much more or less as requests are, so that what is scarce stays so, and what is not does, too.
    """
    load = scenario.document.load
    scale = 1.0 if seconds is None else seconds / load.seconds
    faster = 1.0 if rate is None else rate / load.rate
    changed = msgspec.structs.replace(
        load,
        rate=load.rate * faster,
        seconds=load.seconds * scale,
        warmup_s=load.warmup_s * scale,
        to=load.to and load.to * faster,
        peak=load.peak and load.peak * faster,
        peak_at_s=load.peak_at_s and load.peak_at_s * scale,
        peak_for_s=load.peak_for_s and load.peak_for_s * scale,
    )
    actions = tuple(
        msgspec.structs.replace(
            one, at_s=one.at_s * scale, for_s=one.for_s and one.for_s * scale, units=_units(one.units, scale * faster)
        )
        for one in scenario.document.actions
    )
    catalogue = scenario.document.catalogue
    if catalogue is not None:
        catalogue = msgspec.structs.replace(
            catalogue,
            on_hand=_units(catalogue.on_hand, scale * faster),
            hot_on_hand=_units(catalogue.hot_on_hand, scale * faster),
        )
    document = msgspec.structs.replace(scenario.document, load=changed, actions=actions, catalogue=catalogue)
    return msgspec.structs.replace(scenario, document=document)


@overload
def _units(units: int, times: float) -> int: ...


@overload
def _units(units: None, times: float) -> None: ...


def _units(units: int | None, times: float) -> int | None:
    """So many times the units, 1 at the least where there were any."""
    return units and min(limits.ON_HAND_MAX, max(1, round(units * times)))
