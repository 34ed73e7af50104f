"""`stockade stock`: look at cells, and set counts from a file."""

import csv
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter
from cyclopts.validators import Number

from api.cli.console import StoreOptions, out, print_json, print_table
from api.cli.files import decode_json, read_file
from api.cli.repair import repair
from engine import open_engine
from engine.errors import FieldError, InvalidInput
from engine.model import Cell, StockCount, limits
from engine.model.rules import field_error

app = App(name="stock", help="Look at stock, or set counts from a file.")
app.command(repair)


@app.default
async def show(
    *,
    sku: str | None = None,
    warehouse: str | None = None,
    limit: Annotated[int, Parameter(help="Cells to show.", validator=Number(gte=1))] = 100,
    json: bool = False,
    store: StoreOptions = StoreOptions(),  # noqa: B008 - frozen
) -> int:
    """Show cells: units on hand, reserved, kept back for safety, available."""
    cells: list[Cell] = []
    more: str | None = None
    async with open_engine(store.settings(), attach=True, background=False) as engine:
        while len(cells) < limit:
            page = await engine.stock(
                sku=sku, warehouse=warehouse, cursor=more, limit=min(limit - len(cells), limits.STOCK_ROWS_MAX)
            )
            cells.extend(page.cells)
            more = page.cursor
            if more is None:
                break
    if json:
        print_json(cells)
        return 0
    columns = ("sku", "warehouse", "on hand", "reserved", "safety", "available")
    rows = [(row.sku, row.warehouse, row.on_hand, row.reserved, row.safety, row.available) for row in cells]
    print_table(columns, rows, numbers=columns[2:])
    if more is not None:
        out.print(f"The first {len(cells):,} cells; --limit shows more.")
    return 0


@app.command(name="set")
async def set_counts(
    file: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    json: bool = False,
    store: StoreOptions = StoreOptions(),  # noqa: B008 - frozen
) -> int:
    """Set counts from FILE (.csv with a header, or .json; - reads JSON from standard input): every row or none.

    Columns: sku, warehouse, on_hand and, if wanted, safety.
    """
    rows = read_counts(file)
    async with open_engine(store.settings(), attach=True, background=False) as engine:
        await engine.set_stock(rows)
    if json:
        print_json({"rows": len(rows)})
    else:
        out.print(f"{len(rows):,} counts set.")
    return 0


def read_counts(file: Path) -> list[StockCount]:
    """The rows of a file of counts. Raises InvalidInput, which names file, row and rule."""
    data = read_file(file)
    if file.suffix == ".csv":
        return _csv_rows(file, data)
    return decode_json(file, data, list[StockCount], expected="JSON, nor named .csv")


def _csv_rows(file: Path, data: bytes) -> list[StockCount]:
    try:
        rows = list(csv.DictReader(data.decode("utf-8-sig").splitlines()))
    except (csv.Error, UnicodeDecodeError) as error:
        raise InvalidInput((FieldError(str(file), f"is not CSV in UTF-8: {error}"),)) from None
    return [_row(index, row) for index, row in enumerate(rows)]


def _row(index: int, row: dict[str | Any, str | Any]) -> StockCount:
    if None in row or None in row.values():
        raise InvalidInput((FieldError(f"/{index}", "has not as many columns as the header"),))
    try:
        return msgspec.convert({name: text for name, text in row.items() if text != ""}, StockCount, strict=False)
    except msgspec.ValidationError as error:
        found = field_error(error)
        raise InvalidInput((FieldError(f"/{index}{found.pointer}", found.message),)) from None
