"""`stockade stock move`: one movement of stock, from a file."""

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.text import Text

from api.cli.cells import print_cells
from api.cli.console import StoreOptions, counted, out, print_json
from api.cli.files import Lines, decode_json, read_csv, read_file
from api.cli.opening import open_store
from engine.errors import FieldError, InvalidInput, StockadeError
from engine.model import Movement, MovementRow, MovementType
from engine.model.wire_error import field_error


async def move(
    file: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    type_: Annotated[MovementType | None, Parameter(name="--type", help="Of rows in CSV.")] = None,
    id_: Annotated[str | None, Parameter(name="--id", help="Of rows in CSV: names the movement for ever.")] = None,
    reason: Annotated[str | None, Parameter(help="Of rows in CSV.")] = None,
    json: bool = False,
    store: StoreOptions = StoreOptions(),  # noqa: B008 - frozen
) -> int:
    """Do one movement of stock, every row or none: FILE is a movement as JSON (- reads it from standard input), or its
    rows as .csv with a header.

    Columns: sku, warehouse, quantity, and as the type needs them expected_on_hand, to_warehouse, arrives_at, inbound,
    channel. The same id again changes nothing.
    """
    movement, lines = read_movement(file, type_, id_, reason)
    async with open_store(store.settings()) as engine:
        try:
            moved = await engine.move(movement)
        except StockadeError as error:
            raise (error if lines is None else lines.told(error)) from None
    if json:
        print_json(moved)
        return 0
    if moved.replayed:
        out.print(Text(f"{moved.movement_id} was done before; nothing was changed. The cells as they stand now:"))
    else:
        out.print(Text(f"{moved.movement_id}: {moved.type}, {counted(moved.rows, 'row')}. The cells since:"))
    print_cells(moved.cells)
    return 0


def read_movement(
    file: Path, type_: MovementType | None, id_: str | None, reason: str | None
) -> tuple[Movement, Lines | None]:
    """The movement that a file holds, or the rows of one, and where they are in CSV.

    Raises InvalidInput, which names what is wrong.
    """
    data = read_file(file)
    if file.suffix != ".csv":
        given = {"--type": type_, "--id": id_, "--reason": reason}
        if errors := tuple(
            FieldError(name, "is for rows in CSV") for name, value in given.items() if value is not None
        ):
            raise InvalidInput(errors)
        return decode_json(file, data, Movement, expected="JSON, nor named .csv"), None
    if type_ is None or id_ is None:
        raise InvalidInput((FieldError("--type, --id", "are needed for rows in CSV"),))
    rows, lines = read_csv(file, data, MovementRow, pointer="/rows")
    fields = {"movement_id": id_, "type": type_, "rows": msgspec.to_builtins(rows), "reason": reason}
    try:
        movement = msgspec.convert({name: value for name, value in fields.items() if value is not None}, Movement)
    except msgspec.ValidationError as error:
        raise InvalidInput((field_error(error, Movement),)) from None
    return movement, lines
