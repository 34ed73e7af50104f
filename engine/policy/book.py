"""Makes a book of a file's text, or says every mistake in it."""

import tomllib
from collections.abc import Collection
from pathlib import Path as FilePath
from typing import Any, get_args

import msgspec

from engine.errors import FieldError, InvalidInput
from engine.model import BuiltInPolicy, PolicyName, Warehouse
from engine.model.order import NAME_WORDS
from engine.policy import rules
from engine.policy.document import (
    FILE_BYTES_MAX,
    POLICIES_MAX,
    RULES_MAX,
    Document,
    PolicyDocument,
    RuleDocument,
    Version,
)
from engine.policy.fingerprint import fingerprint_of
from engine.policy.lines import lines_of, not_toml, not_utf8
from engine.policy.message import message_of
from engine.policy.mistake import Mistake, Mistakes
from engine.policy.shape import reason_of, struct_of

BUILT_IN_VERSION = "built-in"
BUILT_IN: tuple[BuiltInPolicy, ...] = get_args(BuiltInPolicy)

_TOP = ("version", "default", "policies", "rules")


class PolicyBook(msgspec.Struct, frozen=True, kw_only=True):
    """Policies and rules of one version."""

    document: Document
    message: bytes
    """As the core reads it."""
    fingerprint: str
    """Of what it says; see fingerprint.py."""
    text: str
    """That it was made of; empty for the built-in one."""
    warnings: tuple[Mistake, ...]
    """What its writer should know."""

    @property
    def version(self) -> str:
        """By which orders name the policies they were planned by."""
        return self.document.version

    @property
    def names(self) -> tuple[str, ...]:
        """Of all policies: the file's, then those that are there without one."""
        return tuple(self.document.policies)


def built_in_book(default: BuiltInPolicy) -> PolicyBook:
    """The book that is there without a file."""
    policies: dict[str, PolicyDocument] = {name: PolicyDocument(objective=name) for name in BUILT_IN}
    return _book(Document(version=BUILT_IN_VERSION, default=default, policies=policies), "", ())


def read_policies(file: FilePath, *, default: BuiltInPolicy) -> PolicyBook:
    """The book of the file that the settings name. Raises InvalidInput, which names every mistake as file:line, or why
    the file cannot be read.

    `default` is for a file that names none.
    """
    try:
        with file.open("rb") as opened:
            text = opened.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        told = f"is the file of policies (STOCKADE_POLICIES_FILE, or an option), and cannot be read: {error.strerror}"
        raise InvalidInput((FieldError(str(file), told),)) from None
    return book_of(text, source=str(file), default=default)


def book_of(text: bytes, *, source: str, default: BuiltInPolicy) -> PolicyBook:
    """The book of a text. Raises InvalidInput, which names every mistake as source:line."""
    checked = check_policies(text, default=default)
    if isinstance(checked, PolicyBook):
        return checked
    errors = (FieldError(f"{source}:{one.line}", f"{one.where}: {one.reason}".removeprefix(": ")) for one in checked)
    raise InvalidInput(tuple(errors))


def check_policies(
    text: bytes, *, default: BuiltInPolicy = "cheapest", network: Collection[Warehouse] | None = None
) -> PolicyBook | tuple[Mistake, ...]:
    """The book of a file's text, or all its mistakes by line.

    `network` are its warehouses, if what policies ask of them is to be looked at, too.
    """
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
    document = _document(values, network, default, mistakes)
    lines = lines_of(decoded)
    if mistakes.found or document is None:
        return mistakes.with_lines(lines)
    return _book(document, decoded, mistakes.warnings_with_lines(lines))


def _document(
    values: dict[str, Any], network: Collection[Warehouse] | None, default: str, mistakes: Mistakes
) -> Document | None:
    for key in values:
        if key not in _TOP:
            mistakes.add((key,), f"no such setting; there are {', '.join(_TOP)}")
    version = _text(values, "version", Version, mistakes)
    if version is None and "version" not in values:
        mistakes.add((), "lacks `version`, by which orders name the policies they were planned by")
    if version == BUILT_IN_VERSION:
        mistakes.add(("version",), "is the name of the policies that are there without a file")
    named = _text(values, "default", PolicyName, mistakes)
    policies = _policies(values.get("policies", {}), network, mistakes)
    rows = _rules(values.get("rules", []), mistakes)
    # Those without a file are there, too, unless the file has others of their names.
    names = [*values["policies"]] if isinstance(values.get("policies"), dict) else []
    all_names = names + [name for name in BUILT_IN if name not in names]
    rules.check_use(named, all_names, ("default",), mistakes)
    rules.check_rules(rows, all_names, mistakes)
    if mistakes.found or version is None:
        return None
    others: dict[str, PolicyDocument] = {
        name: PolicyDocument(objective=name) for name in BUILT_IN if name not in policies
    }
    return Document(version=version, default=named or default, policies=policies | others, rules=tuple(rows.values()))


def _text(values: dict[str, Any], key: str, type_: Any, mistakes: Mistakes) -> str | None:
    if key not in values:
        return None
    try:
        text: str = msgspec.convert(values[key], type_)
    except msgspec.ValidationError as error:
        mistakes.add((key,), reason_of(error, type_, values[key]))
        return None
    return text


def _policies(values: object, network: Collection[Warehouse] | None, mistakes: Mistakes) -> dict[str, PolicyDocument]:
    if not isinstance(values, dict):
        mistakes.add(("policies",), "must be tables: [policies.NAME]")
        return {}
    if len(values) > POLICIES_MAX:
        mistakes.add(("policies",), f"are more than {POLICIES_MAX}")
    policies: dict[str, PolicyDocument] = {}
    for name, value in values.items():
        path = ("policies", name)
        try:
            msgspec.convert(name, PolicyName)
        except msgspec.ValidationError:
            mistakes.add(path, f"its name must be {NAME_WORDS}")
        policy = struct_of(PolicyDocument, value, path, mistakes)
        if policy is not None:
            policies[name] = policy
            rules.check_policy(policy, path, mistakes)
            if name in BUILT_IN:
                rules.check_built_in(name, policy, mistakes)
            if network is not None:
                rules.check_warehouses(policy, path, network, mistakes)
    return policies


def _rules(values: object, mistakes: Mistakes) -> dict[int, RuleDocument]:
    if not isinstance(values, list):
        mistakes.add(("rules",), "must be tables of an array: [[rules]]")
        return {}
    if len(values) > RULES_MAX:
        mistakes.add(("rules",), f"are more than {RULES_MAX}")
    made = ((place, struct_of(RuleDocument, value, ("rules", place), mistakes)) for place, value in enumerate(values))
    return {place: rule for place, rule in made if rule is not None}


def _book(document: Document, text: str, warnings: tuple[Mistake, ...]) -> PolicyBook:
    return PolicyBook(
        document=document,
        message=message_of(document),
        fingerprint=fingerprint_of(document),
        text=text,
        warnings=warnings,
    )
