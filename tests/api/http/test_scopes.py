"""Every route with every kind of key, over sockets: a route that is added to the table is tried here by itself."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pytest

from api.http.routes import ROUTES, Route, Scope
from engine.access import SCOPES, NewKey
from tests.api.conftest import Answer, Door
from tests.api.guarded import Keyed, Operator, bearer, operator_of, seconds_until
from tests.conftest import Service


class Guarded(NamedTuple):
    """A service that takes keys, and one of each scope."""

    door: Door
    keys: Mapping[str, NewKey]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A service of these tests' own: they delete definitions, too."""
    service = Service(tmp_path_factory.mktemp("guarded") / "store")
    operator: Operator = operator_of(service.data_dir)
    service.start()
    try:
        keys = {scope: operator.create(scope) for scope in SCOPES}
        door = Door(service.url)
        seconds_until(lambda: door.call("GET", "/v1/tariff").status == 401)
        seconds_until(
            lambda: all(Keyed(service.url, key).call("GET", "/v1/tariff").status != 401 for key in keys.values())
        )
        yield Guarded(door, keys)
    finally:
        service.stop()


def call(door: Door, route: Route, headers: Mapping[str, str], method: str | None = None) -> Answer:
    """A request of a route, with nothing in it that could be served."""
    return door.call(method or route.method, re.sub(r"\{\w+\}", "none", route.path), None, headers)


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}"


@pytest.mark.parametrize("route", ROUTES, ids=name_of)
def test_a_route_serves_its_scope_and_no_other(guarded: Guarded, route: Route) -> None:
    """A storefront's key that could set stock, or a reader's that could cancel orders, would be no key at all."""
    for scope, key in guarded.keys.items():
        answer = call(guarded.door, route, bearer(key))
        if route.scope in (scope, Scope.PUBLIC):
            assert answer.status not in (401, 403), answer.body
        else:
            found = answer.problem(403, "forbidden")
            assert f"scope {route.scope}" in found["detail"]
            assert f'scope="{route.scope}"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("route", ROUTES, ids=name_of)
def test_a_route_needs_a_key_unless_it_is_public(guarded: Guarded, route: Route) -> None:
    """Of those who have none, or one that is not of this store, nothing is known: they are asked who they are."""
    good = guarded.keys["read"].text
    wrong = [
        *(
            "Basic c3RvY2thZGU6c3RvY2thZGU=",
            "Bearer",
            "Bearer ",
            good,
            "Bearer stk_",
            f"Bearer {good}0",
            f"Bearer {good[:-1]}",
        ),
        f"Bearer {good[:-1]}{'0' if good[-1] != '0' else '1'}",
        f"Bearer {good[:4]}{'0' * 12}{good[16:]}",
        "Bearer " + "x" * 5_000,
        "Bearer stk_" + "\xe9" * 77,
    ]
    for headers in ({}, *({"Authorization": value} for value in wrong)):
        answer = call(guarded.door, route, headers)
        if route.scope is Scope.PUBLIC:
            assert answer.status not in (401, 403)
        else:
            answer.problem(401, "unauthorized")
            assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
            assert good not in answer.body.decode()


@pytest.mark.parametrize("route", [route for route in ROUTES if route.method == "GET" and route.head], ids=name_of)
def test_head_tells_no_more_than_get(guarded: Guarded, route: Route) -> None:
    """The length of what one may not see is told to nobody."""
    assert (call(guarded.door, route, {}, "HEAD").status == 401) is (route.scope is not Scope.PUBLIC)


def test_a_scheme_is_written_as_one_likes(guarded: Guarded) -> None:
    """RFC 9110, 11.1: names of schemes have no case."""
    text = guarded.keys["read"].text
    assert guarded.door.call("GET", "/v1/warehouses", headers={"authorization": f"bEARER {text}"}).status == 200


def test_scopes_of_routes_are_those_that_keys_can_have() -> None:
    """Else a route could never be called."""
    assert {scope.value for scope in Scope} == {*SCOPES, "public"}
    assert {route.scope for route in ROUTES} <= set(Scope)


def test_what_is_public_is_only_what_probes_ask() -> None:
    """Whoever makes another route public has to come by here."""
    probed = {"/livez", "/readyz", "/version", "/metrics", "/openapi.json", "/docs"}
    public = {route.path for route in ROUTES if route.scope is Scope.PUBLIC}
    assert {path for path in public if not path.startswith("/docs/")} <= probed
