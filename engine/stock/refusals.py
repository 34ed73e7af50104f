"""What the stock did not allow, in words: letters of movements.lua as rules, with what was found."""

from collections.abc import Sequence

from engine.errors import RefusedStock, StockRefused, StockRule
from engine.model import Movement, MovementRow, limits
from engine.store import RefusedRow

_RULES: dict[str, StockRule] = {
    "S": "free",
    "E": "expected_on_hand",
    "Q": "quarantined",
    "I": "inbound",
    "T": "arrivals",
    "M": "on_hand",
    "L": "pools",
}


def refused_movement(movement: Movement, rows: Sequence[RefusedRow]) -> StockRefused:
    """The error of a movement that was refused."""
    return StockRefused(
        tuple(
            RefusedStock(row.row, _RULES[row.letter], row.found, _words(movement, movement.rows[row.row], row))
            for row in rows
        )
    )


def refused_counts(rows: Sequence[RefusedRow]) -> StockRefused:
    """The error of counts for which pools hold too much."""
    return StockRefused(
        tuple(
            RefusedStock(
                row.row,
                _RULES[row.letter],
                row.found,
                f"pools of channels hold {row.found} units, and the rest does not suffice: allot them back first",
            )
            for row in rows
        )
    )


def _words(movement: Movement, row: MovementRow, refused: RefusedRow) -> str:
    found, quantity = refused.found, abs(row.quantity or 0)
    match refused.letter:
        case "S" if movement.type == "allot" and (row.quantity or 0) < 0:
            return f'{quantity} units are wanted back, the pool of "{row.channel}" has {found}'
        case "S":
            return f"{quantity} units are wanted, {found} are free (not reserved, not safety stock, in no pool)"
        case "E":
            return f"{row.expected_on_hand} units were expected on hand, {found} are"
        case "Q":
            return f"{quantity} units are wanted, {found} are quarantined"
        case "I" if found == 0:
            return f'nothing is announced as "{row.inbound}"'
        case "I":
            return f'{quantity} units are wanted, {found} are announced as "{row.inbound}"'
        case "T":
            return f"{found} arrivals are open already, and no cell may have more: receive them, or call them off"
        case _:
            return f"{found} units are there, and no cell may hold more than {limits.ON_HAND_MAX}"
