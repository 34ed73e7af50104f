"""Puts the report of a re-allocation together. The one file that knows the order of its parts."""

from datetime import UTC, datetime

from api.reallocation_report.figures import run_figures
from api.reallocation_report.flows import flows_of
from api.reallocation_report.judging import judge
from api.reallocation_report.map import change_map
from api.reallocation_report.tables import flow_table, reason_table, region_table, warehouse_table
from api.reallocation_report.words import STATES, asked
from engine.reallocation.model import ReallocationPlan, ReallocationStatus
from engine.reallocation.moves import Moves
from pages import amounts
from pages.figures import facts
from pages.markup import Markup, clipped, element, join, text
from pages.sheet import section, sheet, verdict

FACT_LETTERS_MAX = 200


def render_reallocation(status: ReallocationStatus, moves: Moves) -> str:
    """The page of a run as one HTML document that loads nothing else; `moves` as the run has them."""
    judged = judge(status)
    first = verdict(
        judged.tone,
        judged.badge,
        judged.sentences,
        lead=judged.lead,
        reasons=[clipped(one, 400) for one in judged.reasons],
    )
    parts = [first] if status.plan is None else [first, *_of_plan(status, status.plan, moves)]
    return sheet(
        *parts,
        section("provenance", "Which run this is", "", _provenance(status)),
        title=f"{' '.join(judged.sentences)} Stockade re-allocation {clipped(status.id, 64)}",
        brand="re-allocation report",
        when=instant(status.created_at_ms),
    )


def _of_plan(status: ReallocationStatus, plan: ReallocationPlan, moves: Moves) -> list[Markup]:
    flows = flows_of(moves)
    return [
        section("figures", "Key figures", "", run_figures(status, plan)),
        section("map", "Before and after", "", change_map(plan, flows), flow_table(flows)),
        section("warehouses", "Warehouses", "", warehouse_table(plan)),
        section("regions", "Where the orders go", "", region_table(plan)),
        section("unserved", "What stays as it is, and why", "", _reasons(status, plan)),
    ]


def _reasons(status: ReallocationStatus, plan: ReallocationPlan) -> Markup:
    tables = [
        reason_table("Unserved: nothing was found for these orders", plan.unserved),
        reason_table("Would have been moved by the assignment, and stay", plan.not_moved),
        reason_table("Asked for, and not looked at", plan.left_out),
        reason_table("Skipped when it was applied", status.skipped),
        reason_table("Not taken back", status.not_rolled_back),
    ]
    found = [one for one in tables if one]
    if not found:
        return element("p", text("Every order that was asked for was looked at, and is served."), class_="empty")
    return join(found)


def _provenance(status: ReallocationStatus) -> Markup:
    command = f"stockade reallocate show {status.id}"
    told = [
        ("Run", element("code", text(clipped(status.id, FACT_LETTERS_MAX)))),
        ("State", text(STATES[status.state])),
        ("Asked for", text(clipped(asked(status), FACT_LETTERS_MAX))),
        ("Begun at", text(instant(status.created_at_ms))),
    ]
    if status.request.reason is not None:
        told.append(("Reason", text(clipped(status.request.reason, FACT_LETTERS_MAX))))
    if status.plan is not None:
        told += [
            ("Planned at", text(instant(status.plan.planned_at_ms))),
            ("Planned in", text(amounts.seconds(status.plan.planned_in_s))),
            ("Orders in the store", text(amounts.count(status.plan.orders_seen))),
            ("Seed", text(str(status.request.seed))),
        ]
    return facts((*told, ("See it again", element("code", text(clipped(command, FACT_LETTERS_MAX))))))


def instant(ms: int) -> str:
    """Milliseconds since 1970 for people."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
