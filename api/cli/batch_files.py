"""Reads the tables of `stockade assign`, and says of every bad cell file, line or row, column and rule."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine import BatchProblem
from engine.errors import FieldError, InvalidInput
from engine.frames.files import FileTable, read_table_file

NUMBERS = {
    "lines": ("quantity", "max_shipments", "priority"),
    "stock": ("quantity",),
    "costs": ("unit_cost",),
    "warehouses": ("fixed_cost", "capacity"),
    "pools": ("quantity",),
}
"""Columns of whole numbers, by table; the others hold ids."""

OPTIONS = {
    "unserved_fixed": "--unserved-fixed",
    "unserved_unit": "--unserved-unit",
    "max_shipments": "--max-shipments",
    "move_penalty": "--move-penalty",
    "fixed": "--fixed-cost",
    "warehouses": "--warehouses",
}

_CELL = re.compile(r"/(?P<table>lines|stock|costs|warehouses|pools)(?:/(?P<row>\d+))?(?:/(?P<column>\w+))?")


def read_problem(
    files: dict[str, Path],
    *,
    fixed_cost: int | None,
    unserved_fixed: int,
    unserved_unit: int,
    max_shipments: int | None,
    move_penalty: int,
) -> BatchProblem:
    """The batch of files named `lines`, `stock`, `costs`, `warehouses` unless `fixed_cost` is given, perhaps `pools`.

    Raises InvalidInput.
    """
    if ("warehouses" in files) is (fixed_cost is not None):
        rule = "is needed, or --fixed-cost, which is that of every warehouse; and not both"
        raise InvalidInput((FieldError("--warehouses", rule),))
    tables = {name: read_table_file(file, numbers=NUMBERS[name]) for name, file in files.items()}
    with told_of_files(tables):
        return BatchProblem.from_frames(
            tables["lines"].source,
            tables["stock"].source,
            tables["costs"].source,
            warehouses=tables["warehouses"].source if "warehouses" in tables else None,
            pools=tables["pools"].source if "pools" in tables else None,
            fixed_cost=fixed_cost,
            unserved_fixed=unserved_fixed,
            unserved_unit=unserved_unit,
            max_shipments=max_shipments,
            move_penalty=move_penalty,
        )


@contextmanager
def told_of_files(tables: dict[str, FileTable]) -> Iterator[None]:
    """Has InvalidInput of a batch name files and lines, or options."""
    try:
        yield
    except InvalidInput as error:
        raise InvalidInput(tuple(_told(tables, one) for one in error.errors)) from None


def _told(tables: dict[str, FileTable], error: FieldError) -> FieldError:
    found = _CELL.fullmatch(error.pointer)
    if found is None or found["table"] not in tables:
        name = error.pointer.lstrip("/").split("/")[0]
        return FieldError(OPTIONS.get(name, name), error.message)
    row = None if found["row"] is None else int(found["row"])
    where, before = tables[found["table"]].place(row, found["column"])
    return FieldError(where, before + error.message)
