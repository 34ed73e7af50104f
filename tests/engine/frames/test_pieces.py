"""An assignment as columns and frames: the same rows in every library, by the names of what came in, and back again."""

from typing import Any

import numpy as np
import pandas
import polars
import pytest

from engine import BatchAssignment, BatchProblem, assign_batch
from engine.errors import StockadeError
from tests.engine.frames.tables import ARRAYS, COSTS, LINES, STOCK, UNSERVED, WAREHOUSES

pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install 'stockade[frames]'")

ROWS = [
    {"row": 0, "order_id": "o1", "sku": "tea", "warehouse": "B", "quantity": 1},
    {"row": 1, "order_id": "o1", "sku": "pot", "warehouse": "B", "quantity": 1},
    {"row": 2, "order_id": "o2", "sku": "tea", "warehouse": "B", "quantity": 1},
    {"row": 3, "order_id": "o3", "sku": "tea", "warehouse": "A", "quantity": 2},
]
SCARCE: dict[str, Any] = STOCK | {"quantity": [1, 2, 0]}


def assigned(stock: dict[str, Any] = STOCK) -> BatchAssignment:
    """The small batch, as it is assigned."""
    return assign_batch(BatchProblem.from_frames(LINES, stock, COSTS, warehouses=WAREHOUSES, **UNSERVED))


def rows_of(columns: dict[str, Any]) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def test_pieces_have_the_names_of_what_came_in() -> None:
    """In every library the same rows."""
    found = assigned()
    assert rows_of({name: values.tolist() for name, values in found.to_columns().items()}) == ROWS
    assert found.to_arrow().to_pylist() == ROWS
    assert found.to_polars().to_dicts() == ROWS
    assert found.to_pandas().astype(object).to_dict("records") == ROWS


def test_what_is_not_served_has_no_warehouse() -> None:
    """None in columns, null in Arrow and polars, missing in pandas."""
    found = assigned(SCARCE)
    wanted = [None if at < 0 else "AB"[at] for at in found.warehouse]
    assert None in wanted
    assert found.to_columns()["warehouse"].tolist() == wanted
    assert found.to_arrow().column("warehouse").to_pylist() == wanted
    assert found.to_polars()["warehouse"].to_list() == wanted
    assert found.to_pandas()["warehouse"].isna().tolist() == [name is None for name in wanted]


def test_an_assignment_is_read_by_the_arrow_protocol() -> None:
    """By whatever reads that."""
    found = assigned(SCARCE)
    assert polars.DataFrame(found).to_dicts() == pyarrow.table(found).to_pylist() == found.to_arrow().to_pylist()


def test_numbers_are_not_copied_into_arrow() -> None:
    """They are as large as the batch."""
    found = assigned()
    quantity = found.to_arrow().column("quantity").chunk(0).to_numpy(zero_copy_only=True)
    assert np.shares_memory(quantity, found.quantity)
    assert np.shares_memory(found.to_columns()["quantity"], found.quantity)


def test_an_assignment_goes_back_in_as_what_is_placed() -> None:
    """The way of a re-allocation: then nothing moves without need."""
    first = assigned()
    frame = first.to_polars().rename({"warehouse": "placed"})
    lines = polars.DataFrame(LINES).with_row_index("row").with_columns(polars.col("row").cast(polars.Int64))
    again = lines.join(frame.select("row", "placed"), on="row", how="left").drop("row")
    problem = BatchProblem.from_frames(again, STOCK, COSTS, warehouses=WAREHOUSES, move_penalty=1_000, **UNSERVED)
    second = assign_batch(problem)
    assert second.cost == first.cost
    assert second.warehouse.tolist() == first.warehouse.tolist()


@pytest.mark.parametrize("make", [pandas.DataFrame, pyarrow.table, polars.DataFrame])
def test_a_batch_of_arrays_tells_numbers(make: Any) -> None:
    """It has no names: warehouse -1 is none."""
    found = assign_batch(BatchProblem(**ARRAYS, unserved_fixed=2000))
    columns = found.to_columns()
    assert list(columns) == ["line", "warehouse", "quantity"]
    assert columns["warehouse"].tolist() == [1, 1, 1, 0]
    frame = {pandas.DataFrame: found.to_pandas, pyarrow.table: found.to_arrow, polars.DataFrame: found.to_polars}[
        make
    ]()
    assert np.asarray(frame["warehouse"]).tolist() == [1, 1, 1, 0]


def test_a_library_that_lacks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With how to get it."""
    for name, method in (("pyarrow", "to_arrow"), ("pandas", "to_pandas"), ("polars", "to_polars")):
        with monkeypatch.context() as patch:
            # What Python itself takes for "cannot be imported".
            patch.setitem(__import__("sys").modules, name, None)
            with pytest.raises(StockadeError, match=rf"{method} needs {name}: pip install "):
                getattr(assigned(), method)()
