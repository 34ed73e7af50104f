"""The key figures of a re-allocation, in groups: orders, cost, what moves, what was done."""

from engine.reallocation.model import ReallocationPlan, ReallocationStatus
from pages import amounts
from pages.figures import Figure, group, groups
from pages.markup import Markup


def run_figures(status: ReallocationStatus, plan: ReallocationPlan) -> Markup:
    """The groups."""
    parts = [
        group("Orders", _orders(plan)),
        group("Cost", _cost(plan)),
        group("What moves", _moves(plan)),
    ]
    if status.state not in ("planning", "planned"):
        parts.append(group("What was done", _done(status, plan)))
    return groups(*parts)


def _orders(plan: ReallocationPlan) -> list[Figure]:
    unserved, left_out = plan.orders_unserved, sum(one.orders for one in plan.left_out)
    return [
        Figure("Looked at", amounts.count(plan.orders_chosen), f"of {amounts.count(plan.orders_seen)} in the store"),
        Figure("Move", amounts.count(plan.orders_moved), f"{_share(plan.orders_moved, plan.orders_chosen)} of these"),
        Figure("Unserved", amounts.count(unserved), "stay, or wait on", tone="warning" if unserved else ""),
        Figure("Left out", amounts.count(left_out), "asked for, and not looked at"),
    ]


def _cost(plan: ReallocationPlan) -> list[Figure]:
    saved = plan.saved
    figures = [
        Figure("Before", amounts.money(plan.cost_before, plan.currency), "of orders that hold stock"),
        Figure("After", amounts.money(plan.cost_after - plan.filled_cost, plan.currency), "of the same"),
        Figure(
            "Saved" if saved >= 0 else "Added",
            amounts.money(abs(saved), plan.currency),
            f"{_share(abs(saved), plan.cost_before)} of before",
        ),
        Figure("Gap", amounts.percent(plan.gap), "of the model's cost not proven needed"),
    ]
    if plan.filled_cost:
        figures.append(Figure("Filled", amounts.money(plan.filled_cost, plan.currency), "orders that waited for stock"))
    return figures


def _moves(plan: ReallocationPlan) -> list[Figure]:
    fewer = plan.shipments_before - plan.shipments_after
    words = f"{amounts.count(abs(fewer))} {'fewer' if fewer > 0 else 'more'}" if fewer else "as many as before"
    return [
        Figure("Units that move", amounts.count(plan.units_moved), f"in {amounts.count(plan.moves)} moves"),
        Figure("Shipments before", amounts.count(plan.shipments_before)),
        Figure("Shipments after", amounts.count(plan.shipments_after), words),
    ]


def _done(status: ReallocationStatus, plan: ReallocationPlan) -> list[Figure]:
    skipped = status.orders_skipped
    figures = [
        Figure("Applied", amounts.count(status.applied), f"of {amounts.count(plan.orders_moved)} orders"),
        Figure("Skipped", amounts.count(skipped), "changed since the plan", tone="warning" if skipped else ""),
    ]
    if status.rolled_back or status.not_rolled_back:
        kept = sum(one.orders for one in status.not_rolled_back)
        figures.append(Figure("Taken back", amounts.count(status.rolled_back)))
        figures.append(Figure("Not taken back", amounts.count(kept), tone="warning" if kept else ""))
    return figures


def _share(part: int, whole: int) -> str:
    return amounts.percent(amounts.share(part, whole))
