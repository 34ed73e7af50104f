"""`stockade assign`: assigns a batch of orders from files to warehouses, near the least cost. Touches no store."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter
from cyclopts.validators import Number
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from api.cli.batch_files import read_problem
from api.cli.batch_table import print_totals, totals_of
from api.cli.console import err, out, print_json
from engine import BatchProgress, assign_batch
from engine.errors import FieldError, InvalidInput
from engine.frames.files import check_written, write_table_file

_LINES = "order_id, sku, quantity, region; placed, frozen, max_shipments, priority, channel."
_PHASES = {"price": "pricing the stock", "build": "placing orders", "improve": "improving"}


def assign(
    *,
    lines: Annotated[Path, Parameter(help=_LINES)],
    stock: Annotated[Path, Parameter(help="sku, warehouse, quantity.")],
    costs: Annotated[Path, Parameter(help="region, warehouse, unit_cost: a row for every pair.")],
    warehouses: Annotated[Path | None, Parameter(help="warehouse, fixed_cost; capacity.")] = None,
    pools: Annotated[Path | None, Parameter(help="channel, sku, warehouse, quantity: for orders of a channel.")] = None,
    fixed_cost: Annotated[int | None, Parameter(help="Of each warehouse that an order uses, for all alike.")] = None,
    unserved_fixed: Annotated[int, Parameter(help="What an order costs of which a unit is not served.")],
    unserved_unit: Annotated[int, Parameter(help="What each unit costs that is not served.")],
    max_shipments: Annotated[int | None, Parameter(help="Warehouses that an order may use.")] = None,
    move_penalty: Annotated[int, Parameter(help="Of each unit not served from where its line is placed.")] = 0,
    time_limit_s: Annotated[float, Parameter(help="Ends with the best so far.", validator=Number(gte=0))] = 60.0,
    threads: Annotated[int | None, Parameter(help="As many as there are processors, if not given.")] = None,
    seed: Annotated[int, Parameter(help="The same seed gives the same answer.")] = 0,
    exact: Annotated[bool, Parameter(help="To the optimum, by HiGHS: small batches, stockade\\[exact].")] = False,
    out_file: Annotated[Path | None, Parameter(name="--out", help="Writes the pieces: .csv or .parquet.")] = None,
    json: bool = False,
) -> int:
    """Assign orders over shared stock, near the least cost, with a proven bound; holds nothing, and asks no store.

    Tables are .csv with a header, or .parquet (stockade\\[frames]). Costs are whole numbers of any one unit. A row of
    --out is units of one line from one warehouse, which is empty where they are not served; `row` is that of --lines.
    Ctrl-C ends the search with the best so far.
    """
    files = {"lines": lines, "stock": stock, "costs": costs}
    files |= {name: file for name, file in (("warehouses", warehouses), ("pools", pools)) if file is not None}
    if out_file is not None:
        check_written(out_file)
        for name, file in files.items():
            if out_file.resolve() == file.resolve():
                raise InvalidInput((FieldError("--out", f"would overwrite --{name}: name another file"),))
    if not json:
        err.print("Reading the tables ...")
    problem = read_problem(
        files,
        fixed_cost=fixed_cost,
        unserved_fixed=unserved_fixed,
        unserved_unit=unserved_unit,
        max_shipments=max_shipments,
        move_penalty=move_penalty,
    )
    with _shown(time_limit_s) as watch:
        try:
            found = assign_batch(
                problem, time_limit_s=time_limit_s, threads=threads, seed=seed, progress=watch, exact=exact
            )
        except InvalidInput as error:
            raise _of_options(error) from None
    totals = totals_of(problem, found)
    columns = {name: values.tolist() for name, values in found.to_columns().items()} if out_file or json else {}
    if out_file is not None:
        write_table_file(out_file, columns)
    if json:
        whole: dict[str, Any] = msgspec.to_builtins(totals)
        print_json(whole if out_file is not None else {**whole, "pieces": columns})
        return 0
    print_totals(totals)
    if out_file is not None:
        out.print(f"{len(columns['quantity']):,} pieces are in {out_file}.", markup=False, soft_wrap=True)
    return 0


@contextmanager
def _shown(time_limit_s: float) -> Iterator[Callable[[BatchProgress], bool]]:
    """A line on standard error that says how far it is. Ctrl-C ends the search; a second one, the command."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not sys.stderr.isatty()) as progress:
        shown = progress.add_task(f"up to {time_limit_s:g} s")
        stops: list[int] = []

        def stop(number: int, _frame: object) -> None:
            if stops:
                raise KeyboardInterrupt
            stops.append(number)

        def watch(now: BatchProgress) -> bool:
            best = "" if now.cost is None else f", cost {now.cost:,}, at most {now.gap:.2%} above the least"
            progress.update(shown, description=f"{_PHASES[now.phase]}{best}")
            return not stops

        before = signal.signal(signal.SIGINT, stop)
        try:
            yield watch
        finally:
            signal.signal(signal.SIGINT, before)


def _of_options(error: InvalidInput) -> InvalidInput:
    """Rules of arguments, by the names of options."""
    named = tuple(
        msgspec.structs.replace(one, pointer="--" + one.pointer.strip("/").replace("_", "-")) for one in error.errors
    )
    return InvalidInput(named)
