"""Prints what each shipment of a plan costs by its parts, and how late it is: the explanation of what was chosen.

It fits terminals of 80 columns.
"""

from typing import Any

from api.cli.console import out
from api.cli.table import print_table

PARTS = ("handling", "picking", "freight", "way")

Row = dict[str, Any]


def print_shipments(explanation: Row) -> None:
    """A row a shipment, and the total, where there are several; and how late the order is, where it is due on a day."""
    chosen = explanation.get("chosen")
    if chosen is None:
        return
    if due_on := explanation.get("due_on"):
        out.print(_lateness(due_on, chosen), markup=False)
    shipments: list[Row] = chosen["shipments"]
    if len(shipments) > 1:
        _print_table(shipments, chosen, explanation["score_scale"], late=due_on is not None)


def _print_table(shipments: list[Row], chosen: Row, scale: int, *, late: bool) -> None:
    parts = [part for part in PARTS if part != "way" or chosen["cost"]["way"]]
    penalties = any(_penalties(row) for row in (*shipments, chosen))
    prices = any("price" in row["score"] for row in shipments)
    columns = ["warehouse", "billed g", *parts, "cost"]
    columns += [*(["penalties"] if penalties else []), *(["prices"] if prices else []), *(["late"] if late else [])]

    def cells(name: str, row: Row, by: str) -> list[str]:
        money = [*(row["cost"][part] for part in parts), row["cost"]["total"]]
        added = [_penalties(row)] * penalties + [row["score"].get("price", 0)] * prices
        billed = f"{row['billed_g']:,}" if "billed_g" in row else "-"
        days = [f"{row['days_late']} d" if "days_late" in row else "-"] * late
        amounts = [f"{amount / 100:,.2f}" for amount in money] + [f"{amount / scale / 100:,.2f}" for amount in added]
        return [name, billed, *amounts, *days, by]

    rows = [cells(row["warehouse"], row, carriage_text(row)) for row in shipments]
    if split := chosen["score"].get("split"):
        blank = [""] * (2 + len(parts))
        rest = [""] * (prices + late)
        rows.append(["split", *blank, f"{split / scale / 100:,.2f}", *rest, ""])
    rows.append(["total", "", *cells("", chosen, "")[2:]])
    out.print("Shipments, each by its parts" + ("; penalties and prices are not paid:" if penalties or prices else ":"))
    print_table([*columns, "note"], rows, numbers=tuple(columns[1:]), under=("note",))


def carriage_text(row: Row) -> str:
    """The carrier and its zone, and what comes from the user's own numbers."""
    names = [row[name] for name in ("carrier", "zone") if name in row]
    own = [name.replace("_", " ") for name in ("own_cost", "own_distance") if row.get(name)]
    return ", ".join([*names, *own])


def _penalties(row: Row) -> int:
    """All that the policy adds to a cost but prices, as the score is scaled."""
    score: dict[str, int] = row["score"]
    return score["total"] - score["cost"] - score.get("price", 0)


def _lateness(due_on: str, chosen: Row) -> str:
    if (days := chosen.get("days_late")) is None:
        return f"Due on {due_on}; no day is promised for all of it."
    if days == 0:
        return f"Due on {due_on}; promised on {chosen['promised_on']}, in time."
    charged = f"{chosen['lateness_cost'] / 100:,.2f}" if chosen["lateness_cost"] else "nothing"
    return (
        f"Due on {due_on}; promised on {chosen['promised_on']}, {days} day{'' if days == 1 else 's'} late,"
        f" for which the policy counts {charged}."
    )
