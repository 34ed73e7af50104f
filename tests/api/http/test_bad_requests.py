"""Requests that ask for what there is not: unknown paths, methods and names, strange queries, strange bytes."""

import contextlib
import http.client

import pytest

from tests.api.conftest import Door, Shop

pytestmark = pytest.mark.usefixtures("cell", "unchanged")

QUERIES = {
    "limit=0": "limit",
    "limit=-1": "limit",
    "limit=5001": "limit",
    "limit=1e3": "limit",
    "limit=": "limit",
    "limit=" + "9" * 50: "limit",
    "limit=%EF%BC%91": "limit",
    "cursor=": "cursor",
    "cursor=x": "cursor",
    "cursor=-1": "cursor",
    "cursor=1e3": "cursor",
    "cursor=%00": "cursor",
    "cursor=" + "9" * 50: "cursor",
    "sku=": "sku",
    "sku=NOWHERE": "sku",
    "sku=%ff": "sku",
    "warehouse=NOWHERE": "warehouse",
    "LIMIT=1": "LIMIT",
    "colour=red": "colour",
    "limit=1&limit=2": "limit",
    "sku=QRY-A&sku=QRY-A": "sku",
}

WRONG_METHODS = [
    ("GET", "/v1/orders", "POST"),
    ("DELETE", "/v1/orders/x", "GET, HEAD"),
    ("GET", "/v1/quotes", "POST"),
    ("POST", "/v1/stock", "GET, HEAD, PUT"),
    ("PATCH", "/v1/warehouses/x", "PUT"),
    ("DELETE", "/v1/warehouses", "GET, HEAD"),
    ("OPTIONS", "/v1/skus/x", "GET, HEAD, PUT"),
    ("DELETE", "/v1/tariff", "GET, HEAD, PUT"),
    ("POST", "/livez", "GET, HEAD"),
]

NOWHERE = [
    "/",
    "/v1",
    "/v1/nowhere",
    "/v1/orders/",
    "/v1/warehouses/",
    "/v2/orders",
    "/v1/../etc/passwd",
    "/%ff",
    "/v1/orders/none",
    "/v1/orders/%00",
    "/v1/orders/%ff",
    "/v1/orders/" + "x" * 5_000,
    "/v1/skus/none",
]

POST = b"POST /v1/orders HTTP/1.1\r\nHost: x\r\n"
MALFORMED = {
    "no request at all": b"hello\r\n\r\n",
    "a method that HTTP does not have": b"BREW /version HTTP/1.1\r\nHost: x\r\n\r\n",
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a negative length": POST + b"Content-Length: -1\r\n\r\n{}",
    "an endless length": POST + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n{}",
    "length and chunks": POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
    "a broken chunk": POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    "a null byte in the path": b"GET /v1/orders/a\0b HTTP/1.1\r\nHost: x\r\n\r\n",
    "a path without end": b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "a header without end": b"GET /livez HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
}


@pytest.fixture(scope="module")
def cell(door: Door) -> Shop:
    """One cell to ask for."""
    shop = Shop(door, "QRY")
    shop.warehouse()
    shop.sku(on_hand={"QRY-W": 1})
    return shop


@pytest.mark.parametrize("query", QUERIES)
def test_a_strange_query_of_stock_is_refused(door: Door, query: str) -> None:
    """A parameter that is silently ignored or cut shows another page than the one that was asked for."""
    answer = door.call("GET", f"/v1/stock?{query}")
    answer.problem(422, "invalid-request")
    assert [pointer.removeprefix("/") for pointer in answer.pointers()] == [QUERIES[query]]


@pytest.mark.parametrize("target", ["GET /v1/orders/none", "POST /v1/orders", "PUT /v1/stock", "GET /v1/warehouses"])
def test_a_query_of_what_takes_none_is_refused(door: Door, target: str) -> None:
    """Whoever sends one thinks that it counts."""
    method, path = target.split()
    problem = door.call(method, f"{path}?version=3").problem(422, "invalid-request")
    assert problem["errors"] == [{"pointer": "/version", "message": "is not known: this takes nothing in the query"}]


@pytest.mark.parametrize(("method", "path", "allowed"), WRONG_METHODS)
def test_a_wrong_method_is_told_the_right_ones(door: Door, method: str, path: str, allowed: str) -> None:
    """RFC 9110, 15.5.6: a 405 names the methods in Allow."""
    answer = door.call(method, path)
    answer.problem(405, "method-not-allowed")
    assert answer.headers["Allow"] == allowed


@pytest.mark.parametrize("path", NOWHERE)
def test_what_is_not_there_is_not_found(door: Door, path: str) -> None:
    """A typing error in a path is a clear 404, in the form of every other problem."""
    door.call("GET", path).problem(404, "not-found")


@pytest.mark.parametrize("case", MALFORMED)
def test_bytes_that_are_not_http_are_refused_and_hurt_nobody(door: Door, case: str) -> None:
    """Scanners and broken proxies send anything; the next client must not notice."""
    with contextlib.closing(http.client.HTTPConnection(door.address, timeout=5)) as connection:
        connection.connect()
        connection.sock.sendall(MALFORMED[case])
        answer = http.client.HTTPResponse(connection.sock)
        answer.begin()
        assert answer.status == 400
        answer.close()
    assert door.call("GET", "/livez").status == 200


def test_a_problem_names_the_request_as_its_caller_does(door: Door) -> None:
    """One id joins the caller's log and ours."""
    answer = door.call("GET", "/v1/nowhere", headers={"X-Request-Id": "shop-7/order 12"})
    assert answer.problem(404, "not-found")["request_id"] == "shop-7/order 12"


@pytest.mark.parametrize("given", ["", "x" * 65, "t\tab", "ö"])
def test_a_request_id_that_could_harm_a_log_is_replaced(door: Door, given: str) -> None:
    """What a stranger sends goes into our log and back out: only short printable text does."""
    answer = door.call("GET", "/v1/nowhere", headers={"X-Request-Id": given})
    assert answer.problem(404, "not-found")["request_id"] not in ("", given)
    again = door.call("GET", "/v1/nowhere", headers={"X-Request-Id": given})
    assert again.json["request_id"] != answer.json["request_id"]
