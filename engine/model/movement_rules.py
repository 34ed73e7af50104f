"""Rules of movements that a shape cannot say: which fields a type takes, and which quantities."""

from collections.abc import Mapping
from datetime import UTC

import msgspec

from engine.errors import FieldError, InvalidInput
from engine.model.movement import Movement, MovementRow, MovementType
from engine.model.rules import PRINTABLE, printable
from engine.model.wire_error import field_error

_FIELDS: Mapping[MovementType, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "receive": (("quantity",), ("inbound",)),
    "adjust": (("quantity",), ()),
    "return": (("quantity",), ()),
    "quarantine": (("quantity",), ()),
    "release_quarantine": (("quantity",), ()),
    "scrap": (("quantity",), ()),
    "transfer": (("quantity", "to_warehouse"), ("arrives_at",)),
    "inbound": (("quantity", "arrives_at"), ()),
    "cancel_inbound": (("inbound",), ("quantity",)),
    "allot": (("quantity", "channel"), ()),
}
"""Fields that rows of a type must have, and those that they may have beside `expected_on_hand`."""

_SPECIAL = ("quantity", "to_warehouse", "arrives_at", "inbound", "channel")

_SIGNED = ("adjust", "allot")
"""Types whose quantity may be below zero."""

_decoder = msgspec.json.Decoder(Movement)


def check_movement(movement: Movement) -> Movement:
    """The movement as it would come over the wire, with instants in UTC. Raises InvalidInput."""
    try:
        movement = _decoder.decode(msgspec.json.encode(movement))
    except msgspec.ValidationError as error:
        raise InvalidInput((field_error(error, Movement),)) from None
    except UnicodeEncodeError as error:
        raise InvalidInput((FieldError("", f"holds text that is not Unicode: {error.reason}"),)) from None
    errors: list[FieldError] = []
    if not printable(movement.movement_id):
        errors.append(FieldError("/movement_id", PRINTABLE))
    seen: dict[tuple[str | None, ...], int] = {}
    for index, row in enumerate(movement.rows):
        errors += _row_errors(movement.type, f"/rows/{index}", row)
        first = seen.setdefault((row.sku, row.warehouse, row.to_warehouse, row.inbound, row.channel), index)
        if first != index:
            errors.append(FieldError(f"/rows/{index}", f"names the same cell as row {first}"))
    if errors:
        raise InvalidInput(tuple(errors))
    if any(row.arrives_at for row in movement.rows):
        movement = msgspec.structs.replace(movement, rows=tuple(map(_in_utc, movement.rows)))
    return movement


def _row_errors(type_: MovementType, pointer: str, row: MovementRow) -> list[FieldError]:
    required, optional = _FIELDS[type_]
    errors = []
    for name in _SPECIAL:
        given = getattr(row, name) is not None
        if name in required and not given:
            errors.append(FieldError(f"{pointer}/{name}", f"is needed for {type_}"))
        elif given and name not in required and name not in optional:
            errors.append(FieldError(f"{pointer}/{name}", f"has no meaning for {type_}"))
    if row.quantity == 0 or ((row.quantity or 0) < 0 and type_ not in _SIGNED):
        rule = "must not be 0" if type_ in _SIGNED else "must be 1 or more"
        errors.append(FieldError(f"{pointer}/quantity", rule))
    if row.to_warehouse == row.warehouse:
        errors.append(FieldError(f"{pointer}/to_warehouse", "must be another than it comes from"))
    return errors


def _in_utc(row: MovementRow) -> MovementRow:
    if row.arrives_at is None:
        return row
    return msgspec.structs.replace(row, arrives_at=row.arrives_at.astimezone(UTC))
