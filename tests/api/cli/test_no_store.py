"""A mistyped directory is told, and no empty store is made of it."""

import json
from pathlib import Path

import pytest

from tests.api.conftest import run, run_all

ORDER = {"order_id": "q", "ship_to": {"lat": 30.3, "lon": 120.2}, "lines": [{"sku": "x", "quantity": 1}]}

READS = (
    "stock",
    "orders",
    "orders o-1",
    "orders cancel o-1",
    "skus",
    "tariff",
    "policy show",
    "policy results",
    "policy withdraw",
    "events",
    "events followers",
    "keys list",
    "audit",
    "stock repair --dry-run",
)


def test_what_reads_makes_no_store(tmp_path: Path) -> None:
    """Nor does a change of what could only be in one; the message says what to do."""
    (tmp_path / "there").mkdir()
    places = (tmp_path / "none", tmp_path / "there")
    commands = [(*command.split(), "--data-dir", place) for command in READS for place in places]
    for command, finished in zip(commands, run_all(commands), strict=True):
        assert (finished.code, finished.out) == (2, ""), command
        said = " ".join(finished.err.split())
        assert f"There is no store in {command[-1]}, and this command makes none." in said, command
        assert "--data-dir" in said
    assert not (tmp_path / "none").exists()
    assert list((tmp_path / "there").iterdir()) == []


def test_doctor_shows_the_settings_before_there_is_a_store(tmp_path: Path) -> None:
    """That is when they are looked at; that there is no store is a finding, and it says how one is made."""
    place = tmp_path / "none"
    environment = {"STOCKADE_PORT": "9999", "STOCKADE_HOST": "0.0.0.0"}
    found = run("doctor", "--data-dir", place, "--json", **environment)
    assert (found.code, found.err) == (1, "")
    assert (found.json["settings"]["port"], found.json["sources"]["port"]) == (9999, "STOCKADE_PORT")
    assert found.json["found"]["store"] == f"none yet, in {place}"
    no_store, open_door = found.json["advice"]
    assert f"There is no store in {place}" in no_store
    assert "`stockade serve` makes a store" in no_store
    assert "The service would not start." in open_door
    for_people = run("doctor", "--data-dir", place, COLUMNS="200")
    told = " ".join(for_people.out.split())
    assert (for_people.code, for_people.err) == (1, "")
    assert "STOCKADE_PORT" in told
    assert f"To do: There is no store in {place}" in told
    assert not place.exists()


def test_a_plan_makes_no_store_either(tmp_path: Path) -> None:
    """Though its order is right."""
    told = run("plan", "-", "--data-dir", tmp_path / "none", given=json.dumps(ORDER))
    assert (told.code, "There is no store in" in told.err) == (2, True)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("command", ["keys create shop --scope read", "events followers --add erp"])
def test_what_puts_something_there_makes_one_and_says_so(tmp_path: Path, command: str) -> None:
    """Once: afterwards it is there."""
    place = ("--data-dir", tmp_path / "new")
    made = run(*command.split(), *place)
    assert (made.code, f"There is no store in {tmp_path / 'new'} yet: one is made." in made.err) == (0, True)
    again = run("keys", "list", *place)
    assert (again.code, again.err) == (0, "")
