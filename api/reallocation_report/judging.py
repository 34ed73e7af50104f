"""Judges a re-allocation: what came of it in one line, how badly, and what is to be said about that. Draws nothing."""

from dataclasses import dataclass

from api.reallocation_report.words import STATES, asked
from engine.reallocation.model import ReallocationPlan, ReallocationStatus
from pages import amounts
from pages.sheet import Tone


@dataclass(frozen=True, slots=True)
class Judgement:
    """The badge and its words."""

    tone: Tone
    badge: str
    sentences: tuple[str, ...]
    lead: str
    reasons: tuple[str, ...]


def judge(status: ReallocationStatus) -> Judgement:
    """A run that failed alarms; orders that stay unserved, or were skipped, are worth a look."""
    if status.error is not None or status.state == "failed":
        return Judgement(Tone.ALARM, "Failed", ("The run failed.",), status.error or "", ())
    badge = STATES[status.state].capitalize()
    if status.plan is None:
        return Judgement(Tone.WARN, badge, ("The run is not planned yet.",), f"Asked for: {asked(status)}.", ())
    reasons = _reasons(status, status.plan)
    tone = Tone.WARN if reasons else Tone.GOOD
    return Judgement(tone, badge, _sentences(status, status.plan), _lead(status.plan), reasons)


def _sentences(status: ReallocationStatus, plan: ReallocationPlan) -> tuple[str, ...]:
    if status.state == "planned":
        moved = f"{amounts.counted(plan.orders_moved, 'order', 'orders')} would move."
    elif status.state in ("rolling_back", "rolled_back"):
        back = amounts.counted(status.rolled_back, "order", "orders")
        return (f"{back} of {amounts.count(status.applied)} taken back.",)
    else:
        moved = f"{amounts.counted(status.applied, 'order', 'orders')} of {amounts.count(plan.orders_moved)} moved."
    is_part = status.state not in ("planning", "planned") and status.applied < plan.orders_moved
    words = _cost_words(plan)
    # What a part of the moves comes to is not known.
    return (moved, f"All of them, as planned: {words[0].lower()}{words[1:]}" if is_part else words)


def _cost_words(plan: ReallocationPlan) -> str:
    """What that does to the cost of orders that held stock."""
    if not plan.orders_moved:
        return "Nothing is to be gained."
    if plan.saved > 0:
        share = amounts.percent(amounts.share(plan.saved, plan.cost_before))
        return f"It saves {amounts.money(plan.saved, plan.currency)}, {share} of the cost."
    if plan.saved < 0:
        return f"It costs {amounts.money(-plan.saved, plan.currency)} more."
    return "It costs the same."


def _lead(plan: ReallocationPlan) -> str:
    seen = amounts.counted(plan.orders_chosen, "open order was", "open orders were")
    proven = (
        "no assignment costs less"
        if plan.assignment_cost == plan.assignment_bound
        else f"no assignment costs more than {amounts.percent(plan.gap)} less"
    )
    return f"{seen} looked at in {amounts.seconds(plan.planned_in_s)}; by the model that was solved, {proven}."


def _reasons(status: ReallocationStatus, plan: ReallocationPlan) -> tuple[str, ...]:
    found = []
    if plan.orders_unserved:
        found.append(f"{amounts.counted(plan.orders_unserved, 'order stays', 'orders stay')} unserved.")
    if status.orders_skipped:
        skipped = amounts.counted(status.orders_skipped, "order was", "orders were")
        found.append(f"{skipped} skipped: something had changed since the plan.")
    if kept := sum(one.orders for one in status.not_rolled_back):
        found.append(f"{amounts.counted(kept, 'order was', 'orders were')} not taken back.")
    return tuple(found)
