"""`stockade tariff`: what carriers charge, and your own distances and costs."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from api.cli.console import StoreOptions, counted, out, print_json
from api.cli.opening import open_store
from api.cli.tariff_file import read_tariff, told_by_file
from api.cli.tariff_table import print_tariff
from engine import matrix_of
from engine.errors import FieldError, InvalidInput
from engine.model import CostMatrix, DistanceMatrix

app = App(name="tariff", help="Show or set what carriers charge, and your own distances and costs.")

FILE = Annotated[Path, Parameter(allow_leading_hyphen=True)]
CSV = Annotated[Path | None, Parameter(help="CSV: a column of destinations, and one of each warehouse.")]
REMOVE = Annotated[bool, Parameter(help="Have none any more.", negative="")]


@app.default
async def show(*, json: bool = False, store: StoreOptions = StoreOptions()) -> int:  # noqa: B008 - frozen
    """Show carriers, zones and what they charge, in minor units."""
    async with open_store(store.settings()) as engine:
        tariff, matrices = engine.planner.tariff, engine.planner.matrices
    if json:
        print_json(tariff)
        return 0
    if tariff is None:
        out.print("There is no tariff: distance costs what warehouses, or the settings, say.")
    else:
        print_tariff(tariff)
    for of, matrix in matrices.items():
        _print_matrix(of, matrix)
    return 0


def _print_matrix(of: str, matrix: DistanceMatrix | CostMatrix) -> None:
    out.print(
        f"Own {of}s by {matrix.by}: {counted(len(matrix.rows), 'destination')},"
        f" {counted(len(matrix.warehouses), 'warehouse')}."
    )


@app.command(name="set")
async def set_tariff(file: FILE, /, *, store: StoreOptions = StoreOptions()) -> int:  # noqa: B008 - frozen
    """Replace the tariff by that of FILE (.toml, or JSON; - reads JSON from standard input)."""
    tariff = read_tariff(file)
    async with open_store(store.settings(), makes=True) as engine:
        await engine.put_tariff(tariff)
    zones = len(tariff.zones) + sum(len(carrier.zones) for carrier in tariff.carriers)
    out.print(f"The tariff is set. Carriers: {max(1, len(tariff.carriers))}, zones: {zones}.")
    return 0


@app.command
async def check(file: FILE, /) -> int:
    """Find every mistake in the tariff of FILE, with its line in TOML; touches no store."""
    read_tariff(file)
    out.print("The tariff is right.")
    return 0


@app.command
async def distances(
    file: CSV = None,
    /,
    *,
    remove: REMOVE = False,
    store: StoreOptions = StoreOptions(),  # noqa: B008 - frozen
) -> int:
    """Set your own distances in kilometres: they come before the great circle. Empty fields say nothing.

    The first column's name (country, region or postcode) says by what the destinations are named, the others' are
    warehouses. Before regions or postcodes there may be a column `country` that they are of; or write CN:310000.
    """
    matrix = None if _asked(file, remove) is None else matrix_of(DistanceMatrix, str(file))
    async with open_store(store.settings()) as engine:
        with told_by_file(file):
            await engine.set_distances(matrix)
    _print_set("distances", matrix)
    return 0


@app.command
async def costs(
    file: CSV = None,
    /,
    *,
    remove: REMOVE = False,
    store: StoreOptions = StoreOptions(),  # noqa: B008 - frozen
) -> int:
    """Set your own freight costs in minor units a shipment: they come before the tariff. Columns as of distances."""
    matrix = None if _asked(file, remove) is None else matrix_of(CostMatrix, str(file))
    async with open_store(store.settings()) as engine:
        with told_by_file(file):
            await engine.set_costs(matrix)
    _print_set("costs", matrix)
    return 0


def _asked(file: Path | None, remove: bool) -> Path | None:
    if (file is None) != remove:
        raise InvalidInput((FieldError("FILE, --remove", "one of them is needed, and not both"),))
    return file


def _print_set(what: str, matrix: DistanceMatrix | CostMatrix | None) -> None:
    if matrix is None:
        out.print(f"There are no own {what} any more.")
    else:
        _print_matrix(what.removesuffix("s"), matrix)
