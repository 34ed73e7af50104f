"""Whether an answer keeps to the OpenAPI document: its status, media type, headers and body are told there."""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs

from api.http.contract import LINES_TYPE
from api.http.problems import TITLES
from api.http.routes import ROUTES
from api.openapi.document import UNROUTED, document

Json = dict[str, Any]
METHODS = ("GET", "PUT", "POST", "DELETE")


@cache
def contract() -> Json:
    """The document."""
    return document(ROUTES)


@cache
def operations() -> dict[tuple[str, str], Json]:
    """Every operation, by method and path."""
    return {
        (method.upper(), path): operation
        for path, item in contract()["paths"].items()
        for method, operation in item.items()
    }


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    paths = sorted(contract()["paths"], key=lambda path: "{" in path)
    return [(re.compile(re.sub(r"{\w+}", "[^/]+", path)), path) for path in paths]


def operation_of(method: str, target: str) -> Json | None:
    """The operation that a request is for; None where no route takes it, or the document tells nothing of it."""
    path = urlsplit(target).path
    found = next((template for pattern, template in _patterns() if pattern.fullmatch(path)), None)
    return None if found is None else operations().get((method, found))


@cache
def validator(schema: str) -> Any:
    """Of a schema as JSON, whose references lead into the document."""
    return jsonschema_rs.Draft202012Validator(
        {**json.loads(schema), "components": contract()["components"]}, validate_formats=True
    )


def validate(schema: Json, value: Any) -> None:
    """Raises an error that says where a value breaks a schema."""
    validator(json.dumps(schema)).validate(value)


def check_answer(method: str, target: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Assert that an answer is one that the document tells of its operation."""
    if method not in METHODS or target.startswith("/docs/"):
        return
    operation = operation_of(method, target)
    where = f"{method} {target}: {status}"
    if operation is None:
        responses = {str(told["status"]): told["response"] for told in _unrouted()}
    else:
        responses = operation["responses"]
    assert str(status) in responses, f"{where} is no status of the document"
    response = responses[str(status)]
    for name, header in response["headers"].items():
        told = contract()["components"]["headers"][header["$ref"].rsplit("/", 1)[1]]
        if (value := headers.get(name)) is not None:
            validate(told["schema"], int(value) if told["schema"].get("type") == "integer" else value)
    assert headers.get("X-Request-Id"), where
    content = response.get("content", {})
    media_type = (headers.get("Content-Type") or "").split(";")[0]
    if not content:
        assert not body, where
        return
    assert media_type in content, f"{where} is {media_type}"
    if media_type == LINES_TYPE:
        of_line = validator(json.dumps(content[media_type]["schema"]))
        for line in body.splitlines():
            of_line.validate(json.loads(line))
    elif media_type.endswith("json"):
        validate(content[media_type]["schema"], json.loads(body))


def _unrouted() -> list[Json]:
    responses = contract()["components"]["responses"]
    by_type = {type_: responses[type_] for type_ in UNROUTED}
    return [{"status": TITLES[type_][0], "response": told} for type_, told in by_type.items()]
