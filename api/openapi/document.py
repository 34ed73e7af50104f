"""Makes the OpenAPI 3.1 document of a table of routes. Does no I/O."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from api.http.contract import LINES_TYPE, Body, Contract, Parameter, Reply
from api.http.problems import TITLES, ProblemType
from api.http.routes import Route, Scope
from api.openapi.contracts import values
from api.openapi.fixed import HEADERS, KEY_PARAMETER, REQUEST_ID_PARAMETER, SCHEME, SCHEME_NAME, TIMEOUT_PARAMETER
from api.openapi.problem_examples import PROBLEMS
from api.openapi.schemas import Schemas
from engine import __version__
from engine.model.order import Identifier

OPENAPI = "3.1.0"
PROBLEM_TYPE = "application/problem+json"
ALWAYS: tuple[ProblemType, ...] = (
    *("broken-http", "too-slow", "unsupported-encoding", "unknown-expectation", "internal-error"),
    *("overloaded", "shutting-down"),
)
"""What any request may meet, also before it is known what it asks: the last two, for want of a connection."""
GUARDED: tuple[ProblemType, ...] = ("unauthorized", "forbidden", "invalid-request", "rate-limited")
"""What those meet that take a key: the third for a query that is not known."""
OF_BODIES: tuple[ProblemType, ...] = ("broken-json", "too-large")
"""What bodies meet that are read whole."""
OF_KEYS: tuple[ProblemType, ...] = ("invalid-idempotency-key", "idempotency-key-reused")
OF_TIMEOUTS: tuple[ProblemType, ...] = ("invalid-timeout", "deadline-exceeded")
UNROUTED: tuple[ProblemType, ...] = ("not-found", "method-not-allowed")
"""What requests meet that no route takes."""

INTRODUCTION = """Takes peak-sale orders, locks their stock, ships each from the warehouses that cost least, and never
sells a unit twice.

**Retries.** Every change may be sent again: an order by its `order_id`, a change of one by its `transition_id`, a
movement of stock by its `movement_id`, any of them by an `Idempotency-Key`. It has one effect, and the answer says
`Idempotent-Replayed: true`. After a 503, or no answer at all, send the same again.

**Errors** are `application/problem+json` (RFC 9457) with a stable `type`; `errors` point at fields, `retryable` says
whether the same request may succeed later. What no route takes is 404 `not-found` or 405 `method-not-allowed`; what
cannot be read is 400 `broken-http`, an `Expect` that is not known 417 `unknown-expectation`; on a connection too many
all but `/livez`, `/readyz` and `/metrics` is 503 `overloaded`. Of two members of one name in a body, the last counts.

**Keys.** A service with API keys takes one with every request but for those without a lock: `Authorization: Bearer
stk_...`. Its scope must be that of the operation. A key of one channel sees and makes orders of that channel only.

**Limits.** A key may be limited to so many requests a second: beyond is 429 `rate-limited`. A service that is given
more orders than it can do turns some away at once, 503 `overloaded`, those of the keys first that send most. Each tells
in `Retry-After` when another try makes sense.

**Money** is integer minor units, **units** are integers, times are RFC 3339.
"""

_PATH_WORDS = {
    "order_id": (Parameter("order_id", Identifier, "The order's id.", values.ORDER_ID)),
    "id": (Parameter("id", Identifier, "The warehouse's id.", "HGH-9")),
    "run_id": (Parameter("run_id", Identifier, "The re-allocation's id.", values.RUN_ID)),
    "sku": (Parameter("sku", Identifier, "The SKU.", "LAMP")),
}

_Json = dict[str, Any]


def document(routes: Sequence[Route]) -> _Json:
    """The document, as JSON values."""
    contracts = [route.contract for route in routes if route.contract is not None]
    schemas = Schemas(_types(contracts))
    examples: _Json = {
        problem.type: msgspec.json.decode(problem.answer(values.REQUEST_ID).body) for problem in PROBLEMS
    }
    paths: dict[str, _Json] = {}
    for route in routes:
        if route.contract is not None:
            operation = _operation(route, route.contract, schemas, examples)
            paths.setdefault(route.path, {})[route.method.lower()] = operation
    responses = {type_: _problems((type_,), schemas, examples) for type_ in UNROUTED}
    whole = {
        "openapi": OPENAPI,
        "info": {
            "title": "Stockade",
            "version": __version__,
            "description": INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "headers": HEADERS,
            "responses": responses,
            "securitySchemes": {SCHEME_NAME: SCHEME},
        },
    }
    # Plain lists and texts, as a reader of the JSON has them.
    plain: _Json = msgspec.json.decode(msgspec.json.encode(whole))
    return plain


def _types(contracts: Iterable[Contract]) -> list[Any]:
    types: list[Any] = [parameter.type for parameter in _PATH_WORDS.values()]
    for contract in contracts:
        types += [parameter.type for parameter in contract.query]
        types += [reply.type for reply in contract.replies if reply.type is not None]
        types += [type(line) for reply in contract.replies for line in reply.refused_lines.values()]
        types += [] if contract.body is None else [contract.body.type]
    return types


def _operation(route: Route, contract: Contract, schemas: Schemas, examples: _Json) -> _Json:
    parameters = [_parameter(_PATH_WORDS[name], "path", schemas) for name in re.findall(r"{(\w+)}", route.path)]
    parameters += [_parameter(parameter, "query", schemas) for parameter in contract.query]
    parameters += [KEY_PARAMETER] if contract.takes_key else []
    parameters += [TIMEOUT_PARAMETER] if contract.takes_timeout else []
    parameters.append(REQUEST_ID_PARAMETER)
    operation: _Json = {
        "operationId": route.handler.__name__,
        "tags": [route.scope.value],
        "summary": contract.summary,
    }
    if contract.detail:
        operation["description"] = contract.detail
    operation["parameters"] = parameters
    if contract.body is not None:
        operation["requestBody"] = _body(contract.body, schemas)
    operation["responses"] = _responses(route, contract, schemas, examples)
    operation["security"] = [] if route.scope is Scope.PUBLIC else [{SCHEME_NAME: [route.scope.value]}]
    return operation


def _parameter(parameter: Parameter, place: str, schemas: Schemas) -> _Json:
    return {
        "name": parameter.name,
        "in": place,
        "required": place == "path",
        "description": parameter.description,
        "schema": schemas.of(parameter.type),
        "example": parameter.example,
    }


def _body(body: Body, schemas: Schemas) -> _Json:
    words = "Lines, each as is said here: an order of " if body.media_type == LINES_TYPE else ""
    return {
        "required": body.required,
        "description": f"{words}{body.bytes_max:,} bytes at the most.",
        "content": {body.media_type: _content(schemas.of(body.type, body.optional), body.examples)},
    }


def _content(schema: _Json, examples: dict[str, Any]) -> _Json:
    told = {name: {"value": msgspec.to_builtins(value)} for name, value in examples.items()}
    return {"schema": schema, "examples": told}


def _responses(route: Route, contract: Contract, schemas: Schemas, examples: _Json) -> _Json:
    responses: _Json = {}
    for reply in contract.replies:
        response = responses.setdefault(
            str(reply.status), {"description": reply.description, "headers": _headers(*reply.headers)}
        )
        if reply.links:
            response["links"] = {name: _link(name) for name in reply.links}
        if reply.type is not None:
            response.setdefault("content", {})[reply.media_type] = _reply_content(reply, schemas, examples)
    problems = (
        *(() if route.scope is Scope.PUBLIC else GUARDED),
        *(OF_BODIES if contract.body is not None and route.whole_body else ()),
        *(OF_KEYS if contract.takes_key else ()),
        *(OF_TIMEOUTS if contract.takes_timeout else ()),
        *contract.problems,
        *ALWAYS,
    )
    by_status: dict[int, list[ProblemType]] = {}
    for type_ in dict.fromkeys(problems):
        by_status.setdefault(TITLES[type_][0], []).append(type_)
    for status, types in by_status.items():
        told = _problems(types, schemas, examples)
        if str(status) in responses:
            responses[str(status)]["content"].update(told["content"])
        else:
            responses[str(status)] = told
    return dict(sorted(responses.items()))


def _link(operation: str) -> _Json:
    return {"operationId": operation, "parameters": {"order_id": "$response.body#/order_id"}}


def _reply_content(reply: Reply, schemas: Schemas, examples: _Json) -> _Json:
    schema, told = schemas.of(reply.type), reply.examples
    if reply.refused_lines:
        refused = [
            {"allOf": [schemas.of(type(line)), schemas.of_problem(type_)]}
            for type_, line in reply.refused_lines.items()
        ]
        schema = {"oneOf": [schema, *refused]}
        lines = {type_: msgspec.to_builtins(line) for type_, line in reply.refused_lines.items()}
        told = told | {type_: lines[type_] | examples[type_] for type_ in lines}
    return _content(schema, told)


def _problems(types: Sequence[ProblemType], schemas: Schemas, examples: _Json) -> _Json:
    """The response of a status with these problems."""
    status = TITLES[types[0]][0]
    refs = [schemas.of_problem(type_) for type_ in types]
    schema = refs[0] if len(refs) == 1 else {"oneOf": refs}
    more = {429: ("Retry-After",), 503: ("Retry-After",), 405: ("Allow",), 401: ("WWW-Authenticate",)}.get(status, ())
    return {
        "description": "; ".join(f"`{type_}`: {TITLES[type_][1]}" for type_ in types) + ".",
        "headers": _headers(*more),
        "content": {PROBLEM_TYPE: _content(schema, {type_: examples[type_] for type_ in types})},
    }


def _headers(*names: str) -> _Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-Id", *names)}
