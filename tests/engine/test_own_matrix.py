"""engine.own_matrix: a user's own numbers from a CSV file, an array, a frame or columns."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import polars
import pytest

from engine import matrix_of
from engine.errors import InvalidInput
from engine.model import CostMatrix, DistanceMatrix

WANTED = DistanceMatrix(by="region", warehouses=("W1", "W2"), rows={"north": (1.5, None), "south": (20.0, 0.0)})
COLUMNS: dict[str, list[Any]] = {"region": ["north", "south"], "W1": [1.5, 20], "W2": [None, 0]}


def test_a_csv_file_names_destinations_in_its_first_column(tmp_path: Path) -> None:
    """And says by its header what they are."""
    file = tmp_path / "own.csv"
    file.write_text("\ufeffregion,W1,W2\nnorth,1.5,\n\nsouth,20,0\n", encoding="utf-8")
    assert matrix_of(DistanceMatrix, file) == matrix_of(DistanceMatrix, str(file)) == WANTED


def test_an_array_comes_with_its_labels() -> None:
    """NaN says nothing."""
    labels: dict[str, Any] = {"by": "region", "destinations": ["north", "south"], "warehouses": ["W1", "W2"]}
    assert matrix_of(DistanceMatrix, np.array([[1.5, np.nan], [20, 0]]), **labels) == WANTED
    costs = matrix_of(CostMatrix, np.array([[700, 800], [0, 5]], dtype=np.int32), **labels)
    assert costs.rows == {"north": (700, 800), "south": (0, 5)}


def test_columns_and_frames_are_taken_by_their_names() -> None:
    """Of whatever library: nothing of it is imported."""
    assert matrix_of(DistanceMatrix, COLUMNS) == WANTED
    by_postcode = matrix_of(CostMatrix, {"plz": ["01067"], "W1": [3.0]}, by="postcode")
    assert by_postcode == CostMatrix(by="postcode", warehouses=("W1",), rows={"01067": (3,)})


@pytest.mark.parametrize("frame", [polars.DataFrame, pandas.DataFrame])
def test_frames_of_common_libraries_are_taken(frame: Callable[[Any], Any]) -> None:
    """By names alone: the product needs neither."""
    assert matrix_of(DistanceMatrix, frame(COLUMNS)) == WANTED
    countries: dict[str, list[Any]] = {"country": ["CN", None], "region": ["north", "south"]}
    in_countries = matrix_of(DistanceMatrix, frame(countries | {"W1": [1.5, 20], "W2": [None, 0]}))
    assert in_countries.rows == {"CN:north": (1.5, None), "south": (20.0, 0.0)}


def test_a_column_of_countries_says_where_a_postcode_is(tmp_path: Path) -> None:
    """Postcodes are only unique within a country. Without one it is of whichever."""
    file = tmp_path / "own.csv"
    file.write_text("country,postcode,W1\nCN,310000,5\nKR,310000,7\n,310000,9\n")
    found = matrix_of(CostMatrix, file)
    assert found == CostMatrix(
        by="postcode", warehouses=("W1",), rows={"CN:310000": (5,), "KR:310000": (7,), "310000": (9,)}
    )
    file.write_text("postcode,W1\nCN:310000,5\nKR:310000,7\n310000,9\n")
    assert matrix_of(CostMatrix, file) == found
    by_name = {"country": ["CN", "KR", ""], "plz": ["310000"] * 3, "W1": [5, 7, 9]}
    assert matrix_of(CostMatrix, by_name, by="postcode") == found
    # Countries themselves have no such column before them.
    assert matrix_of(CostMatrix, {"country": ["CN"], "W1": [5]}).by == "country"


WRONG: dict[str, tuple[Any, dict[str, Any], str]] = {
    "an array without labels": (np.zeros((1, 1)), {}, "by, destinations, warehouses"),
    "an array of another shape": (
        np.zeros((2, 1)),
        {"by": "region", "destinations": ["a"], "warehouses": ["W1"]},
        "",
    ),
    "labels beside names": (COLUMNS, {"warehouses": ["W1"]}, "destinations, warehouses"),
    "a first column of no known name": ({"town": ["a"], "W1": [1]}, {}, "by"),
    "columns of two lengths": ({"region": ["a"], "W1": [1, 2]}, {}, ""),
    "no warehouse": ({"region": ["a"]}, {}, ""),
    "a destination twice": ({"region": ["a", "a"], "W1": [1, 2]}, {}, "/1"),
    "a destination without a name": ({"region": ["a", ""], "W1": [1, 2]}, {}, "/1"),
    "no column of destinations": ({}, {}, ""),
    "a word": ({"region": ["a", "b"], "W1": [1, "far"]}, {}, "/1/W1"),
    "a number below zero": ({"region": ["a"], "W1": [-1]}, {}, "/0/W1"),
    "a number without end": ({"region": ["a"], "W1": [float("inf")]}, {}, "/0/W1"),
    "a distance beyond any": ({"region": ["a"], "W1": [1e9]}, {}, "/0/W1"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named(case: str) -> None:
    """Row, column or argument."""
    source, arguments, pointer = WRONG[case]
    with pytest.raises(InvalidInput) as raised:
        matrix_of(DistanceMatrix, source, **arguments)
    assert raised.value.errors[0].pointer.startswith(pointer)
    assert raised.value.errors[0].message


def test_an_amount_is_whole() -> None:
    """Money is in minor units."""
    with pytest.raises(InvalidInput, match="whole amount"):
        matrix_of(CostMatrix, {"region": ["a"], "W1": ["1.5"]})


def test_a_file_that_is_no_table_is_named(tmp_path: Path) -> None:
    """With the line as an editor shows it. Also a file that is not there."""
    for text, pointer in (
        ("region,W1\na,1,2\n", "own.csv:2"),
        ("region,W1\n\na,1\n\nb,far\n", "own.csv:5"),
        ("region,W1\na,1\na,2\n", "own.csv:3"),
        ("region,W1,W1\n", "own.csv:1"),
        ("region;W1\na;1\n", "own.csv:1"),
        ("Region,W1\na,1\n", "own.csv:1"),
        ("region\na\n", "own.csv:1"),
        ("", "own.csv:1"),
    ):
        file = tmp_path / "own.csv"
        file.write_text(text)
        with pytest.raises(InvalidInput) as raised:
            matrix_of(DistanceMatrix, file)
        assert raised.value.errors[0].pointer.endswith(pointer)
    with pytest.raises(InvalidInput, match="cannot be read"):
        matrix_of(DistanceMatrix, tmp_path / "none.csv")
