"""Re-allocations over HTTP: planned once for an id, looked at in pages, applied, given up, taken back."""

import msgspec

from engine.audit import AuditReport
from tests.api.conftest import run
from tests.api.reallocation.conftest import Flood


def test_a_run_is_planned_looked_at_applied_and_taken_back(flood: Flood) -> None:
    """Nothing moves before it is applied; what nothing can serve stays, and is told."""
    run_id = flood.id("run")
    begun = flood.begin(id=run_id, warehouse_down=flood.near, reason="flood")
    assert (begun.status, begun.headers["Location"]) == (202, f"/v1/reallocations/{run_id}")
    plan = flood.run(run_id, "planned")["plan"]
    assert (plan["orders_chosen"], plan["orders_moved"], plan["moves"]) == (10, 8, 8)
    assert plan["cost_after"] > plan["cost_before"]
    assert sum(one["orders"] for one in plan["unserved"]) == 2
    assert {one["warehouse"]: one["units_in"] for one in plan["by_warehouse"]} == {flood.far: 8, flood.near: 0}
    assert flood.places() == {flood.near}

    moves = flood.door.call("GET", f"/v1/reallocations/{run_id}/moves").json
    assert moves["cursor"] is None
    assert {(row["from_warehouse"], row["to_warehouse"], row["quantity"]) for row in moves["moves"]} == {
        (flood.near, flood.far, 1)
    }
    unserved = flood.door.call("GET", f"/v1/reallocations/{run_id}/unserved").json["orders"]
    assert {row["order_id"] for row in unserved} == set(flood.orders) - {row["order_id"] for row in moves["moves"]}

    assert flood.act(run_id, "apply").status == 202
    assert flood.run(run_id, "applied")["applied"] == 8
    assert flood.places() == {flood.near, flood.far}
    assert flood.act(run_id, "apply").status == 200
    listed = flood.door.call("GET", "/v1/reallocations").json
    assert [run["state"] for run in listed if run["id"] == run_id] == ["applied"]

    assert flood.act(run_id, "rollback").status == 202
    assert flood.run(run_id, "rolled_back")["rolled_back"] == 8
    assert flood.places() == {flood.near}
    assert flood.act(run_id, "rollback").status == 200
    audited = msgspec.json.decode(run("audit", "--json", "--data-dir", flood.data_dir).out, type=AuditReport)
    assert audited.balanced


def test_pages_lead_through_all_rows(flood: Flood) -> None:
    """Each row once."""
    run_id = flood.id("run")
    flood.begin(id=run_id, warehouse_down=flood.near)
    flood.run(run_id, "planned")
    found, cursor = [], "0"
    while cursor is not None:
        page = flood.door.call("GET", f"/v1/reallocations/{run_id}/moves?limit=3&cursor={cursor}").json
        assert len(page["moves"]) <= 3
        found += [row["order_id"] for row in page["moves"]]
        cursor = page["cursor"]
    assert len(found) == len(set(found)) == 8


def test_what_changed_since_the_plan_is_skipped_and_told(flood: Flood) -> None:
    """The rest is moved."""
    run_id = flood.id("run")
    flood.begin(id=run_id, warehouse_down=flood.near)
    flood.run(run_id, "planned")
    moved = flood.door.call("GET", f"/v1/reallocations/{run_id}/moves").json["moves"][0]["order_id"]
    assert flood.door.call("POST", f"/v1/orders/{moved}/cancel").status == 200
    flood.act(run_id, "apply")
    status = flood.run(run_id, "applied")
    assert (status["applied"], sum(one["orders"] for one in status["skipped"])) == (7, 1)
    skipped = flood.door.call("GET", f"/v1/reallocations/{run_id}/skipped").json["orders"]
    assert [row["order_id"] for row in skipped] == [moved]


def test_an_id_is_one_request(flood: Flood) -> None:
    """Sent again it is the same run, planned once; with another content it is refused."""
    run_id = flood.id("run")
    request = {"id": run_id, "warehouse_down": flood.near}
    assert flood.begin(**request).status == 202
    planned = flood.run(run_id, "planned")
    again = flood.begin(**request)
    assert (again.status, again.headers["Idempotent-Replayed"]) == (200, "true")
    assert again.json["plan"] == planned["plan"]
    flood.begin(id=run_id, warehouse_down=flood.far).problem(422, "reallocation-conflict")
    key = flood.id("key")
    named = flood.door.call("POST", "/v1/reallocations", {"warehouse_down": flood.near}, {"Idempotency-Key": key})
    assert (named.status, named.json["id"]) == (202, key)
    other = flood.door.call("POST", "/v1/reallocations", {"warehouse_down": flood.far}, {"Idempotency-Key": key})
    other.problem(422, "idempotency-key-reused")
    unnamed = flood.begin(warehouse_down=flood.near)
    assert unnamed.headers["Location"].endswith(unnamed.json["id"])


def test_a_run_that_is_given_up_moves_nothing(flood: Flood) -> None:
    """Its state forbids the rest, and says which it is."""
    run_id = flood.id("run")
    flood.begin(id=run_id, warehouse_down=flood.near)
    flood.run(run_id, "planned")
    found = flood.act(run_id, "rollback").problem(409, "reallocation-state")
    assert found["state"] == "planned"
    assert flood.act(run_id, "cancel").status == 200
    assert flood.act(run_id, "cancel").status == 200
    assert flood.act(run_id, "apply").problem(409, "reallocation-state")["state"] == "cancelled"
    assert flood.places() == {flood.near}


def test_what_is_wrong_with_a_request_is_named(flood: Flood) -> None:
    """By field and rule."""
    for request, pointer in (
        ({}, ""),
        ({"warehouse_down": "nowhere"}, "/warehouse_down"),
        ({"all_open": True, "max_moves": 0}, "/max_moves"),
        ({"all_open": True, "colour": "red"}, "/colour"),
        ({"all_open": "yes"}, "/all_open"),
        ({"all_open": True, "time_limit_s": 1e9}, "/time_limit_s"),
    ):
        answer = flood.begin(**request)
        answer.problem(422, "invalid-request")
        assert answer.pointers() == [pointer], request
    for what in ("", "/moves", "/unserved", "/skipped"):
        flood.door.call("GET", f"/v1/reallocations/none{what}").problem(404, "not-found")
    for what in ("apply", "cancel", "rollback"):
        flood.act("none", what).problem(404, "not-found")
    for query in ("limit=0", "limit=10001", "cursor=x", "colour=red", "limit=1&limit=2"):
        flood.door.call("GET", f"/v1/reallocations/none/moves?{query}").problem(422, "invalid-request")


def test_a_process_works_on_few_runs_at_once(flood: Flood) -> None:
    """More are turned away and told when to come back; each reads all orders."""
    asked = [
        ("POST", "/v1/reallocations", {"id": flood.id(f"many-{number}"), "warehouse_down": flood.near})
        for number in range(40)
    ]
    answers = flood.door.call_at_once(asked)
    assert {answer.status for answer in answers} <= {202, 503}
    assert 202 in {answer.status for answer in answers}
    for answer in answers:
        if answer.status == 503:
            answer.problem(503, "overloaded")
            assert int(answer.headers["Retry-After"]) > 0
        else:
            flood.run(answer.json["id"], "planned")
