"""Schemas of the types that decode requests and make answers, with the words that stand beside their fields."""

import ast
import inspect
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import msgspec
from msgspec import Struct

from api.http.members import MEMBERS
from api.http.problems import TITLES, ProblemTold, ProblemType

REF = "#/components/schemas/"

Schema = dict[str, Any]


class Schemas:
    """Schemas as the document refers to them; `components` has every one that was asked for."""

    def __init__(self, types: Iterable[Any]) -> None:
        """`types`: all that will be asked for."""
        unique = list({repr(type_): type_ for type_ in (*types, ProblemTold, *MEMBERS.values())}.values())
        schemas, self.components = msgspec.json.schema_components(unique, ref_template=REF + "{name}")
        self._of = {repr(type_): schema for type_, schema in zip(unique, schemas, strict=True)}
        for struct in _structs(unique):
            _describe(self.components[struct.__name__], struct)

    def of(self, type_: Any, optional: Sequence[str] = ()) -> Schema:
        """The schema of a type; with `optional` fields, of one in which these may be left out."""
        schema: Schema = self._of[repr(type_)]
        if not optional:
            return schema
        name = schema["$ref"].removeprefix(REF)
        whole = self.components[name]
        required = [field for field in whole["required"] if field not in optional]
        body = {**whole, "title": f"{name}Body", "required": required}
        if not required:
            del body["required"]
        self.components[f"{name}Body"] = body
        return {"$ref": f"{REF}{name}Body"}

    def of_problem(self, type_: ProblemType) -> Schema:
        """The schema of a problem: the members of all, and those of its type."""
        name = "".join(word.capitalize() for word in type_.split("-")) + "Problem"
        if name not in self.components:
            status, title, retryable = TITLES[type_]
            told, own = self.components[ProblemTold.__name__], self._members(type_)
            fixed = {"type": type_, "title": title, "status": status, "retryable": retryable}
            properties = {
                **told["properties"],
                **{field: {**told["properties"][field], "const": value} for field, value in fixed.items()},
                **own.get("properties", {}),
            }
            required = [*told["required"], *own.get("required", [])]
            self.components[name] = {
                "title": name,
                "description": f"{title}." + (f" {own['description']}" if own else ""),
                "type": "object",
                "properties": properties,
                "required": required,
            }
        return {"$ref": REF + name}

    def _members(self, type_: ProblemType) -> Schema:
        members = MEMBERS.get(type_)
        return {} if members is None else self.components[members.__name__]


@cache
def _field_words(struct: type[Struct]) -> dict[str, str]:
    """The text under each field of a struct, of what it inherits as well."""
    words: dict[str, str] = {}
    for base in reversed(struct.__mro__):
        if issubclass(base, Struct) and base is not Struct:
            body = _classes(base.__module__)[base.__name__].body
            for field, after in pairwise(body):
                if isinstance(field, ast.AnnAssign) and isinstance(after, ast.Expr):
                    words[ast.unparse(field.target)] = " ".join(str(ast.literal_eval(after.value)).split())
    return words


@cache
def _classes(module: str) -> dict[str, ast.ClassDef]:
    """The classes of a module as they are written."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def _describe(schema: Schema, struct: type[Struct]) -> None:
    for field, words in _field_words(struct).items():
        if field in schema["properties"]:
            schema["properties"][field]["description"] = words
    for field in schema["properties"].values():
        # Of what must have an item where it is given: "none given" is no value of it.
        if field.get("minItems") and field.get("default") == ():
            del field["default"]
    config = struct.__struct_config__
    if not (config.forbid_unknown_fields or config.omit_defaults):
        # Only ever written, and then whole.
        fields = msgspec.structs.fields(struct)
        schema["required"] = [field.encode_name for field in fields if field.default is not msgspec.UNSET]
    # msgspec keeps the line breaks.
    if "description" in schema:
        schema["description"] = " ".join(schema["description"].split())


def _structs(types: Iterable[Any]) -> set[type[Struct]]:
    """Every struct within types."""
    found: set[type[Struct]] = set()
    rest = [msgspec.inspect.type_info(type_) for type_ in types]
    while rest:
        info = rest.pop()
        if isinstance(info, msgspec.inspect.StructType):
            if info.cls in found:
                continue
            found.add(info.cls)
            rest += [field.type for field in info.fields]
        for name in ("types", "item_types"):
            rest += getattr(info, name, ())
        for name in ("item_type", "key_type", "value_type", "type"):
            if isinstance(inner := getattr(info, name, None), msgspec.inspect.Type):
                rest.append(inner)
    return found
