"""Counts and movements that the stock does not allow, as problems: which rows, and what each of them met."""

from api.http.members import Lacking, RefusedRow, RefusedRows
from api.http.problems import ERRORS_MAX, Problem, ProblemType
from engine.errors import FieldError, RefusedStock, StockRefused, StockRule

_TYPES: dict[StockRule, ProblemType] = {
    "expected_on_hand": "expected-on-hand",
    "free": "insufficient-stock",
    "quarantined": "insufficient-stock",
    "inbound": "insufficient-stock",
    "arrivals": "stock-limit",
    "on_hand": "stock-limit",
    "pools": "stock-in-pools",
}


def refused_stock(error: StockRefused) -> Problem:
    """The problem of the first row, with all of them: `rows` holds what was found of what each row met."""
    rows = error.rows[:ERRORS_MAX]
    found = tuple(RefusedRow(row.row, row.rule, row.found) for row in rows)
    type_ = _TYPES[rows[0].rule]
    return Problem(
        type_,
        f"{error}. Nothing was changed.",
        errors=tuple(FieldError(_pointer(row), row.message) for row in rows),
        members=Lacking(rows=found) if type_ == "insufficient-stock" else RefusedRows(found),
    )


def _pointer(row: RefusedStock) -> str:
    if row.rule == "pools":
        # Only counts meet it, which are a list by themselves.
        return f"/{row.row}"
    return f"/rows/{row.row}/{'expected_on_hand' if row.rule == 'expected_on_hand' else 'quantity'}"
