"""The warehouses of the map as a table, for those who cannot or would not read a map."""

from loadtest.result import Place, SaleResult
from pages import amounts, marks
from pages.markup import EMPTY, Markup, clipped, element, text
from pages.tables import Column, Row, folded, note, table

SITES_SHOWN_MAX = 100
NAME_LETTERS_MAX = 48

COLUMNS = (
    Column("Warehouse"),
    Column("Kind"),
    Column("Units shipped", numeric=True),
    Column("Shipments", numeric=True),
    Column("Cost", numeric=True),
)


def site_table(result: SaleResult) -> Markup:
    """The table, folded; nothing without warehouses."""
    if not result.warehouses:
        return EMPTY
    shipments: dict[str, int] = {}
    for flow in result.flows:
        shipments[flow.warehouse] = shipments.get(flow.warehouse, 0) + flow.shipments
    ranked = sorted(result.warehouses, key=lambda site: (-site.units, site.id))
    rows = [_row(site, shipments.get(site.id, 0), result.currency) for site in ranked[:SITES_SHOWN_MAX]]
    hidden = len(ranked) - len(rows)
    rest = f"Not shown: {amounts.counted(hidden, 'warehouse', 'warehouses')} with fewer units." if hidden else ""
    whole = element("div", table("Warehouses by units shipped", COLUMNS, rows), note(rest))
    return folded(f"{amounts.counted(len(ranked), 'warehouse', 'warehouses')} in numbers", whole)


def _row(site: Place, shipments: int, currency: str) -> Row:
    name = element("span", text(clipped(site.name, NAME_LETTERS_MAX)), class_="aside")
    return Row(
        (
            element("span", element("code", text(clipped(site.id, NAME_LETTERS_MAX))), name, class_="named"),
            text(marks.KIND_WORDS[marks.known_kind(site.kind)]),
            text(amounts.count(site.units)),
            text(amounts.count(shipments)),
            text(amounts.money(site.cost, currency)),
        )
    )
