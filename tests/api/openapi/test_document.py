"""The document is valid, whole and true to itself; that services keep to it is shown wherever they are called."""

import gzip
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import jsonschema_rs
import openapi_spec_validator
import pytest

from api.http.problems import ProblemType
from api.http.routes import ROUTES
from tests.api.conftest import Door, run
from tests.api.contract import Json, check_answer, contract, operations, validate

VIEWER = Path(__file__).parents[3] / "api" / "openapi" / "viewer"


def responses() -> Iterator[tuple[str, Json]]:
    """Every response, with where it stands."""
    for (method, path), operation in operations().items():
        for status, response in operation["responses"].items():
            yield f"{method} {path} {status}", response
    yield from contract()["components"]["responses"].items()


def contents() -> Iterator[tuple[str, Json]]:
    """Every body of a request or response, with where it stands."""
    for (method, path), operation in operations().items():
        for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
            yield f"{method} {path} {media_type}", content
    for where, response in responses():
        for media_type, content in response.get("content", {}).items():
            yield f"{where} {media_type}", content


def test_the_document_is_valid() -> None:
    """By the validator that the specification's community keeps."""
    openapi_spec_validator.validate(contract())


def test_the_document_is_what_a_service_serves(door: Door) -> None:
    """And what the command prints, for whoever makes clients without a service."""
    served = door.call("GET", "/openapi.json").json
    assert served == contract()
    assert run("openapi").json == served


def test_every_route_is_told(door: Door) -> None:
    """One that callers can reach and nobody tells of is no contract."""
    told = {(route.method, route.path) for route in ROUTES if route.contract is not None}
    assert told == set(operations())
    assert [route.path for route in ROUTES if route.contract is None] == ["/docs/{file}"]
    names = [operation["operationId"] for operation in operations().values()]
    assert len(set(names)) == len(names)
    assert door.call("GET", "/docs/nothing").status == 404


def test_every_problem_is_told_with_an_example() -> None:
    """A client's table of types is made from here."""
    named = {name for _, content in contents() for name in content["examples"]}
    assert named >= set(get_args(ProblemType))


def test_every_body_has_examples_that_fit_it() -> None:
    """What a reader copies must work."""
    for where, content in contents():
        assert content["examples"], where
        for name, example in content["examples"].items():
            try:
                validate(content["schema"], example["value"])
            except jsonschema_rs.ValidationError as error:
                raise AssertionError(f"{where}, example {name}: {error}") from None


def test_every_parameter_and_header_has_an_example_that_fits_it() -> None:
    """The same of what is no body."""
    parameters = [parameter for operation in operations().values() for parameter in operation["parameters"]]
    for one in [*parameters, *contract()["components"]["headers"].values()]:
        assert one["description"]
        validate(one["schema"], one["example"])


def test_every_answer_names_its_request() -> None:
    """By it a line of the log is found."""
    for where, response in responses():
        assert "X-Request-Id" in response["headers"], where
        if response.get("content", {}).keys() & {"application/problem+json"} and " 503" in where:
            assert "Retry-After" in response["headers"], where


def test_fields_have_the_words_that_stand_beside_them() -> None:
    """Units and rules are written once, in the types."""
    schemas: dict[str, Any] = contract()["components"]["schemas"]
    assert "Minor units" in schemas["Line"]["properties"]["unit_price"]["description"]
    assert "warehouse where the customer collects" in schemas["Order"]["properties"]["pickup_at"]["description"]
    assert schemas["OrderBody"]["required"] == ["ship_to", "lines"]
    assert schemas["Order"]["additionalProperties"] is False


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (418, b"{}"),
        (200, b'{"status": 7}'),
        (200, b"{}"),
        (500, b'{"type": "not-found"}'),
    ],
)
def test_an_answer_that_the_document_does_not_tell_is_found(status: int, body: bytes) -> None:
    """Else the tests that call services would prove nothing of it."""
    headers = {"X-Request-Id": "r", "Content-Type": "application/json" if status == 200 else "application/problem+json"}
    with pytest.raises((AssertionError, jsonschema_rs.ValidationError)):
        check_answer("GET", "/livez", status, headers, body)
    check_answer("GET", "/livez", 200, headers | {"Content-Type": "application/json"}, b'{"status": "alive"}')


def test_the_page_needs_no_other_host(door: Door) -> None:
    """A payments network has no way to one. Everything that it loads is served, and its policy forbids the rest."""
    page = door.call("GET", "/docs")
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    text = page.body.decode()
    assert "//" not in re.sub(r"<!.*?>", "", text)
    loaded = re.findall(r'(?:src|href)="(docs/[^"]+)"', text)
    assert len(loaded) == 3
    for path in loaded:
        plain = door.call("GET", f"/{path}")
        packed = door.call("GET", f"/{path}", headers={"Accept-Encoding": "gzip"})
        assert plain.status == packed.status == 200
        encoded = packed.headers["Content-Encoding"] == "gzip"
        assert (gzip.decompress(packed.body) if encoded else packed.body) == plain.body
        assert plain.headers["Content-Type"].startswith(("text/css", "text/javascript"))


def test_the_viewer_is_the_one_that_its_makers_publish() -> None:
    """Its sums are written beside it, so that a change of it is seen."""
    sums = dict(re.findall(r"^ +([0-9a-f]{64})  (\S+)$", (VIEWER / "README.md").read_text("utf-8"), re.MULTILINE))
    assert set(sums.values()) == {file.name.removesuffix(".gz") for file in VIEWER.glob("*.gz")}
    for sum_, name in sums.items():
        assert hashlib.sha256(gzip.decompress((VIEWER / f"{name}.gz").read_bytes())).hexdigest() == sum_
