"""Signed requests over sockets: each part that is signed is bound, and none is good for long."""

import contextlib
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
import redis

from engine import Settings
from engine.access import SIGNED_WINDOW_S, NewKey
from tests.api.conftest import Answer, Door
from tests.api.guarded import Operator, bearer, seconds_until, signed
from tests.conftest import Service

WAREHOUSE = b'{"lat": 30.0, "lon": 120.0}'
MARGIN_S = 20


class Signing(NamedTuple):
    """Two services on one store, and keys whose requests must be signed."""

    one: Door
    two: Door
    key: NewKey
    other: NewKey
    operator: Operator


@pytest.fixture(scope="module")
def signing(tmp_path_factory: pytest.TempPathFactory, store_url: str) -> Iterator[Signing]:
    """As an operator sets it up: one file of random bytes for services and commands."""
    with redis.Redis.from_url(store_url) as client:
        client.flushall()
    folder: Path = tmp_path_factory.mktemp("signing")
    root = folder / "root"
    root.write_bytes(bytes(range(32)))
    operator = Operator(Settings(redis_url=store_url, signing_key_file=root))
    keys = [operator.create("orders", "stock", "admin", "read", name=name, signed=True) for name in ("one", "other")]
    services = [
        Service(folder / name, REDIS_URL=store_url, STOCKADE_SIGNING_KEY_FILE=str(root)) for name in ("one", "two")
    ]
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        for service in services:
            stack.callback(service.stop)
        one, two = (Door(url) for url in pool.map(Service.start, services))
        yield Signing(one, two, *keys, operator)


def refused(answer: Answer, *words: str) -> None:
    """It must be unauthorized, and say why."""
    detail = answer.problem(401, "unauthorized")["detail"]
    assert all(word in detail for word in words), detail


def put(door: Door, headers: Mapping[str, str], *, path: str = "/v1/warehouses/W", body: bytes = WAREHOUSE) -> Answer:
    return door.call("PUT", path, body, headers)


def test_a_signed_request_is_served(signing: Signing) -> None:
    """With a body and without, with a query, and with a time in whole seconds."""
    assert put(signing.one, signed(signing.key, "PUT", "/v1/warehouses/W", WAREHOUSE)).status in (200, 201)
    for target in ("/v1/warehouses", "/v1/stock?limit=5", "/v1/stock?warehouse=%57"):
        headers = signed(signing.key, "GET", target, at_s=str(int(time.time())))
        assert signing.one.call("GET", target, headers=headers).status == 200


def test_without_a_signature_the_key_alone_is_not_enough(signing: Signing) -> None:
    """That is what one is for: a key that leaked in a log lets nobody in."""
    refused(put(signing.one, bearer(signing.key)), "must be signed")


@pytest.mark.parametrize("written", ["{t}, {v}", "{v},{t}", " {v} , {t} ", "{t},{V}"])
def test_a_signature_may_be_written_otherwise(signing: Signing, written: str) -> None:
    """Its parts in any order, with blanks, its digits in capitals: and it is the same signature, good once."""
    headers = signed(signing.key, "PUT", "/v1/warehouses/W", WAREHOUSE)
    t, v = headers["Stockade-Signature"].split(",")
    otherwise = headers | {"Stockade-Signature": written.format(t=t, v=v, V=f"v1={v[3:].upper()}")}
    assert put(signing.one, otherwise).status in (200, 201)
    refused(put(signing.two, headers), "used before")


def _tampered(key: NewKey, other: NewKey) -> dict[str, tuple[str, str, bytes, dict[str, str]]]:
    """Requests of which one thing was changed after they were signed: method, path, body and headers as sent."""
    path, body = "/v1/warehouses/W", WAREHOUSE
    good = signed(key, "PUT", path, body)
    stamp, made = good["Stockade-Signature"].split(",")
    later = f"t={float(stamp[2:]) + 1:.6f},{made}"
    query = signed(key, "GET", "/v1/stock?limit=5")
    return {
        "time": ("PUT", path, body, {**good, "Stockade-Signature": later}),
        "time, written otherwise": ("PUT", path, body, {**good, "Stockade-Signature": f"{stamp}0,{made}"}),
        "method": ("GET", "/v1/warehouses", b"", signed(key, "PUT", "/v1/warehouses")),
        "head for get": ("HEAD", "/v1/warehouses", b"", signed(key, "GET", "/v1/warehouses")),
        "path": ("PUT", "/v1/warehouses/V", body, good),
        "path, written otherwise": ("PUT", "/v1/warehouses/%57", body, good),
        "query": ("GET", "/v1/stock?limit=6", b"", query),
        "query left out": ("GET", "/v1/stock", b"", query),
        "body": ("PUT", path, body.replace(b"30.0", b"31.0"), good),
        "blank in the body": ("PUT", path, body + b" ", good),
        "body left out": ("PUT", path, b"", good),
        "key": ("PUT", path, body, {**good, **bearer(other)}),
        "signature": ("PUT", path, body, {**good, "Stockade-Signature": f"{stamp},{made[:-1]}x"}),
        "digit": ("PUT", path, body, {**good, "Stockade-Signature": f"{stamp},v1={int(made[3:], 16) ^ 1:064x}"}),
        "short": ("PUT", path, body, {**good, "Stockade-Signature": f"{stamp},{made[:-1]}"}),
        "two": ("PUT", path, body, {**good, "Stockade-Signature": f"{stamp},{made},{made}"}),
        "version": ("PUT", path, body, {**good, "Stockade-Signature": f"{stamp},{made}".replace("v1", "v0")}),
        "digits of others": ("PUT", path, body, {**good, "Stockade-Signature": f"t=\u0661,{made}"}),
    }


TAMPERED = list(_tampered(*[NewKey(key=None, text="", signing_secret="s")] * 2))  # type: ignore[arg-type]


@pytest.mark.parametrize("what", TAMPERED)
def test_whatever_was_changed_after_signing_is_noticed(signing: Signing, what: str) -> None:
    """Time, method, path, query and body, each alone; and the signature itself."""
    method, path, body, headers = _tampered(signing.key, signing.other)[what]
    encoded = {name: value.encode().decode("latin-1") for name, value in headers.items()}
    answer = signing.one.call(method, path, body or None, encoded)
    if method == "HEAD":
        assert answer.status == 401
    else:
        refused(answer, "ign")


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_signature_is_good_for_its_window_only(signing: Signing, sign: int) -> None:
    """Of five minutes either way: clocks differ, but what was caught is no good tomorrow."""
    for off_s, status in ((SIGNED_WINDOW_S - MARGIN_S, 200), (SIGNED_WINDOW_S + MARGIN_S, 401)):
        headers = signed(signing.key, "GET", "/v1/warehouses", at_s=time.time() + sign * off_s)
        assert signing.one.call("GET", "/v1/warehouses", headers=headers).status == status
    refused(signing.one.call("GET", "/v1/warehouses", headers=headers), "300 s", "ahead of" if sign > 0 else "behind")


def test_a_change_that_could_undo_another_is_done_once_in_all_processes(signing: Signing) -> None:
    """A count of this morning, sent again by somebody who caught it, would bring back stock that was sold."""
    body = b'{"lat": 30.0, "lon": 120.5}'
    headers = signed(signing.key, "PUT", "/v1/warehouses/R", body)
    assert put(signing.one, headers, path="/v1/warehouses/R", body=body).status in (200, 201)
    for door in (signing.one, signing.two):
        refused(put(door, headers, path="/v1/warehouses/R", body=body), "used before")
    anew = signed(signing.key, "PUT", "/v1/warehouses/R", body)
    assert put(signing.two, anew, path="/v1/warehouses/R", body=body).status == 200


def test_an_order_sent_again_with_its_signature_is_a_replay_without_effect(signing: Signing) -> None:
    """Whoever lost the answer sends the very same bytes: the order is there once, as without signatures."""
    admin = signing.key
    for path, body in (
        ("/v1/warehouses/O", WAREHOUSE),
        ("/v1/skus/O", b"{}"),
        ("/v1/stock", b'[{"sku": "O", "warehouse": "O", "on_hand": 5}]'),
    ):
        assert put(signing.one, signed(admin, "PUT", path, body), path=path, body=body).status in (200, 201)
    order = msgspec.json.encode(
        {"order_id": "O", "ship_to": {"lat": 30, "lon": 120}, "lines": [{"sku": "O", "quantity": 2}]}
    )
    headers = signed(admin, "POST", "/v1/orders", order)
    first = signing.one.call("POST", "/v1/orders", order, headers)
    again = signing.one.call("POST", "/v1/orders", order, headers)
    assert (first.status, again.status, again.headers["Idempotent-Replayed"]) == (201, 200, "true")
    headers = signed(admin, "GET", "/v1/stock?sku=O")
    cells = signing.one.call("GET", "/v1/stock?sku=O", headers=headers).json["cells"]
    assert [cell["available"] for cell in cells] == [3]


@pytest.mark.parametrize("name", ["an order", "a shipment", "a movement"])
def test_a_caught_signature_makes_nothing_new_under_a_key_of_ones_own(signing: Signing, name: str) -> None:
    """The header that could be the id is not signed: so a signed body has its id in itself, or is refused."""
    lines = [{"sku": "none", "quantity": 1}]
    path, body = {
        "an order": ("/v1/orders", {"ship_to": {"lat": 30, "lon": 120}, "lines": lines}),
        "a shipment": ("/v1/orders/none/ship", {"lines": lines}),
        "a movement": ("/v1/stock/movements", {"type": "receive", "rows": [{**lines[0], "warehouse": "none"}]}),
    }[name]
    data = msgspec.json.encode(body)
    for key in ("first", "second"):
        headers = {**signed(signing.key, "POST", path, data), "Idempotency-Key": key}
        problem = signing.one.call("POST", path, data, headers)
        problem.problem(422, "invalid-order" if name == "an order" else "invalid-request")
        assert problem.json["errors"][0]["pointer"].endswith("_id")


def test_each_secret_signs_with_its_own(signing: Signing) -> None:
    """A rotation changes both; the signing secret of one is no good with the other."""
    old = signing.operator.create("read", signed=True)
    new = signing.operator.rotate(old, overlap_s=3_600)
    assert old.signing_secret != new.signing_secret
    target = "/v1/warehouses"

    def status(headers: Mapping[str, str]) -> int:
        return signing.one.call("GET", target, headers=headers).status

    seconds_until(lambda: status(signed(new, "GET", target)) == 200)
    assert status(signed(old, "GET", target)) == 200
    mixed: Any = {**signed(old, "GET", target), **bearer(new)}
    assert status(mixed) == 401


def test_a_service_without_the_root_serves_no_signed_key(tmp_path: Path, signing: Signing, store_url: str) -> None:
    """Skipping what it cannot check would make the weakest service the strength of all."""
    service = Service(tmp_path / "rootless", REDIS_URL=store_url)
    try:
        door = Door(service.start())
        headers = signed(signing.key, "GET", "/v1/warehouses")
        refused(door.call("GET", "/v1/warehouses", headers=headers), "STOCKADE_SIGNING_KEY_FILE")
    finally:
        service.stop()
