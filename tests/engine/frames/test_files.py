"""Tables from CSV and Parquet: the same batch, mistakes told by line or row, files whole or not at all."""

from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest

from engine.errors import InvalidInput
from engine.frames.files import check_written, read_table_file, write_table_file

pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install 'stockade[frames]'")

COLUMNS: dict[str, list[Any]] = {"sku": ["tea", "pot"], "quantity": [3, None], "warehouse": ["A", None]}


@pytest.mark.parametrize("library", ["pyarrow", "polars"])
def test_parquet_is_read_and_written_by_either_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    """Whichever is there."""
    if library == "polars":
        monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    file = tmp_path / "t.parquet"
    write_table_file(file, COLUMNS)
    assert polars.read_parquet(file).to_dict(as_series=False) == COLUMNS
    source = read_table_file(file, numbers=()).source
    assert [np.asarray(source[name]).tolist()[0] for name in COLUMNS] == ["tea", 3, "A"]  # type: ignore[index]
    assert [path.name for path in tmp_path.iterdir()] == ["t.parquet"]


def test_csv_is_written_as_it_is_read(tmp_path: Path) -> None:
    """Empty cells, commas, quotes and line ends in names among it."""
    file = tmp_path / "t.csv"
    odd: dict[str, list[Any]] = {"sku": ['a,"b"\nc', "é"], "quantity": [3, None]}
    write_table_file(file, odd)
    table = read_table_file(file, numbers=("quantity",))
    assert table.source == odd
    assert table.place(1, "sku") == (f"{file}:4", "sku: ")


def test_a_file_that_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    """And no part of itself."""
    file = tmp_path / "t.csv"
    file.mkdir()
    with pytest.raises(InvalidInput, match="cannot be written"):
        write_table_file(file, COLUMNS)
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]
    for name, rule in (("x.json", "must be named"), ("none/x.csv", "no such folder")):
        with pytest.raises(InvalidInput, match=rule):
            check_written(tmp_path / name)


def test_what_is_no_table_is_told_with_its_file(tmp_path: Path) -> None:
    """By the name of the file, and its line where there is one."""
    bad = tmp_path / "bad.parquet"
    bad.write_bytes(b"PAR1 or not")
    twice = tmp_path / "twice.csv"
    twice.write_text("a,a\n1,2\n")
    for file, rule in (
        (bad, r"bad\.parquet: is not Parquet"),
        (tmp_path / "none.parquet", r"none\.parquet: cannot be read"),
        (tmp_path / "none.csv", r"none\.csv: cannot be read"),
        (tmp_path / "x.json", "must be named"),
        (twice, r"twice\.csv:1: must name each column once"),
    ):
        with pytest.raises(InvalidInput, match=rule):
            read_table_file(file, numbers=())
