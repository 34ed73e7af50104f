"""`stockade policy`: mistakes by line, policies side by side, and what came of orders, for people and for programs."""

from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import msgspec
import pytest

from tests.api.conftest import Door, Shop, make_store, run, run_all
from tests.conftest import Service

SOON_S = 20.0

RIGHT = """version = "1"
default = "near"
[policies.near]
objective = "nearest"
[policies.far]
objective = "pinned"
warehouses = ["P-B"]
[[rules]]
name = "tried"
use = "near"
trial = { name = "t", use = "far", share_percent = 50 }
"""
WRONG = 'version = "1"\n[policies.near]\nobjective = "nearer"\nsplit = 5\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A right one."""
    file = tmp_path / "policies.toml"
    file.write_text(RIGHT, "utf-8")
    return file


def test_a_right_file_is_summed_up(file: Path) -> None:
    """Exit 0, and what it has."""
    finished = run("policy", "check", file, "--json")
    assert finished.code == 0
    assert (finished.json["version"], finished.json["policies"][:2]) == ("1", ["near", "far"])
    assert "Version 1: near, far" in run("policy", "check", "-", given=RIGHT).out


def test_mistakes_are_told_with_their_lines(file: Path) -> None:
    """Exit 1: the check found something."""
    file.write_text(WRONG, "utf-8")
    people, program = run_all([("policy", "check", file), ("policy", "check", file, "--json")])
    assert (people.code, program.code) == (1, 1)
    assert f"{file}:3: policies.near.objective: " in people.out.replace("\n", "")
    assert [one["line"] for one in program.json["mistakes"]] == [3, 4]
    assert program.json.keys() == run("policy", "check", "-", "--json", given=RIGHT).json.keys()


def test_a_warning_is_told_and_is_no_mistake(file: Path) -> None:
    """Exit 0."""
    file.write_text('version = "1"\n[policies.nearest]\nobjective = "nearest"\nmax_shipments = 2\n', "utf-8")
    people, program = run_all([("policy", "check", file), ("policy", "check", file, "--json")])
    assert (people.code, program.code) == (0, 0)
    assert f"{file}:2: warning: policies.nearest: takes the place" in people.out.replace("\n", "")
    assert [one["line"] for one in program.json["warnings"]] == [2]


def test_a_command_on_a_wrong_file_does_nothing(file: Path, tmp_path: Path) -> None:
    """Exit 2, and the same lines."""
    file.write_text(WRONG, "utf-8")
    make_store(tmp_path / "store")
    finished = run("orders", "--data-dir", tmp_path / "store", STOCKADE_POLICIES_FILE=str(file))
    assert (finished.code, finished.out) == (2, "")
    assert "policies.toml:3: " in finished.err


def test_policies_are_compared_on_the_sample_alike_each_time() -> None:
    """One seed, one answer; the cheapest costs the least, the fewest shipments are the fewest."""
    command = ("policy", "compare", "cheapest", "nearest", "fewest_shipments", "--sample", "--count", 300, "--json")
    first, again = run_all([command, command])
    assert (first.code, first.json) == (0, again.json)
    rows = {row["policy"]: row for row in first.json}
    assert list(rows) == ["cheapest", "nearest", "fewest_shipments"]
    assert len({row["served"] + row["waiting"] + row["refused"] + row["invalid"] for row in first.json}) == 1
    orders = first.json[0]["orders"]
    assert f"Of the sample's 300, {orders} are orders; {300 - orders} are sent again" in first.err
    assert rows["cheapest"]["cost_per_order"] <= min(row["cost_per_order"] for row in first.json)
    assert rows["fewest_shipments"]["shipments_per_order"] <= min(row["shipments_per_order"] for row in first.json)
    assert rows["nearest"]["mean_km"] <= rows["cheapest"]["mean_km"]
    shown = run("policy", "compare", "cheapest", "nearest", "--sample", "--count", 50)
    assert (shown.code, "nearest" in shown.out, "waiting" in shown.out) == (0, True, True)
    hurried = run("policy", "compare", "economy", "express", "--sample", "--count", 300, "--json").json
    economy, express = hurried
    assert economy["promised"] == economy["compared"] > 0
    assert express["days_to_promise"] < economy["days_to_promise"]
    unknown = run("policy", "compare", "magic", "--sample")
    assert (unknown.code, "there is no such policy; there are economy" in unknown.err) == (2, True)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shop, Service, Path]]:
    """A service with policies, two warehouses and orders of both arms of a trial."""
    home = tmp_path_factory.mktemp("policies")
    file = home / "policies.toml"
    file.write_text(RIGHT, "utf-8")
    service = Service(home / "store", STOCKADE_POLICIES_FILE=str(file))
    service.start()
    yield Shop(Door(service.url), "P"), service, file
    service.stop()


def test_a_comparison_leaves_the_stock_of_the_store_as_it_is(shop: tuple[Shop, Service, Path], tmp_path: Path) -> None:
    """Orders from a file, against what is there now; results tell the arms apart."""
    door, service, file = shop
    sku = door.sku(on_hand={door.warehouse("A", lat=30): 30, door.warehouse("B", lat=31): 30})
    orders = [
        {"order_id": f"o{number}", "ship_to": {"lat": 30, "lon": 120}, "lines": [{"sku": sku, "quantity": 2}]}
        for number in range(20)
    ]
    as_array, one_a_line = tmp_path / "orders.json", tmp_path / "orders.ndjson"
    as_array.write_bytes(msgspec.json.encode(orders))
    one_a_line.write_bytes(b"\n".join(map(msgspec.json.encode, orders)) + b"\n")
    before = door.door.stock(f"sku={sku}")
    options = ("--data-dir", service.data_dir, "--json")
    environment = {"STOCKADE_POLICIES_FILE": str(file)}
    found = run_all(
        [
            ("policy", "compare", "near", "far", "--orders", as_array, "--policies", file, *options),
            ("policy", "compare", "near", "far", "--orders", one_a_line, "--policies", file, *options),
            ("policy", "compare", "far", "near", "--orders", one_a_line, "--policies", file, *options),
        ]
    )
    near, far = found[0].json
    assert found[1].json == [near, far]
    piped = ("policy", "compare", "near", "far", "--orders", "-", "--policies", file, *options)
    assert run(*piped, given=one_a_line.read_text("utf-8")).json == [near, far]
    assert found[2].json == [far, near], "each from the same stock, wherever it stands"
    # 30 units at the near one: the nearest serves 15 orders there and 5 from the other, the pinned one 15 in all.
    assert (near["served"], near["refused"], far["served"], far["refused"]) == (20, 0, 15, 5)
    assert (near["compared"], round(near["mean_km"]), round(far["mean_km"])) == (15, 0, 111)
    assert (near["orders"], near["unfilled_units"], near["invalid"], near["invalid_first"]) == (20, 0, 0, [])
    wrong = [{**orders[0], "lines": [{"sku": f"gone-{number}", "quantity": 1}]} for number in range(7)]
    with_wrong = run(*piped, given="\n".join(msgspec.json.encode(order).decode() for order in [*wrong, *orders]))
    assert [(row["orders"], row["served"], row["invalid"]) for row in with_wrong.json] == [(27, 20, 7), (27, 15, 7)]
    assert all(words in with_wrong.err for words in ("7 of 27 orders are invalid", "/lines/0/sku: ", "and 2 more"))
    assert [one["pointer"] for one in with_wrong.json[0]["invalid_first"]] == ["/lines/0/sku"] * 5
    (none, _) = run(*piped, given=msgspec.json.encode(wrong).decode()).json
    assert (none["served"], none["cost_per_order"], none["mean_km"], none["days_to_promise"]) == (0, None, None, None)
    shown = run(*piped[:-1], given=msgspec.json.encode(wrong).decode())
    assert (shown.code, "unfilled" in shown.out, "invalid" in shown.out) == (0, True, True)
    assert door.door.stock(f"sku={sku}") == before
    for order in orders:
        assert door.door.call("POST", "/v1/orders", order).status == 201
    rows = run("policy", "results", *options, **environment).json
    assert {(row["policy"], row["version"], row["trial"]["name"], row["trial"]["arm"]) for row in rows} == {
        ("near", "1", "t", "control"),
        ("far", "1", "t", "trial"),
    }
    assert sum(row["orders"] for row in rows) == 20
    assert "t: trial" in run("policy", "results", "--data-dir", service.data_dir, **environment).out


def test_a_service_says_what_policies_it_has_and_what_is_wrong_with_the_next(
    shop: tuple[Shop, Service, Path],
) -> None:
    """It goes on by those it had."""
    door, _, file = shop
    ready = door.door.call("GET", "/readyz").json
    assert (ready["policy_version"], ready["policies_error"]) == ("1", None)
    file.write_text(WRONG, "utf-8")
    patience_ends = monotonic() + SOON_S
    while not ready["policies_error"]:
        assert monotonic() < patience_ends, "nobody looked at the file"
        sleep(0.05)
        ready = door.door.call("GET", "/readyz").json
    assert (ready["status"], ready["policy_version"]) == ("ready", "1")
    assert "policies.toml:3: " in ready["policies_error"]
