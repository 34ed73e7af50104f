"""`stockade skus`: look at what is sold, bundles and substitutes among it, and define it from a file."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from cyclopts.validators import Number

from api.cli.console import EXIT_FINDING, StoreOptions, counted, err, out, print_json
from api.cli.files import decode_json, read_file
from api.cli.opening import open_store
from api.cli.table import print_table
from engine.errors import FieldError, InvalidInput
from engine.model import Sku, limits
from engine.model.rules import PRINTABLE, printable

app = App(name="skus", help="Look at what is sold, or define it from a file.")


@app.default
async def show(
    sku: str | None = None,
    /,
    *,
    limit: Annotated[int, Parameter(help="SKUs to list.", validator=Number(gte=1))] = 50,
    json: bool = False,
    store: StoreOptions = StoreOptions(),  # noqa: B008 - frozen
) -> int:
    """List SKUs by name, or show one."""
    async with open_store(store.settings()) as engine:
        known = engine.planner.skus
    if sku is not None and sku not in known:
        err.print(f'No SKU has the name "{sku}".', markup=False)
        return EXIT_FINDING
    found = [known[name] for name in sorted(known)[:limit]] if sku is None else [known[sku]]
    if json:
        print_json(found if sku is None else found[0])
        return 0
    rows = [
        (row.sku, row.name or "", "" if row.components else row.weight_g, row.purchase_limit or "", _stands_for(row))
        for row in found
    ]
    print_table(("sku", "name", "weight g", "limit", ""), rows, numbers=("weight g", "limit"))
    if sku is None:
        out.print(f"{len(found):,} of {counted(len(known), 'SKU')}.")
    return 0


@app.command(name="set")
async def set_skus(
    file: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    json: bool = False,
    store: StoreOptions = StoreOptions(),  # noqa: B008 - frozen
) -> int:
    """Add or replace the SKUs of FILE, a JSON list; - reads standard input. All of them or none, 10,000 at the most."""
    skus = decode_json(file, read_file(file), list[Sku])
    if not 1 <= len(skus) <= limits.STOCK_ROWS_MAX:
        raise InvalidInput((FieldError("", f"must be 1 to {limits.STOCK_ROWS_MAX} SKUs, not {len(skus)}"),))
    if wrong := [FieldError(f"/{index}/sku", PRINTABLE) for index, row in enumerate(skus) if not printable(row.sku)]:
        raise InvalidInput(tuple(wrong))
    async with open_store(store.settings(), makes=True) as engine:
        await engine.put_skus(skus)
    if json:
        print_json({"skus": len(skus)})
    else:
        out.print(f"{counted(len(skus), 'SKU')} set.")
    return 0


def _stands_for(sku: Sku) -> str:
    if sku.components:
        return "made of " + ", ".join(f"{part.quantity} x {part.sku}" for part in sku.components)
    return "or " + ", ".join(sku.substitutes) if sku.substitutes else ""
