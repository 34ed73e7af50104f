"""The tables of the report: warehouses, regions, ways between warehouses, and why orders stay as they are."""

from collections.abc import Sequence

from api.reallocation_report.flows import Flow
from api.reallocation_report.map import region_name
from api.reallocation_report.words import reason
from engine.reallocation.model import ReallocationPlan, Told, WarehouseChange
from pages import amounts
from pages.markup import EMPTY, Markup, clipped, element, join, text
from pages.tables import Column, Row, bar, folded, note, table

ROWS_SHOWN_MAX = 100
NAME_LETTERS_MAX = 48


def warehouse_table(plan: ReallocationPlan) -> Markup:
    """Warehouses, those that change most first."""
    ranked = sorted(plan.by_warehouse, key=lambda one: (not one.down, -(one.units_out + one.units_in), one.warehouse))
    most = max((max(one.units_before, one.units_after) for one in ranked), default=0)
    columns = (
        Column("Warehouse"),
        Column("Units before", numeric=True),
        Column("Units after"),
        Column("Leave", numeric=True),
        Column("Come", numeric=True),
        Column("Shipments before", numeric=True),
        Column("after", numeric=True),
    )
    rows = [_warehouse(one, most) for one in ranked[:ROWS_SHOWN_MAX]]
    return join((table("Units and shipments of the orders looked at", columns, rows), _rest(ranked, "warehouses")))


def _warehouse(one: WarehouseChange, most: int) -> Row:
    name = element("code", text(clipped(one.warehouse, NAME_LETTERS_MAX)))
    # A warehouse that is down and still holds units has orders that nothing else serves.
    left = one.down and one.units_after > 0
    words = f"{amounts.count(one.units_after)} stay" if left else amounts.count(one.units_after)
    return Row(
        (
            element("span", name, element("span", text("down"), class_="aside"), class_="named") if one.down else name,
            text(amounts.count(one.units_before)),
            bar(amounts.share(one.units_after, most), words, style="alarm" if left else ""),
            text(amounts.count(one.units_out) if one.units_out else amounts.NOTHING),
            text(amounts.count(one.units_in) if one.units_in else amounts.NOTHING),
            text(amounts.count(one.shipments_before)),
            text(amounts.count(one.shipments_after)),
        ),
        alarming=left,
    )


def region_table(plan: ReallocationPlan) -> Markup:
    """Regions, those with orders unserved first, then those with most orders that move."""
    ranked = sorted(plan.by_region, key=lambda one: (-one.unserved, -one.moved, -one.orders, region_name(one)))
    columns = (
        Column("Orders go to"),
        Column("Orders", numeric=True),
        Column("Moved", numeric=True),
        Column("Cost before", numeric=True),
        Column("Cost after", numeric=True),
        Column("Difference", numeric=True),
        Column("Unserved", numeric=True),
    )
    rows = [
        Row(
            (
                text(region_name(one)),
                text(amounts.count(one.orders)),
                text(amounts.count(one.moved)),
                text(amounts.money(one.cost_before, plan.currency)),
                text(amounts.money(one.cost_after, plan.currency)),
                text(difference(one.cost_after - one.cost_before, plan.currency)),
                text(amounts.count(one.unserved) if one.unserved else amounts.NOTHING),
            ),
            alarming=one.unserved > 0,
        )
        for one in ranked[:ROWS_SHOWN_MAX]
    ]
    return join((table("By where the orders go", columns, rows), _rest(ranked, "regions")))


def difference(minor: int, currency: str) -> str:
    """A change of cost with its sign."""
    if not minor:
        return amounts.NOTHING
    return f"{'+' if minor > 0 else '−'}{amounts.money(abs(minor), currency)}"


def flow_table(flows: Sequence[Flow]) -> Markup:
    """Ways between warehouses, folded; nothing where nothing moves."""
    if not flows:
        return EMPTY
    total = sum(flow.units for flow in flows)
    columns = (Column("From"), Column("To"), Column("Units", numeric=True), Column("Of all that move"))
    rows = [
        Row(
            (
                text(clipped(flow.from_warehouse or "waited for stock", NAME_LETTERS_MAX)),
                element("code", text(clipped(flow.to_warehouse, NAME_LETTERS_MAX))),
                text(amounts.count(flow.units)),
                bar(amounts.share(flow.units, total), amounts.percent(amounts.share(flow.units, total))),
            )
        )
        for flow in flows[:ROWS_SHOWN_MAX]
    ]
    whole = join((table("Units between warehouses", columns, rows), _rest(flows, "ways")))
    return folded(f"{amounts.counted(len(flows), 'way', 'ways')} in numbers", whole)


def reason_table(caption: str, told: Sequence[Told]) -> Markup:
    """How many orders, and why; nothing where there are none."""
    if not told:
        return EMPTY
    columns = (Column("Why"), Column("Orders", numeric=True), Column("In words"))
    ranked = sorted(told, key=lambda one: -one.orders)
    rows = [
        Row((element("code", text(one.why)), text(amounts.count(one.orders)), text(reason(one.why)))) for one in ranked
    ]
    return table(caption, columns, rows)


def _rest(rows: Sequence[object], many: str) -> Markup:
    hidden = len(rows) - ROWS_SHOWN_MAX
    return note(f"Not shown: {amounts.count(hidden)} more {many}." if hidden > 0 else "")
