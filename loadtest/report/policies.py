"""The comparison of policies on the same orders, and what the least costly one saves against each other."""

import math

from loadtest.result import PolicyCost, SaleResult
from pages import amounts
from pages.markup import Markup, clipped, element, text
from pages.tables import Column, Row, bar, note, table

NAME_LETTERS_MAX = 64

SAME_ORDERS = (
    "Same orders: every policy is given the same orders, in the same sequence, over the same starting stock. Cost, "
    "shipments and distance are means; the cost is taken over the orders that every policy accepted, so that no policy "
    "looks cheap by refusing the dear ones."
)

COLUMNS = (
    Column("Policy"),
    Column("Cost per order"),
    Column("Least costly saves", numeric=True),
    Column("Shipments per order", numeric=True),
    Column("Mean distance", numeric=True),
    Column("Orders accepted", numeric=True),
)


def least_costly(result: SaleResult) -> PolicyCost | None:
    """The policy with the lowest mean cost among those that can be compared."""
    return min(filter(comparable, result.policies), key=_cost, default=None)


def comparable(policy: PolicyCost) -> bool:
    """Whether the policy accepted any order, and so has a cost per order."""
    return policy.accepted > 0 and math.isfinite(_cost(policy))


def saving(best: PolicyCost, other: PolicyCost) -> float:
    """What `best` saves of the other's cost, as a share of one."""
    return amounts.share(_cost(other) - _cost(best), _cost(other))


def saving_words(result: SaleResult) -> str:
    """One sentence on the saving against each other policy; empty where there is nothing to compare."""
    best = least_costly(result)
    others = [policy for policy in result.policies if policy is not best and comparable(policy)]
    if best is None or not others:
        return ""
    ranked = sorted(others, key=_cost)
    against = [f"{amounts.percent(saving(best, other))} against {_name(other)}" for other in ranked]
    listed = against[0] if len(against) == 1 else f"{', '.join(against[:-1])} and {against[-1]}"
    return f"{_name(best)} saves {listed}."


def policy_table(result: SaleResult) -> Markup:
    """The table, least costly first, or a line that no comparison was made."""
    best = least_costly(result)
    if best is None:
        return element("p", text("No policies were compared."), class_="empty")
    ranked = sorted(result.policies, key=lambda policy: (not comparable(policy), _cost(policy)))
    dearest = max(_cost(policy) for policy in ranked if comparable(policy))
    rows = [_row(policy, best, dearest, result.currency) for policy in ranked]
    return element("div", table("Policies on the same orders", COLUMNS, rows), note(SAME_ORDERS))


def _row(policy: PolicyCost, best: PolicyCost, dearest: float, currency: str) -> Row:
    name = element("strong" if policy is best else "span", text(_name(policy)))
    if not comparable(policy):
        accepted = text(amounts.count(policy.accepted))
        return Row((name, text("no order to compare"), *[text(amounts.NOTHING)] * 3, accepted))
    cost = bar(
        amounts.share(_cost(policy), dearest),
        amounts.money(policy.cost_per_order, currency),
        style="best" if policy is best else "rest",
    )
    return Row(
        (
            name,
            cost,
            text("least costly" if policy is best else amounts.percent(saving(best, policy))),
            text(amounts.decimal(policy.shipments_per_order, 2)),
            text(amounts.kilometres(policy.mean_km)),
            text(amounts.count(policy.accepted)),
        )
    )


def _cost(policy: PolicyCost) -> float:
    """Its mean cost, which is beyond all others where there is none."""
    return math.inf if policy.cost_per_order is None else policy.cost_per_order


def _name(policy: PolicyCost) -> str:
    return clipped(policy.policy, NAME_LETTERS_MAX)
