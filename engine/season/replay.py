"""Plays a season through policies, and says what each cost beside what nobody could have been below."""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from msgspec import Struct

from engine.arrays import invalid
from engine.batch_assign import assign_batch
from engine.forecast import MethodName
from engine.season.floor import NOWHERE, Floor
from engine.season.outlook import Known, Learned, Outlook
from engine.season.policies import PolicyName, PolicyTerms, policy_of
from engine.season.season import Season

Expect = Literal["known", "learned"]

POINTS_MAX = 120
"""Points of a course over the season."""

HINDSIGHT_S_MAX = 300.0
"""What the bound may take: it is mostly done in a fraction, and only then is the same each time."""

TOLD_EVERY = 50
"""Orders between two tellings."""

Watch = Callable[[str, int, int], object]
"""Called with what is under way, orders done and orders in all."""


class PolicyOutcome(Struct, frozen=True, kw_only=True):
    """What a season cost under a policy. Money is in the season's own units."""

    policy: PolicyName
    cost: int
    above_bound: float
    """(cost - bound) / bound; 0 where the bound is 0."""
    shipments: int
    unserved_orders: int
    """Orders of which a unit was not served."""
    unserved_units: int
    times: int
    """How often it priced the stock, or re-allocated."""
    course: tuple[tuple[int, int, int], ...]
    """Orders so far, with what they cost and their units that were not served, as they ended."""


class SeasonOutcome(Struct, frozen=True, kw_only=True):
    """A season under several policies."""

    season: str
    orders: int
    units: int
    stock_units: int
    bound: int
    """Proven: who had known all orders before could not have paid less."""
    hindsight_cost: int
    """What an assignment costs that does know them."""
    per_major: int
    policies: tuple[PolicyOutcome, ...]


def play_season(
    season: Season,
    policies: Sequence[PolicyName],
    terms: PolicyTerms,
    *,
    expect: Expect = "known",
    method: MethodName = "tsb",
    hindsight_s_max: float = HINDSIGHT_S_MAX,
    watch: Watch | None = None,
) -> SeasonOutcome:
    """Play it. The same season, terms and versions give the same numbers, unless a time limit bites.

    `expect` says what pricing policies go by: the rates of the season, which somebody must have known, or a forecast
    by `method` from the orders so far. Raises InvalidInput.
    """
    known = season.known
    if expect == "known" and known is None:
        raise invalid("expect", 'must be "learned": nobody knows the rates of this season')
    p = season.orders
    told = watch or (lambda _what, _done, _all: None)
    told("hindsight", 0, p.orders)
    hindsight = assign_batch(p, time_limit_s=hindsight_s_max, seed=terms.seed)

    def outlook() -> Outlook:
        return Known(season, known) if expect == "known" and known is not None else Learned(season, method)

    return SeasonOutcome(
        season=season.name,
        orders=p.orders,
        units=int(p.quantity.sum()),
        stock_units=int(p.stock.sum()),
        bound=hindsight.bound,
        hindsight_cost=hindsight.cost,
        per_major=season.per_major,
        policies=tuple(_play(season, name, terms, outlook, hindsight.bound, told) for name in policies),
    )


def _play(
    season: Season, name: PolicyName, terms: PolicyTerms, outlook: Callable[[], Outlook], bound: int, told: Watch
) -> PolicyOutcome:
    floor, policy, orders = Floor(season), policy_of(name, terms, outlook), season.orders.orders
    for order in range(orders):
        if order % TOLD_EVERY == 0:
            told(name, order, orders)
        policy.place(floor, order)
    told(name, orders, orders)
    unserved = np.array(
        [sum(units for _, warehouse, units in pieces if warehouse == NOWHERE) for pieces in floor.pieces], np.int64
    )
    cost = int(floor.cost.sum())
    spent, lacking = np.cumsum(floor.cost), np.cumsum(unserved)
    ends = np.unique(np.linspace(0, orders - 1, min(orders, POINTS_MAX)).round().astype(np.int64))
    return PolicyOutcome(
        policy=name,
        cost=cost,
        above_bound=(cost - bound) / bound if bound else 0.0,
        shipments=sum(len({at for _, at, _ in pieces if at != NOWHERE}) for pieces in floor.pieces),
        unserved_orders=int((unserved > 0).sum()),
        unserved_units=int(unserved.sum()),
        times=policy.done,
        course=tuple((int(end) + 1, int(spent[end]), int(lacking[end])) for end in ends),
    )
