"""What was simulated and what came of it, as `--json` has it; means over seasons."""

from collections.abc import Sequence

from msgspec import Struct

from engine.forecast import MethodName
from engine.season import Expect, PolicyName, SeasonOutcome


class Mean(Struct, frozen=True, kw_only=True):
    """A policy over all seasons."""

    policy: PolicyName
    cost_major: float
    """In what people count in, not in its smallest units."""
    above_bound: float
    """Mean of the seasons' shares, not the share of the means."""
    above_bound_max: float
    shipments: float
    unserved_units: float
    unserved_orders: float
    times: float
    """How often it priced the stock, or re-allocated."""

    @property
    def counts(self) -> tuple[float, float, float, float]:
        """What is counted, as tables have it."""
        return self.shipments, self.unserved_units, self.unserved_orders, self.times


class Simulation(Struct, frozen=True, kw_only=True):
    """All that was played."""

    seasons: tuple[SeasonOutcome, ...]
    means: tuple[Mean, ...]
    every_orders: int | None
    every_s: float | None
    open_orders: int
    expect: Expect
    method: MethodName | None
    """Of the forecast; None where the rates were known."""
    seed: int
    schema: int = 1


def means_of(seasons: Sequence[SeasonOutcome]) -> tuple[Mean, ...]:
    """Each policy over seasons that were all played through the same ones, of which there is one at the least."""
    means = []
    for place, policy in enumerate(seasons[0].policies):
        rows = [season.policies[place] for season in seasons]
        count = len(rows)
        means.append(
            Mean(
                policy=policy.policy,
                cost_major=sum(row.cost / one.per_major for row, one in zip(rows, seasons, strict=True)) / count,
                above_bound=sum(row.above_bound for row in rows) / count,
                above_bound_max=max(row.above_bound for row in rows),
                shipments=sum(row.shipments for row in rows) / count,
                unserved_units=sum(row.unserved_units for row in rows) / count,
                unserved_orders=sum(row.unserved_orders for row in rows) / count,
                times=sum(row.times for row in rows) / count,
            )
        )
    return tuple(means)
