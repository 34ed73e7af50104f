"""A run in a few lines for people."""

from collections.abc import Sequence

from engine.reallocation.model import ReallocationPlan, ReallocationStatus, Told


def summary(status: ReallocationStatus) -> str:
    """What was asked, what the plan is, and how far it is done."""
    lines = [f"Re-allocation {status.id}: {status.state.replace('_', ' ')}"]
    if status.error is not None:
        lines.append(f"  {status.error}")
    if status.plan is not None:
        lines += _plan(status.plan)
    if status.state not in ("planning", "planned", "failed"):
        lines.append(f"  applied     {_count(status.applied, 'order')}{_why(status.skipped, 'skipped')}")
    if status.state in ("rolling_back", "rolled_back"):
        lines.append(
            f"  taken back  {_count(status.rolled_back, 'order')}{_why(status.not_rolled_back, 'not taken back')}"
        )
    return "\n".join(lines)


def _plan(plan: ReallocationPlan) -> list[str]:
    lines = [
        f"  looked at   {_count(plan.orders_chosen, 'open order')}{_why(plan.left_out, 'left out')}",
        f"  moves       {_count(plan.orders_moved, 'order')}, {_count(plan.units_moved, 'unit')}"
        + _why(plan.not_moved, "not moved"),
        f"  cost        {_money(plan.cost_before)} before, {_money(plan.cost_after)} after {plan.currency}"
        f" (saves {_money(plan.saved)})",
        f"  shipments   {plan.shipments_before:,} before, {plan.shipments_after:,} after",
    ]
    if plan.orders_unserved:
        lines.append(f"  unserved    {_count(plan.orders_unserved, 'order')}{_why(plan.unserved, '')}")
    if plan.assignment_cost:
        lines.append(f"  gap         {plan.gap:.2%} of the assignment's cost is not proven to be needed")
    return lines


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _money(amount: int) -> str:
    sign, amount = ("-", -amount) if amount < 0 else ("", amount)
    return f"{sign}{amount // 100:,}.{amount % 100:02}"


def _why(told: Sequence[Told], what: str) -> str:
    if not told:
        return ""
    parts = ", ".join(f"{row.orders:,} {row.why.replace('_', ' ')}" for row in told)
    return f" ({what}: {parts})" if what else f" ({parts})"
