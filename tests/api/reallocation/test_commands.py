"""`stockade reallocate`: planned, reported, applied, listed, taken back; wrong usage is told by option."""

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from engine.store.address import socket_path
from tests.api.conftest import Finished, Shop, run
from tests.api.http.bulk_case import order
from tests.api.http.bulk_case import post as bulk
from tests.api.reallocation.conftest import Flood
from tests.conftest import Service, without_settings

MANY = 3_000
"""Orders whose moves take a while."""


@pytest.mark.slow
def test_a_run_goes_its_way_on_the_command_line(flood: Flood, tmp_path: Path) -> None:
    """With tables that people can read, files of what moves, and a report."""

    def reallocate(*arguments: object) -> Finished:
        return run("reallocate", *arguments, "--data-dir", flood.data_dir, COLUMNS="120")

    run_id, page, moves = flood.id("cli"), tmp_path / "flood.html", tmp_path / "moves.csv"
    planned = reallocate("--warehouse-down", flood.near, "--id", run_id, "--report", page, "--moves", moves)
    assert planned.code == 0, planned.err
    for words in (
        f"{run_id}: {flood.near} is down.",
        "Planned. 8 orders would move.",
        "Unserved: 2 orders: ",
        f"{flood.near} (down)",
        "Shanghai, CN",
        f"Nothing has moved yet: stockade reallocate apply {run_id} --data-dir {flood.data_dir}",
    ):
        assert words in planned.out
    assert flood.places() == {flood.near}
    assert "<title>8 orders would move." in page.read_text("utf-8")
    with moves.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(row["from_warehouse"], row["to_warehouse"], row["quantity"]) for row in rows} == {
        (flood.near, flood.far, "1")
    }
    applied = reallocate("apply", run_id)
    assert (applied.code, "8 orders of 8 moved" in applied.out) == (0, True), applied.err
    assert flood.places() == {flood.near, flood.far}
    listed = reallocate("list", "--json")
    assert {one["id"]: one["state"] for one in listed.json}[run_id] == "applied"
    taken_back = reallocate("rollback", run_id, "--json")
    assert (taken_back.code, taken_back.json["rolled_back"]) == (0, 8)
    assert flood.places() == {flood.near}
    shown = reallocate("show", run_id)
    assert (shown.code, "Taken back. 8 orders of 8 taken back." in shown.out) == (0, True), shown.out
    assert "As it was planned:" in shown.out
    assert "As it was planned:" not in planned.out


def test_what_is_skipped_is_a_finding(flood: Flood) -> None:
    """A script must hear of it."""
    run_id = flood.id("finding")
    flood.begin(id=run_id, warehouse_down=flood.near)
    flood.run(run_id, "planned")
    moved = flood.door.call("GET", f"/v1/reallocations/{run_id}/moves?limit=1").json["moves"][0]["order_id"]
    flood.door.call("POST", f"/v1/orders/{moved}/cancel")
    applied = run("reallocate", "apply", run_id, "--data-dir", flood.data_dir)
    assert (applied.code, "Skipped: 1 order: " in applied.out) == (1, True), applied.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "reallocate: must choose orders by one of --warehouse-down, --warehouse, --country"),
        (("--warehouse-down", "nowhere"), "--warehouse-down: "),
    ],
)
def test_what_is_wrong_is_told_by_option(flood: Flood, arguments: tuple[str, ...], told: str) -> None:
    """Exit 2, and nothing is planned."""
    finished = run("reallocate", *arguments, "--data-dir", flood.data_dir)
    assert (finished.code, finished.out) == (2, "")
    assert told in finished.err


def test_a_run_that_is_not_there_is_told(flood: Flood) -> None:
    """With where to find those that are."""
    finished = run("reallocate", "show", "none", "--data-dir", flood.data_dir)
    assert (finished.code, finished.out) == (1, "")
    assert "stockade reallocate list" in finished.err


@pytest.mark.slow
def test_ctrl_c_says_how_to_go_on(shop: Shop, shared_service: Service) -> None:
    """What was done by then stays; the command that is told goes on with it, there and back."""
    near, far = shop.warehouse("NEAR", lat=30.0, lon=120.0), shop.warehouse("FAR", lat=25.0, lon=110.0)
    sku = shop.sku(on_hand={near: MANY, far: MANY})
    answer = bulk(shop.door, b"\n".join(order(f"{shop.name}-{number}", sku) for number in range(MANY)))
    assert answer.body.count(b'"reserved"') == MANY
    run_id, data_dir = f"{shop.name}.stopped", shared_service.data_dir
    planned = run("reallocate", "--warehouse-down", near, "--id", run_id, "--data-dir", data_dir)
    assert planned.code == 0, planned.err

    def done(of: str) -> int:
        found: dict[str, int] = shop.door.call("GET", f"/v1/reallocations/{run_id}").json
        return found[of]

    def stopped(command: list[str], of: str) -> str:
        """What a command says that hears of Ctrl-C in the middle."""
        with (
            redis.Redis(unix_socket_path=str(socket_path(data_dir))) as store,
            subprocess.Popen(
                [sys.executable, "-m", "api.cli", *command], stderr=subprocess.PIPE, text=True, env=environment
            ) as it,
        ):
            while not done(of):
                assert it.poll() is None
            # So that it is in the middle still when it hears of it.
            store.execute_command("CLIENT", "PAUSE", 60_000, "WRITE")
            try:
                it.send_signal(signal.SIGINT)
                _, told = it.communicate(timeout=20)
            finally:
                store.execute_command("CLIENT", "UNPAUSE")
        assert it.returncode == 130, told
        assert 0 < done(of) < MANY
        return told

    environment = without_settings(os.environ)
    for act, of, more in (
        ("apply", "applied", ", `cancel` in its place ends it."),
        ("rollback", "rolled_back", "."),
    ):
        command = ["reallocate", act, run_id, "--data-dir", str(data_dir)]
        told = stopped(command, of)
        assert f"Stopped where it was: `stockade {' '.join(command)}` goes on{more}" in told
        went_on = run(*command)
        assert (went_on.code, done(of)) == (0, MANY), went_on.err
