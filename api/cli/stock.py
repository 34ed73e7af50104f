"""`stockade stock`: look at cells, and set counts from a file."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from cyclopts.validators import Number
from rich.progress import Progress

from api.cli.cells import print_cells
from api.cli.console import StoreOptions, counted, err, out, print_json
from api.cli.files import Lines, decode_json, read_csv, read_file
from api.cli.movements import move
from api.cli.opening import open_store
from api.cli.repair import repair
from engine import Engine
from engine.errors import StockadeError
from engine.model import Cell, StockCount, limits

app = App(name="stock", help="Look at stock, set counts from a file, move stock, or repair its books.")
app.command(move)
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
    async with open_store(store.settings()) as engine:
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
    print_cells(cells)
    if more is not None:
        out.print(f"The first {counted(len(cells), 'cell')}; --limit shows more.")
    return 0


@app.command(name="set")
async def set_counts(
    file: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    json: bool = False,
    store: StoreOptions = StoreOptions(),  # noqa: B008 - frozen
) -> int:
    """Set counts from FILE (.csv with a header, or .json; - reads JSON from standard input).

    Columns: sku, warehouse, on_hand and, if wanted, safety. Every row or none, up to 10,000 rows; of more rows that
    many are set at a time, in their order: then what was set before a row that is refused stays set.
    """
    rows, lines = read_counts(file)
    async with open_store(store.settings()) as engine:
        with Progress(console=err, transient=True, disable=len(rows) <= limits.STOCK_ROWS_MAX) as progress:
            shown = progress.add_task("counts", total=len(rows))
            await set_in_parts(engine, rows, lines, done=lambda count: progress.update(shown, completed=count))
    if json:
        print_json({"rows": len(rows)})
    else:
        out.print(f"{counted(len(rows), 'count')} set.")
    return 0


async def set_in_parts(
    engine: Engine,
    rows: Sequence[StockCount],
    lines: Lines | None,
    *,
    done: Callable[[int], None],
    rows_max: int = limits.STOCK_ROWS_MAX,
) -> None:
    """Set counts, `rows_max` at a time, each part whole; `done` is told how many are set.

    Raises what Engine.set_stock raises for the first part, with `lines` for rows, CountsCutShort for a later one.
    """
    for start in range(0, max(len(rows), 1), rows_max):
        part = rows[start : start + rows_max]
        try:
            await engine.set_stock(part)
        except StockadeError as error:
            told = error if lines is None else lines.told(error, start)
            if start == 0:
                raise told from None
            raise CountsCutShort(start, told, by_line=lines is not None) from error
        done(start + len(part))


class CountsCutShort(StockadeError):
    """Some of the counts were set, and then some were refused."""

    def __init__(self, rows_set: int, error: StockadeError, *, by_line: bool) -> None:
        rest = "then" if by_line else f"of those from row {rows_set} on"
        super().__init__(f"The first {counted(rows_set, 'row is', 'rows are')} set; {rest}: {error}")


def read_counts(file: Path) -> tuple[list[StockCount], Lines | None]:
    """The rows of a file of counts, and where they are if it is CSV. Raises InvalidInput, which names what is wrong."""
    data = read_file(file)
    if file.suffix == ".csv":
        return read_csv(file, data, StockCount)
    return decode_json(file, data, list[StockCount], expected="JSON, nor named .csv"), None
