"""Every status that the document tells of an operation is answered by a running service, or it is said why not."""

import contextlib
import json
import os
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import redis

from api.http.bulk import BULKS_MAX
from engine.access import SCOPES, KeyLimit
from engine.model import limits
from engine.store import running_at
from tests.api.conftest import Answer, Door, Shop
from tests.api.contract import Json, contract, operation_of
from tests.api.guarded import Operator, bearer, operator_of, seconds_until
from tests.api.http.test_bulk import NDJSON, Raw
from tests.conftest import Service
from tests.waiting import until

REASONED = {
    408: "only who sends too slowly is answered so; test_connections.py shows what is told of it",
    500: "only a bug answers so; test_guard.py shows what is told of one",
}
STOPPED = {"STOCKADE_STORE_TIMEOUT_MS": "300", "STOCKADE_STORE_RECOVERY_MS": "0"}

Seen = set[tuple[str, int]]


class Noting(Door):
    """A door that notes which statuses operations answered."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.seen: Seen = set()
        self.key: Mapping[str, str] = {}
        """The headers of an API key, for calls that bring none of their own."""

    def call(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """As any door."""
        answer = super().call(method, path, body, {**self.key, **(headers or {})})
        if (operation := operation_of(method, path)) is not None:
            self.seen.add((operation["operationId"], answer.status))
        return answer


@pytest.fixture
def noting(tmp_path: Path) -> Iterator[tuple[Noting, Path]]:
    """A service that soon gives up on its store, and where that is."""
    service = Service(tmp_path / "store", **STOPPED)
    yield Noting(service.start()), service.data_dir
    service.stop()


@pytest.mark.slow
def test_every_status_that_is_told_is_answered(noting: tuple[Noting, Path], door: Door) -> None:
    """And each of these answers keeps to the document: a door checks whatever it gets."""
    one, data_dir = noting
    define(one)
    ask(one)
    sell(one)
    change(one)
    move(one)
    reallocate(one)
    elsewhere = door.call("GET", "/v1/events").json["cursor"]
    one.call("GET", f"/v1/events?after={elsewhere}")
    break_rules(one)
    read_too_many(one)
    ask_for_keys(one, operator_of(data_dir))
    without_store(one, data_dir)
    told = {
        (operation["operationId"], int(status))
        for item in contract()["paths"].values()
        for operation in item.values()
        for status in operation["responses"]
        # What does without the store is 503 only beyond all connections: test_connections.py.
        if int(status) not in REASONED and (status != "503" or asks_the_store(operation))
    }
    assert told - one.seen == set()


def define(door: Door) -> None:
    """The catalogue; what is not there yet is looked for first."""
    for path in ("/v1/tariff", "/v1/distances", "/v1/costs", "/v1/skus/S-A", "/v1/orders/nobody"):
        door.call("GET", path)
    shop = Shop(door, "S")
    for _ in range(2):
        shop.warehouse("W")
        shop.sku("A", on_hand={"S-W": 100}, purchase_limit=50)
    door.put("/v1/tariff", {"zones": [{"zone": "all", "max_km": 5_000, "base": 100, "per_kg": 10}]})
    for path, value in (("/v1/distances", 7.5), ("/v1/costs", 70)):
        door.put(path, {"by": "region", "warehouses": ["S-W"], "rows": {"north": [value]}})


def ask(door: Door) -> None:
    """Whatever only reads."""
    for path in (
        *("/v1/warehouses", "/v1/skus/S-A", "/v1/tariff", "/v1/distances", "/v1/costs", "/v1/stock", "/v1/events"),
        *("/livez", "/readyz", "/metrics", "/version", "/openapi.json", "/docs"),
    ):
        assert door.call("GET", path).status == 200, path
    for path in ("/v1/distances", "/v1/costs"):
        assert door.call("DELETE", path).status == 204


def sell(door: Door) -> None:
    """Orders and quotes that are taken, taken before, and refused."""
    shop = Shop(door, "S")
    order = shop.order(("S-A", 1), order_id="S-paid")
    assert [shop.post(order).status for _ in range(2)] == [201, 200]
    assert door.call("GET", "/v1/orders/S-paid").status == 200
    assert shop.post(shop.order(("S-A", 999))).status == 409
    assert door.call("POST", "/v1/quotes", order).status == 200
    assert door.call("POST", "/v1/quotes", shop.order(("S-A", 999))).status == 409


def change(door: Door) -> None:
    """Each change of an order: of nobody's, done, and against its state."""
    shop = Shop(door, "C")
    lines = [{"sku": "S-A", "quantity": 1}]
    more: dict[str, Json] = {
        "confirm": {},
        "cancel": {},
        "extend": {"hold_seconds": 60},
        "ship": {},
        "split": {"lines": lines},
        "amend": {"lines": lines},
    }
    for name, fields in more.items():
        payment = "paid" if name == "ship" else "pending"
        order_id = shop.reserve(("S-A", 2), payment=payment)["order_id"]
        gone = shop.reserve(("S-A", 1), payment="pending")["order_id"]
        assert door.call("POST", f"/v1/orders/{gone}/cancel").status == 200
        wanted = {order_id: 200, gone: 200 if name == "cancel" else 409, "nobody": 404}
        for asked, status in wanted.items():
            body = {"transition_id": "t", **fields} | ({"into": f"{asked}/p"} if name == "split" else {})
            answer = door.call("POST", f"/v1/orders/{asked}/{name}", body)
            assert answer.status == status, (name, answer.body)
    shipped = shop.reserve(("S-A", 1))["order_id"]
    door.call("POST", f"/v1/orders/{shipped}/ship", {"transition_id": "t"})
    assert door.call("POST", f"/v1/orders/{shipped}/cancel").status == 409


def move(door: Door) -> None:
    """Counts and movements that the stock allows, and that it does not."""
    row = {"sku": "S-A", "warehouse": "S-W"}
    assert door.call("PUT", "/v1/stock", [{**row, "on_hand": 0}]).status == 409
    for quantity, status in ((1, 200), (-999, 409)):
        body = {"movement_id": f"m{quantity}", "type": "adjust", "rows": [{**row, "quantity": quantity}]}
        assert door.call("POST", "/v1/stock/movements", body).status == status


def reallocate(door: Door) -> None:
    """A run that is planned, one that is applied and taken back, and what their states forbid."""
    for run_id in ("S-run", "S-done", "flood-7"):
        request = {"id": run_id, "warehouse_down": "S-W"}
        assert door.call("POST", "/v1/reallocations", request).status == 202
        path = f"/v1/reallocations/{run_id}"
        until(20, lambda path=path: door.call("GET", path).json["state"], lambda state: state != "planning")  # type: ignore[misc]
    assert door.call("POST", "/v1/reallocations", {"id": "S-run", "warehouse_down": "S-W"}).status == 200
    assert door.call("GET", "/v1/reallocations").status == 200
    for what in ("moves", "unserved", "skipped"):
        assert door.call("GET", f"/v1/reallocations/S-run/{what}").status == 200
        assert door.call("GET", f"/v1/reallocations/nobody/{what}").status == 404
    for what in ("", "/apply", "/cancel", "/rollback"):
        assert door.call("POST" if what else "GET", f"/v1/reallocations/nobody{what}").status == 404
    for what, state in (("apply", "applied"), ("rollback", "rolled_back")):
        path = "/v1/reallocations/S-done"
        assert door.call("POST", f"{path}/{what}").status == 202
        until(20, lambda path=path: door.call("GET", path).json["state"], lambda now, state=state: now == state)  # type: ignore[misc]
        assert door.call("POST", f"{path}/{what}").status == 200
    assert door.call("POST", "/v1/reallocations/S-run/rollback").status == 409
    assert door.call("POST", "/v1/reallocations/S-done/cancel").status == 409
    assert door.call("POST", "/v1/reallocations/S-done/apply").status == 409
    assert door.call("POST", "/v1/reallocations/flood-7/cancel").status == 200


def break_rules(door: Door) -> None:
    """Of every body: no JSON, too long, and of a wrong shape; of every query: a value that is none."""
    for path, item in contract()["paths"].items():
        target = there(path)
        for method, operation in item.items():
            for headers, status in (
                ({"Content-Encoding": "br"}, 415),
                ({"Expect": "a miracle"}, 417),
                ({"X-Any": "a" * 9_000}, 400),
            ):
                assert door.call(method.upper(), target, None, headers).status == status, (method, path)
            if operation["security"]:
                assert door.call(method.upper(), f"{target}?none=1").status == 422, (method, path)
            if "413" in operation["responses"]:
                size = limits.BODY_BYTES_MAX if "4,194,304" in operation["requestBody"]["description"] else 64 * 1024
                for body, status in ((b"?", 400), (b'{"none": 1}', 422), (b" " * (size + 1), 413)):
                    assert door.call(method.upper(), target, body).status == status, (method, path, status)
            elif "422" in operation["responses"]:
                assert door.call(method.upper(), f"{target}?limit=none").status == 422


def read_too_many(door: Door) -> None:
    """As many bodies in bulk as are read at once of one caller, and one more."""
    with contextlib.ExitStack() as stack:
        # Of one caller: half of them are left to others.
        for number in range(BULKS_MAX // 2):
            raw = Raw(door)
            stack.enter_context(contextlib.closing(raw.socket))
            raw.send(b"?\n")
            assert b"broken-json" in raw.until(b"broken-json"), number
        assert door.call("POST", "/v1/orders:bulk", b"", NDJSON).status == 503
    seconds_until(lambda: door.call("POST", "/v1/orders:bulk", b"", NDJSON).status == 200)


def ask_for_keys(door: Noting, operator: Operator) -> None:
    """Of every operation that takes a key: none, one that is not for it, and one beyond its limit; then a right one."""
    every, other = operator.create(*SCOPES), {scope: operator.create(scope) for scope in ("orders", "stock")}
    seconds_until(lambda: door.call("GET", "/v1/orders/nobody").status == 401)
    for key in (*other.values(), every):
        seconds_until(lambda key=key: door.call("GET", "/v1/orders/nobody", headers=bearer(key)).status != 401)  # type: ignore[misc]
    for path, item in contract()["paths"].items():
        target = there(path)
        for method, operation in item.items():
            if operation["security"]:
                wrong = other["stock" if operation["security"] == [{"key": ["orders"]}] else "orders"]
                assert door.call(method.upper(), target).status == 401, path
                assert door.call(method.upper(), target, headers=bearer(wrong)).status == 403, path
    hasty = operator.create(*SCOPES, limit=KeyLimit(rate_per_s=0.001, burst=1))
    seconds_until(lambda: door.call("GET", "/v1/orders/nobody", headers=bearer(hasty)).status == 429)
    for path, item in contract()["paths"].items():
        for method, operation in item.items():
            if operation["security"]:
                answer = door.call(method.upper(), there(path), headers=bearer(hasty))
                assert (answer.status, int(answer.headers["Retry-After"]) > 900) == (429, True), path
    door.key = bearer(every)


def without_store(door: Door, data_dir: Path) -> None:
    """Every operation that asks the store, while that stands still: 503, by whatever example the document has."""
    url = running_at(data_dir)
    assert url is not None
    with redis.Redis.from_url(url) as client:
        pid = client.info("server")["process_id"]
    os.kill(pid, signal.SIGSTOP)
    try:
        for path, item in contract()["paths"].items():
            target = there(path)
            for method, operation in item.items():
                if asks_the_store(operation):
                    body = _body(operation)
                    answer = door.call(method.upper(), target, body)
                    assert answer.status == 503, (method, path, answer.body)
                    assert int(answer.headers["Retry-After"]) >= 0
    finally:
        os.kill(pid, signal.SIGCONT)


def asks_the_store(operation: Json) -> bool:
    """Whether it can be 503 for want of the store, or is not ready then."""
    content = operation["responses"]["503"]["content"]
    return "application/json" in content or "store-unavailable" in content["application/problem+json"]["examples"]


def there(path: str) -> str:
    """A path of something that there is."""
    return (
        path.replace("{order_id}", "S-paid").replace("{id}", "S-W").replace("{run_id}", "S-run").replace("{sku}", "S-A")
    )


def _body(operation: Json) -> bytes | None:
    """The first example, with the names of what there is."""
    if "requestBody" not in operation:
        return None
    (content,) = operation["requestBody"]["content"].values()
    value = next(iter(content["examples"].values()))["value"]
    if operation["operationId"] == "post_quote":
        # Of one that the view can serve whole the store is not asked.
        value = {**value, "allow_partial": True}
    text = json.dumps(value)
    for told, name in (("HGH-9", "S-W"), ("LAMP", "S-A"), ("WEB-20261111-0042", "S-paid")):
        text = text.replace(told, name)
    return text.encode()
