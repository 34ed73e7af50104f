"""Prints a re-allocation: in words, and by warehouse and region."""

from collections.abc import Sequence
from typing import Any

import msgspec

from api.cli.console import EXIT_FINDING, StoreOptions, counted, money, out, print_json
from api.cli.table import print_table
from api.reallocation_report.judging import judge
from api.reallocation_report.map import region_name
from api.reallocation_report.words import asked, reason
from engine.reallocation.model import ReallocationPlan, ReallocationStatus, Told
from pages.sheet import Tone

ROWS_MAX = 40
"""Regions that are printed; all of them are in the JSON."""

_STYLES = {Tone.GOOD: "green", Tone.WARN: "yellow", Tone.ALARM: "red"}


def exit_code(status: ReallocationStatus) -> int:
    """1 where it failed, or something was not done."""
    return EXIT_FINDING if status.state == "failed" or status.skipped or status.not_rolled_back else 0


def print_run(status: ReallocationStatus, store: StoreOptions, *, json: bool) -> None:
    """The run, for people or for machines; what may be done next, on the same store."""
    if json:
        print_json(as_json(status))
        return
    judged = judge(status)
    out.print(f"{status.id}: {asked(status)}.", markup=False, soft_wrap=True)
    style = _STYLES[judged.tone]
    out.print(f"{judged.badge}. {' '.join(judged.sentences)}", style=style, markup=False, soft_wrap=True)
    out.print(judged.lead, markup=False, soft_wrap=True)
    if status.plan is not None:
        _print_plan(status, status.plan)
    if next_step := _next(status):
        out.print()
        out.print(f"{next_step}{store.words}", markup=False, soft_wrap=True)


def as_json(status: ReallocationStatus) -> dict[str, Any]:
    """The run as a value, with what is reckoned from it."""
    found: dict[str, Any] = msgspec.to_builtins(status)
    if status.plan is not None:
        plan = status.plan
        found["plan"] |= {"saved": plan.saved, "gap": plan.gap, "orders_unserved": plan.orders_unserved}
    return found


def _print_plan(status: ReallocationStatus, plan: ReallocationPlan) -> None:
    before, after = plan.cost_before, plan.cost_after - plan.filled_cost
    if status.state != "planned":
        out.print("As it was planned:")
    out.print(
        f"Cost {money(before, plan.currency)} before, {money(after, plan.currency)} after;"
        f" {plan.shipments_before:,} shipments before, {plan.shipments_after:,} after;"
        f" {counted(plan.units_moved, 'unit')} in {counted(plan.moves, 'move')}."
    )
    if plan.filled_cost:
        out.print(f"Orders that waited for stock are filled for {money(plan.filled_cost, plan.currency)}.")
    _print_told("Unserved", plan.unserved)
    _print_told("Stay where they are", plan.not_moved)
    _print_told("Not looked at", plan.left_out)
    _print_told("Skipped", status.skipped)
    _print_told("Not taken back", status.not_rolled_back)
    if plan.by_warehouse:
        out.print()
        _print_warehouses(plan)
    if plan.by_region:
        out.print()
        _print_regions(plan)


def _print_told(what: str, told: Sequence[Told]) -> None:
    if told:
        reasons = "; ".join(f"{counted(one.orders, 'order')}: {reason(one.why)}" for one in told)
        out.print(f"{what}: {reasons}.", markup=False, soft_wrap=True)


def _print_warehouses(plan: ReallocationPlan) -> None:
    columns = ("warehouse", "units before", "after", "leave", "come", "shipments before", "after ")
    ranked = sorted(plan.by_warehouse, key=lambda one: (not one.down, -(one.units_out + one.units_in), one.warehouse))
    rows = [
        (
            f"{one.warehouse} (down)" if one.down else one.warehouse,
            one.units_before,
            one.units_after,
            one.units_out or "-",
            one.units_in or "-",
            one.shipments_before,
            one.shipments_after,
        )
        for one in ranked
    ]
    print_table(columns, rows, numbers=columns[1:])


def _print_regions(plan: ReallocationPlan) -> None:
    columns = ("orders go to", "orders", "moved", "cost before", "after", "unserved")
    ranked = sorted(plan.by_region, key=lambda one: (-one.unserved, -one.moved, -one.orders, region_name(one)))
    rows = [
        (
            region_name(one),
            one.orders,
            one.moved,
            f"{one.cost_before / 100:,.2f}",
            f"{one.cost_after / 100:,.2f}",
            one.unserved or "-",
        )
        for one in ranked[:ROWS_MAX]
    ]
    print_table(columns, rows, numbers=columns[1:])
    if len(ranked) > ROWS_MAX:
        out.print(f"The first {ROWS_MAX} of {len(ranked):,} regions; --json and --report have more.")


def _next(status: ReallocationStatus) -> str:
    """What may be done now."""
    match status.state:
        case "planned" if status.plan is not None and status.plan.orders_moved:
            return f"Nothing has moved yet: stockade reallocate apply {status.id}"
        case "applying" | "rolling_back" | "planning":
            return f"If nobody is at it any more: stockade reallocate resume {status.id}"
        case "applied" | "cancelled" if status.applied:
            return f"While nothing has shipped it can be taken back: stockade reallocate rollback {status.id}"
        case _:
            return ""
