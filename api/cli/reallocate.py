"""`stockade reallocate`: works out where open orders would better ship from, and moves them if that is wanted."""

import re
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter

from api.cli.console import StoreOptions
from api.cli.opening import open_store
from api.cli.reallocation_files import check_files, write_files
from api.cli.reallocation_progress import shown_progress
from api.cli.reallocation_run import apply, cancel, list_runs, resume, rollback, show
from api.cli.reallocation_table import exit_code, print_run
from engine.errors import FieldError, InvalidInput
from engine.model.wire_error import field_error
from engine.reallocation.model import ReallocationRequest

app = App(name="reallocate", help="Look at open orders anew: where each would better ship from; then move them.")
app.command(list_runs, name="list")
for command in (show, apply, resume, cancel, rollback):
    app.command(command)

Names = Annotated[list[str] | None, Parameter(negative="")]


@app.default
async def reallocate(
    *,
    warehouse_down: Annotated[str | None, Parameter(help="Its orders leave it, whatever that costs.")] = None,
    warehouse: Annotated[Names, Parameter(help="Orders that hold stock there.")] = None,
    country: Annotated[Names, Parameter(help="Orders that go there, as ship_to.country says.")] = None,
    region: Annotated[Names, Parameter(help="Orders that go there, as ship_to.region says.")] = None,
    sku: Annotated[Names, Parameter(help="Orders that hold it, or wait for it.")] = None,
    older_than_s: Annotated[int | None, Parameter(help="Orders taken so long ago, or longer.")] = None,
    backordered: Annotated[bool, Parameter(negative="", help="Orders that wait for stock.")] = False,
    all_open: Annotated[bool, Parameter(negative="", help="Every order of which nothing has left.")] = False,
    exclude: Annotated[Names, Parameter(help="Warehouses to which nothing is moved.")] = None,
    move_penalty: Annotated[int, Parameter(help="What an order must save for each unit moved, minor units.")] = 0,
    max_moves: Annotated[int | None, Parameter(help="Orders moved at the most.")] = None,
    max_shipments: Annotated[int | None, Parameter(help="Shipments of a moved order.")] = None,
    time_limit_s: Annotated[float | None, Parameter(help="How long to improve, 60 if not given.")] = None,
    seed: Annotated[int, Parameter(help="The same seed plans alike.")] = 0,
    reason: Annotated[str | None, Parameter(help="Told in the events of orders that move.")] = None,
    id_: Annotated[str | None, Parameter(name="--id", help="Names the run: the same id is the same run.")] = None,
    apply: Annotated[bool, Parameter(negative="--dry-run", help="Move what was planned; else nothing moves.")] = False,
    report: Annotated[Path | None, Parameter(help="Writes an HTML file with maps of before and after.")] = None,
    moves: Annotated[Path | None, Parameter(help="Writes what moves: .csv or .parquet.")] = None,
    json: bool = False,
    store: StoreOptions = StoreOptions(),  # noqa: B008 - frozen
) -> int:
    """Plan a re-allocation of open orders and tell what it would do; --apply does it.

    What is named narrows the choice, all of it. A run is kept: `reallocate apply RUN` moves what was planned,
    `reallocate rollback RUN` takes it back while nothing has shipped. Exit 1 where it failed or orders were skipped.
    """
    request = _request(
        id=id_,
        warehouse_down=warehouse_down,
        warehouses=warehouse,
        countries=country,
        regions=region,
        skus=sku,
        older_than_s=older_than_s,
        backordered=backordered or None,
        all_open=all_open or None,
        excluded_warehouses=exclude,
        move_penalty=move_penalty,
        max_moves=max_moves,
        max_shipments=max_shipments,
        time_limit_s=time_limit_s,
        seed=seed,
        reason=reason,
    )
    check_files(report, moves)
    async with open_store(store.settings()) as engine:
        with shown_progress() as progress:
            try:
                run = await engine.reallocate(request, dry_run=not apply, progress=progress)
            except InvalidInput as error:
                raise of_options(error) from None
        await write_files(run, report, moves)
        status = run.status
    print_run(status, store, json=json)
    return exit_code(status)


_OPTIONS = {
    "id": "--id",
    "warehouses": "--warehouse",
    "countries": "--country",
    "regions": "--region",
    "skus": "--sku",
    "excluded_warehouses": "--exclude",
}
"""Of the fields of a request whose options are called otherwise."""

_FIELDS = re.compile(rf"\b({'|'.join(ReallocationRequest.__struct_fields__)})\b")


def _request(**given: Any) -> ReallocationRequest:
    """The request of options. Raises InvalidInput, which names them."""
    fields = {name: value for name, value in given.items() if value is not None}
    try:
        return msgspec.convert(fields, ReallocationRequest)
    except msgspec.ValidationError as error:
        raise of_options(InvalidInput((field_error(error, ReallocationRequest, fields),))) from None


def of_options(error: InvalidInput) -> InvalidInput:
    """Mistakes in a request as those of options."""
    told = []
    for one in error.errors:
        name = one.pointer.lstrip("/").split("/")[0]
        # Of the whole request it is said which fields there are.
        message = one.message if name else _FIELDS.sub(lambda found: _option(found[0]), one.message)
        told.append(FieldError(_option(name) if name else "reallocate", message))
    return InvalidInput(tuple(told))


def _option(field: str) -> str:
    return _OPTIONS.get(field, f"--{field.replace('_', '-')}")
