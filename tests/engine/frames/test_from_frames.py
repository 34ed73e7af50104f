"""BatchProblem.from_frames: the same batch of whatever tables, columns taken as they are, mistakes told by row."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas
import polars
import pytest

from engine import BatchProblem, assign_batch
from engine.errors import InvalidInput
from tests.engine.frames.tables import ARRAYS, COST, COSTS, LINES, POOLS, STOCK, UNSERVED, WAREHOUSES

pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install 'stockade[frames]'")

Make = Callable[[dict[str, list[Any]]], Any]


class OnlyStream:
    """What has the Arrow PyCapsule protocol, and nothing else."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)


class OnlyInterchange:
    """What has the interchange protocol of data frames, and nothing else."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def __dataframe__(self, nan_as_null: bool = False, allow_copy: bool = True) -> object:
        return self._table.__dataframe__(nan_as_null, allow_copy)


def _structured(columns: dict[str, list[Any]]) -> np.ndarray[Any, Any]:
    arrays = {name: np.array(values) for name, values in columns.items()}
    whole = np.empty(len(next(iter(arrays.values()))), [(name, values.dtype) for name, values in arrays.items()])
    for name, values in arrays.items():
        whole[name] = values
    return whole


def _in_chunks(columns: dict[str, list[Any]]) -> Any:
    table = pyarrow.table(columns)
    return pyarrow.concat_tables([table.slice(0, 1), table.slice(1)])


def _dictionaries(columns: dict[str, list[Any]]) -> Any:
    table = _in_chunks(columns)
    encoded = [
        column.dictionary_encode() if pyarrow.types.is_string(column.type) else column for column in table.columns
    ]
    return pyarrow.table(dict(zip(table.column_names, encoded, strict=True)))


def _categories(columns: dict[str, list[Any]]) -> Any:
    frame = pandas.DataFrame(columns)
    return frame.astype({name: "category" for name in columns if isinstance(columns[name][0], str)})


FRAMES: dict[str, Make] = {
    "columns": dict,
    "arrays": lambda columns: {name: np.array(values) for name, values in columns.items()},
    "a structured array": _structured,
    "pandas": pandas.DataFrame,
    "pandas objects": lambda columns: pandas.DataFrame(columns, dtype=object),
    "pandas categories": _categories,
    "polars": polars.DataFrame,
    "polars categories": lambda columns: polars.DataFrame(columns).with_columns(
        polars.col(polars.String).cast(polars.Categorical)
    ),
    "pyarrow": pyarrow.table,
    "a record batch": pyarrow.RecordBatch.from_pydict,
    "chunks": _in_chunks,
    "dictionaries": _dictionaries,
    "a stream": lambda columns: OnlyStream(pyarrow.table(columns)),
    "a stream of polars": lambda columns: OnlyStream(polars.DataFrame(columns)),
    "interchange": lambda columns: OnlyInterchange(pyarrow.table(columns)),
}


def batch(make: Make = dict, **change: Any) -> BatchProblem:
    """The small batch, with other columns of some tables or other arguments."""
    made = {}
    tables = {"lines": LINES, "stock": STOCK, "costs": COSTS, "warehouses": WAREHOUSES}
    if "pools" in change:
        tables["pools"] = POOLS
    for name, plain in tables.items():
        made[name] = make({column: values for column, values in (plain | change.pop(name, {})).items() if len(values)})
    arguments = UNSERVED | {name: made[name] for name in ("warehouses", "pools") if name in made} | change
    return BatchProblem.from_frames(made["lines"], made["stock"], made["costs"], **arguments)


def check(problem: BatchProblem, **other: Any) -> None:
    for name, wanted in (ARRAYS | other).items():
        assert getattr(problem, name).tolist() == wanted, name


@pytest.mark.parametrize("make", FRAMES.values(), ids=FRAMES)
def test_a_batch_is_the_same_of_whatever_frames(make: Make) -> None:
    """Of libraries, of protocols, of plain columns: ids are numbers in the order in which they are named."""
    problem = batch(make)
    check(problem)
    assert assign_batch(problem).cost == COST


def test_rows_of_an_order_need_not_stand_together() -> None:
    """And results name the row that each line was."""
    sequence = [3, 0, 2, 1]
    lines = {name: [values[at] for at in sequence] for name, values in LINES.items()}
    problem = batch(lines=lines)
    check(problem, line_start=[0, 1, 3, 4], sku=[0, 0, 1, 0], quantity=[2, 1, 1, 1], region=[1, 0, 0])
    assert problem.names is not None
    assert problem.names.row is not None
    assert problem.names.row.tolist() == [0, 1, 3, 2]
    assert list(problem.names.orders) == ["o3", "o1", "o2"]
    found = assign_batch(problem)
    assert found.cost == COST
    columns = found.to_columns()
    assert [lines["sku"][row] for row in columns["row"]] == columns["sku"].tolist()


@pytest.mark.parametrize("make", [dict, pandas.DataFrame, polars.DataFrame, pyarrow.table])
def test_ids_may_be_numbers(make: Make) -> None:
    """Any whole ones."""
    problem = batch(
        make,
        lines={"order_id": [70, 70, 12, 900], "sku": [5, 9, 5, 5]},
        stock={"sku": [5, 5, 9], "warehouse": [31, 32, 32]},
        costs={"warehouse": [31, 32, 31, 32]},
        warehouses={"warehouse": [31, 32]},
    )
    check(problem)
    assert assign_batch(problem).to_columns()["sku"].tolist() == [5, 9, 5, 5]


INT32 = {
    "arrays": lambda columns: {name: np.array(values, np.int32) for name, values in columns.items()},
    "pandas": lambda columns: pandas.DataFrame(columns, dtype=np.int32),
    "polars": lambda columns: polars.DataFrame(columns, schema=dict.fromkeys(columns, polars.Int32)),
    "pyarrow": lambda columns: pyarrow.table(
        {name: pyarrow.array(values, pyarrow.int32()) for name, values in columns.items()}
    ),
}


@pytest.mark.parametrize("make", INT32.values(), ids=INT32)
def test_numbers_that_are_right_as_they_are_are_not_copied(make: Make) -> None:
    """Quantities, and ids that count from 0 as they are named."""
    lines = make({"order_id": [7, 7, 8, 9], "sku": [0, 1, 0, 0], "quantity": [1, 1, 1, 2], "region": [0, 0, 0, 1]})
    problem = BatchProblem.from_frames(
        lines,
        make({"sku": [0, 0, 1], "warehouse": [0, 1, 1], "quantity": [2, 9, 5]}),
        make({"region": [0, 0, 1, 1], "warehouse": [0, 1, 0, 1], "unit_cost": [120, 150, 90, 400]}),
        warehouses=make({"warehouse": [0, 1], "fixed_cost": [500, 700]}),
        **UNSERVED,
    )
    check(problem)
    for name in ("sku", "quantity"):
        column = lines[name]
        given = column.chunk(0).to_numpy() if hasattr(column, "chunk") else np.asarray(column)
        assert np.shares_memory(getattr(problem, name), given), name
    assert assign_batch(problem).cost == COST


def test_options_are_columns_of_lines() -> None:
    """What is an order's is the same in its rows; an empty cell says nothing."""
    problem = batch(
        lines={
            "placed": ["A", None, "B", None],
            "frozen": [None, "B", None, None],
            "max_shipments": [2, 2, None, 3],
            "priority": [None, None, 4, 1],
        },
        warehouses={"capacity": [None, 3]},
        max_shipments=2,
        move_penalty=10,
    )
    check(problem, placed=[0, -1, 1, -1], frozen=[-1, 1, -1, -1], max_shipments=[2, 2, 2], priority=[1, 4, 1])
    assert problem.capacity is not None
    assert problem.capacity.tolist() == [2**63 - 1, 3]
    assert problem.move_penalty == 10


@pytest.mark.parametrize("make", [pandas.DataFrame, polars.DataFrame, pyarrow.table])
def test_empty_cells_of_frames_say_nothing(make: Make) -> None:
    """NaN of pandas, null of polars and Arrow; of integers pandas makes floats then."""
    lines = {"placed": ["A", None, "B", None], "max_shipments": [2, 2, None, 3]}
    problem = batch(make, lines=lines, warehouses={"capacity": [None, 3]})
    check(problem, placed=[0, -1, 1, -1], max_shipments=[2, 2**31 - 1, 3])


@pytest.mark.parametrize(
    ("make", "placed"),
    [
        (dict, np.ma.array([1, 1, 2, 2], mask=[0, 1, 0, 1])),
        (pandas.DataFrame, [1, None, 2, None]),
        (polars.DataFrame, [1.0, None, 2.0, None]),
    ],
)
def test_whole_numbers_with_gaps_are_ids(make: Make, placed: Any) -> None:
    """Frames make floats of them, NumPy masks."""
    number = {"A": 1, "B": 2}
    problem = batch(
        make,
        lines={"placed": placed},
        stock={"warehouse": [number[name] for name in STOCK["warehouse"]]},
        costs={"warehouse": [number[name] for name in COSTS["warehouse"]]},
        warehouses={"warehouse": [1, 2]},
    )
    check(problem, placed=[0, -1, 1, -1])


def test_a_column_of_nothing_says_nothing() -> None:
    """Arrow has a type for it."""
    check(batch(pyarrow.table, lines={"placed": pyarrow.nulls(4)}), placed=[-1] * 4)


def test_empty_text_names_nothing_where_nothing_may_be_named() -> None:
    """Columns of plain text have no other way to say so; an id that must be there is refused."""
    lines = {"placed": np.array(["A", "", "B", ""]), "frozen": ["", "B", "", ""]}
    problem = batch(dict, lines=lines)
    check(problem, placed=[0, -1, 1, -1], frozen=[-1, 1, -1, -1])
    with pytest.raises(InvalidInput) as caught:
        batch(dict, lines={"sku": ["tea", "", "tea", "pot"]})
    assert "/lines/1/sku" in str(caught.value)


CHANNELS = {"channel": ["web", "web", None, "shop"]}


@pytest.mark.parametrize("make", [dict, pandas.DataFrame, polars.DataFrame, pyarrow.table])
def test_pools_are_for_orders_of_their_channel(make: Make) -> None:
    """A channel of lines that has no pool is none, and a SKU may be in pools alone."""
    problem = batch(make, lines=CHANNELS, pools={})
    check(
        problem,
        channel=[0, -1, -1],
        pool=[[[3, 0], [0, 0], [0, 0]], [[0, 0], [0, 0], [0, 8]]],
        stock=[[2, 9], [0, 5], [0, 0]],
    )
    assert problem.names is not None
    assert list(problem.names.channels) == ["web", "app"]
    assert list(problem.names.skus) == ["tea", "pot", "lid"]
    # The shop's two units have all that is shared at A; the web has its own there, but its pot is at B.
    assert assign_batch(problem).cost == COST


def test_nobody_takes_the_pool_of_others() -> None:
    """Nor what is left of it."""
    short = batch(lines=CHANNELS, stock={"quantity": [0, 0, 5]}, pools={"quantity": [3, 8]})
    columns = assign_batch(short).to_columns()
    assert columns["warehouse"].tolist() == ["A", "B", None, None]


def test_a_channel_alone_changes_nothing() -> None:
    """Without pools nobody has any."""
    problem = batch(lines=CHANNELS)
    check(problem)
    assert problem.channel is None
    assert assign_batch(problem).cost == COST


def test_one_cost_may_be_that_of_all_warehouses() -> None:
    """Then they are those that costs name; and what is not served may cost by region."""
    problem = BatchProblem.from_frames(
        LINES, STOCK, COSTS, fixed_cost=650, unserved_fixed=9, unserved_unit={"south": 1, "north": 2}
    )
    check(problem, fixed=[650, 650], unserved_unit=[2, 1])


def test_a_sku_without_stock_is_not_served() -> None:
    """It needs no row."""
    found = assign_batch(batch(lines={"sku": ["tea", "lid", "tea", "tea"]}))
    columns = found.to_columns()
    assert columns["warehouse"][columns["sku"] == "lid"].tolist() == [None]


def test_a_batch_may_be_empty() -> None:
    """No orders, but a network."""
    none = {name: np.array(values[:0]) for name, values in LINES.items()}
    problem = BatchProblem.from_frames(none, STOCK, COSTS, warehouses=WAREHOUSES, **UNSERVED)
    assert (problem.orders, problem.lines, assign_batch(problem).cost) == (0, 0, 0)


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "a column lacks": ({"lines": {"sku": []}}, "/lines", 'lacks the column "sku"'),
    "an unknown column": ({"lines": {"qty": [1] * 4}}, "/lines/qty", "no such column"),
    "columns of two lengths": ({"stock": {"sku": ["tea"]}}, "/stock/warehouse", "has 3 rows"),
    "a quantity of none": (
        {"lines": {"quantity": [1, 0, 1, 2]}},
        "/lines/1/quantity",
        "to 2,147,483,647, not 0",
    ),
    "a quantity too many": ({"lines": {"quantity": [1, 2**31, 1, 2]}}, "/lines/1/quantity", "not 2,147,483,648"),
    "text for a number": ({"lines": {"quantity": [1, "many", 1, 2]}}, "/lines/1/quantity", "whole number, not 'many'"),
    "a fraction": ({"lines": {"quantity": [1, 1.5, 1, 2]}}, "/lines/1/quantity", "must be a whole number"),
    "true": ({"lines": {"quantity": [True] * 4}}, "/lines/0/quantity", "must be a whole number"),
    "an empty quantity": ({"lines": {"quantity": [1, None, 1, 2]}}, "/lines/1/quantity", "must be there"),
    "an empty id": ({"lines": {"sku": ["tea", None, "tea", "tea"]}}, "/lines/1/sku", "must be there"),
    "an id of no letters": ({"lines": {"order_id": ["", "", "a", "b"]}}, "/lines/0/order_id", "1 to 256 characters"),
    "an id that is a list": ({"lines": {"order_id": [["a"], "a", "b", "c"]}}, "/lines/0/order_id", "not list"),
    "ids of two kinds": ({"lines": {"order_id": ["a", "a", 5, "c"]}}, "/lines/2/order_id", "of one kind"),
    "numbers for names": ({"lines": {"region": [1, 1, 1, 2]}}, "/lines/region", "by text"),
    "an unknown region": ({"lines": {"region": ["north", "north", "west", "south"]}}, "/lines/2/region", '"west"'),
    "an unknown warehouse": ({"stock": {"warehouse": ["A", "C", "B"]}}, "/stock/1/warehouse", '"C"'),
    "two regions of an order": (
        {"lines": {"region": ["north", "south", "north", "south"]}},
        "/lines/1/region",
        "what the first row of the order has",
    ),
    "a SKU twice in an order": ({"lines": {"sku": ["tea"] * 4}}, "/lines/1/sku", "must not be in an order twice"),
    "a cell twice": ({"stock": {"warehouse": ["A", "A", "B"]}}, "/stock/1/sku", "once with the same warehouse"),
    "a pair that lacks": (
        {"costs": {"region": ["north", "north", "south"], "warehouse": ["A", "B", "A"], "unit_cost": [1, 2, 3]}},
        "/costs",
        'no row for region "south" and warehouse "B"',
    ),
    "a warehouse twice": ({"warehouses": {"warehouse": ["A", "A"]}}, "/warehouses/1/warehouse", "once"),
    "a negative cost": ({"costs": {"unit_cost": [1, -2, 3, 4]}}, "/costs/1/unit_cost", "not -2"),
    "both costs": ({"fixed_cost": 5}, "/warehouses", "and not both"),
    "an unknown region's cost": (
        {"unserved_unit": {"north": 1, "south": 1, "west": 1}},
        "/unserved_unit/west",
        "no region",
    ),
    "a region without a cost": ({"unserved_unit": {"north": 1}}, "/unserved_unit", 'lacks the region "south"'),
    "more frozen than there is": ({"lines": {"frozen": ["A", None, "A", "A"]}}, "/stock", '"tea" at "A" must include'),
    "a costly line": ({"lines": {"quantity": [1, 1, 1, 2**31 - 1]}}, "/lines/3/quantity", "times what a unit may cost"),
    "two channels of an order": (
        {"lines": {"channel": ["web", "shop", None, None]}, "pools": {}},
        "/lines/1/channel",
        "what the first row of the order has",
    ),
    "two channels without pools": (
        {"lines": {"channel": ["web", None, None, None]}},
        "/lines/1/channel",
        "what the first row of the order has",
    ),
    "pools of no order's channel": ({"pools": {}}, "/lines", 'lacks the column "channel"'),
    "channels by number": ({"lines": {"channel": [1, 1, 2, 3]}, "pools": {}}, "/lines/channel", "by text"),
    "a pool at no warehouse": (
        {"lines": CHANNELS, "pools": {"warehouse": ["A", "C"]}},
        "/pools/1/warehouse",
        '"C"',
    ),
    "a pool twice": (
        {"lines": CHANNELS, "pools": {"channel": ["web"] * 2, "sku": ["tea"] * 2, "warehouse": ["A"] * 2}},
        "/pools/1/channel",
        "once with the same sku and warehouse",
    ),
    "a pool of less than nothing": ({"lines": CHANNELS, "pools": {"quantity": [1, -1]}}, "/pools/1/quantity", "not -1"),
    "a masked quantity": (
        {"lines": {"quantity": np.ma.array([1, 2, 1, 1], mask=[0, 1, 0, 0])}},
        "/lines/1/quantity",
        "there",
    ),
    "ids of two dimensions": ({"lines": {"sku": np.zeros((4, 2), int)}}, "/lines/sku", "one value a row"),
    "times for quantities": (
        {"lines": {"quantity": np.zeros(4, "timedelta64[s]")}},
        "/lines/quantity",
        "not times",
    ),
    "floats too large to tell": (
        {"lines": {"quantity": np.array([1, 1, 1, 2**24 + 2], np.float32)}},
        "/lines/3/quantity",
        "whole number",
    ),
    "shipments of none": ({"max_shipments": 0}, "/max_shipments", "from 1 on"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named(case: str) -> None:
    """Table, row, column and rule."""
    change, pointer, rule = WRONG[case]
    with pytest.raises(InvalidInput) as raised:
        batch(**change)
    assert raised.value.errors[0].pointer == pointer
    assert rule in raised.value.errors[0].message


@pytest.mark.parametrize("make", [pandas.DataFrame, polars.DataFrame, pyarrow.table])
def test_rows_of_frames_are_named_alike(make: Make) -> None:
    """Wherever the mistake is found."""
    for change, pointer in (
        ({"quantity": [1, None, 1, 2]}, "/lines/1/quantity"),
        ({"region": ["north", "north", "west", "south"]}, "/lines/2/region"),
        ({"sku": ["tea", None, "tea", "tea"]}, "/lines/1/sku"),
    ):
        with pytest.raises(InvalidInput) as raised:
            batch(make, lines=change)
        assert raised.value.errors[0].pointer == pointer


@pytest.mark.parametrize("source", [5, "lines.csv", [1, 2], np.zeros((2, 2)), polars.LazyFrame({"a": [1]})])
def test_what_is_no_table_is_refused(source: Any) -> None:
    """With what it must be."""
    with pytest.raises(InvalidInput, match="/lines: "):
        BatchProblem.from_frames(source, STOCK, COSTS, warehouses=WAREHOUSES, **UNSERVED)
