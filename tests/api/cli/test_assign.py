"""`stockade assign`: a batch from files to files; every bad cell told by file, line or row, column and rule."""

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars
import pytest
import structlog

from api.cli import main
from tests.api.conftest import Finished
from tests.engine.frames.tables import COST, COSTS, LINES, POOLS, STOCK, WAREHOUSES

TABLES = {"lines": LINES, "stock": STOCK, "costs": COSTS, "warehouses": WAREHOUSES}
UNSERVED = ("--unserved-fixed", "2000", "--unserved-unit", "5000")

Call = Callable[..., Finished]


@pytest.fixture
def assign(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """The command in this process, which spares its start."""

    def call(*arguments: object) -> Finished:
        monkeypatch.setattr(sys, "argv", ["stockade", "assign", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        structlog.reset_defaults()
        said = capsys.readouterr()
        return Finished(int(ended.value.code or 0), said.out, said.err)

    return call


def put(folder: Path, form: str, **change: dict[str, list[Any]]) -> list[object]:
    """The small batch as files of a form; the options that name them."""
    options: list[object] = []
    for name, columns in (TABLES | ({"pools": POOLS} if "pools" in change else {})).items():
        file = folder / f"{name}.{form}"
        frame = polars.DataFrame(columns | change.get(name, {}), strict=False)
        if form == "csv":
            frame.write_csv(file)
        else:
            frame.write_parquet(file)
        options += [f"--{name}", file]
    return options


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_files_become_an_assignment(assign: Call, tmp_path: Path, form: str) -> None:
    """The pieces go to a file of the same kind, whose rows name those of the lines."""
    out = tmp_path / f"out.{form}"
    finished = assign(*put(tmp_path, form), *UNSERVED, "--out", out, "--seed", "3", "--time-limit-s", "10")
    assert finished.code == 0, finished.err
    assert f"cost {COST:,} in 3 shipments" in finished.out
    assert "No assignment costs less." in finished.out
    frame = polars.read_csv(out) if form == "csv" else polars.read_parquet(out)
    assert frame.columns == ["row", "order_id", "sku", "warehouse", "quantity"]
    assert frame.rows()[-1] == (3, "o3", "tea", "A", 2)


def test_json_has_the_pieces_and_the_totals(assign: Call, tmp_path: Path) -> None:
    """For programs. What is not served has no warehouse."""
    options = put(tmp_path, "csv", stock={"quantity": [1, 2, 0]})
    found = json.loads(assign(*options, *UNSERVED, "--json", "--max-shipments", "1").out)
    assert found["ended"] == "complete"
    assert found["bound"] <= found["cost"]
    served = dict(zip(found["pieces"]["order_id"], found["pieces"]["warehouse"], strict=False))
    assert None in found["pieces"]["warehouse"]
    assert found["unserved_units"] == sum(
        quantity
        for quantity, warehouse in zip(found["pieces"]["quantity"], found["pieces"]["warehouse"], strict=True)
        if warehouse is None
    )
    assert sum(share["units"] for share in found["warehouses"]) + found["unserved_units"] == 5
    assert served.keys() == {"o1", "o2", "o3"}


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_pools_are_for_orders_of_their_channel(assign: Call, tmp_path: Path, form: str) -> None:
    """An empty cell is an order of no channel. What is not shared is not there for others."""
    options = put(
        tmp_path, form, lines={"channel": ["web", "web", None, "shop"]}, stock={"quantity": [0, 0, 5]}, pools={}
    )
    found = json.loads(assign(*options, *UNSERVED, "--json").out)
    assert found["pieces"]["warehouse"] == ["A", "B", None, None]
    assert found["unserved_units"] == 3


def test_small_batches_are_solved_exactly(assign: Call, tmp_path: Path) -> None:
    """By HiGHS, on request."""
    found = json.loads(assign(*put(tmp_path, "csv"), *UNSERVED, "--exact", "--json").out)
    assert (found["cost"], found["bound"], found["rounds"]) == (COST, COST, 0)


def test_an_assignment_is_written_as_csv_that_is_read_again(assign: Call, tmp_path: Path) -> None:
    """Empty where nothing serves."""
    out = tmp_path / "out.csv"
    assign(*put(tmp_path, "csv", stock={"quantity": [0, 0, 0]}), *UNSERVED, "--out", out)
    with out.open(newline="") as file:
        assert {row["warehouse"] for row in csv.DictReader(file)} == {""}


def test_no_table_is_written_over(assign: Call, tmp_path: Path) -> None:
    """Whatever its name is."""
    given = put(tmp_path, "csv")
    lines = tmp_path / "lines.csv"
    before = lines.read_bytes()
    for name in (lines, tmp_path / "." / ".." / tmp_path.name / "lines.csv"):
        finished = assign(*given, *UNSERVED, "--out", name)
        assert (finished.code, finished.out) == (2, "")
        assert "--out: would overwrite --lines" in finished.err
    assert lines.read_bytes() == before


WRONG: dict[str, tuple[str, dict[str, dict[str, list[Any]]], tuple[str, ...], str]] = {
    "text in CSV": ("csv", {"lines": {"quantity": ["1", "1", "many", "2"]}}, (), "lines.csv:4: quantity: "),
    "an empty cell in CSV": ("csv", {"stock": {"sku": ["tea", None, "pot"]}}, (), "stock.csv:3: sku: must be there"),
    "an unknown warehouse": (
        "csv",
        {"costs": {"warehouse": ["A", "X", "A", "B"]}},
        (),
        "costs.csv:3: warehouse: unknown",
    ),
    "a cell twice": ("csv", {"stock": {"warehouse": ["A", "A", "B"]}}, (), "stock.csv:3: sku: must be there once"),
    "a column of no name": ("csv", {"lines": {"qty": [1, 1, 1, 1]}}, (), "lines.csv:1: /qty: no such column"),
    "a row of Parquet": (
        "parquet",
        {"lines": {"quantity": [1, 1, 0, 2]}},
        (),
        "lines.parquet: /2/quantity: must be a whole number from 1 to 2,147,483,647, not 0",
    ),
    "text in Parquet": ("parquet", {"costs": {"unit_cost": ["1", "2", "3", "x"]}}, (), "costs.parquet: /0/unit_cost: "),
    "a pair that lacks": (
        "csv",
        {"warehouses": {"warehouse": ["A", "B"]}, "stock": {}, "costs": {"warehouse": ["A", "B", "A", "A"]}},
        (),
        "costs.csv:5: region: must be there once",
    ),
    "a pool of no number": (
        "csv",
        {"lines": {"channel": ["web"] * 4}, "pools": {"quantity": ["1", "x"]}},
        (),
        "pools.csv:3: quantity: must be a whole number",
    ),
    "pools of nobody": ("csv", {"pools": {}}, (), 'lines.csv:1: lacks the column "channel"'),
    "both kinds of cost": ("csv", {}, ("--fixed-cost", "5"), "--warehouses: is needed, or --fixed-cost"),
    "shipments of none": ("csv", {}, ("--max-shipments", "0"), "--max-shipments: must be"),
    "a seed below 0": ("csv", {}, ("--seed", "-1"), "--seed: must be"),
    "threads of none": ("csv", {}, ("--threads", "0"), "--threads: must be"),
    "a negative penalty": ("csv", {}, ("--move-penalty", "-1"), "--move-penalty: must be"),
    "a place that cannot be written": ("csv", {}, ("--out", "none/x.csv"), "none/x.csv: cannot be written"),
    "a form that is not known": ("csv", {}, ("--out", "x.json"), "x.json: must be named .csv or .parquet"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named(assign: Call, tmp_path: Path, case: str) -> None:
    """File, line or row, column and rule; exit 2."""
    form, change, more, told = WRONG[case]
    finished = assign(*put(tmp_path, form, **change), *UNSERVED, *more)
    assert (finished.code, finished.out) == (2, "")
    assert told in finished.err.replace("\n", " ")
