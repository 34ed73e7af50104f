"""Holds a run against what was asked of it: a scenario's targets go before those that every run has. Pure."""

from collections import Counter

from loadtest.load_result import LoadResult
from loadtest.scenarios.document import Targets
from loadtest.verdict import findings, orders_due


def judged(
    result: LoadResult,
    targets: Targets | None = None,
    *,
    p99_ms: float | None = None,
    overloaded_max: float | None = None,
    left: Counter[str] | str | None = None,
) -> list[str]:
    """What is not as it should be, in words, lies first.

    `targets`: those of the scenario. `p99_ms`, `overloaded_max`: go before these. `left`: see `missed`.
    """
    asked = targets or Targets()
    return [
        *findings(
            result,
            p99_ms=asked.p99_ms_max if p99_ms is None else p99_ms,
            overloaded_max=asked.overloaded_share_max if overloaded_max is None else overloaded_max,
            failed_max=asked.failed_share_max,
        ),
        *missed(result, asked, left=left),
    ]


def missed(result: LoadResult, targets: Targets, *, left: Counter[str] | str | None = None) -> list[str]:
    """What only a scenario asks for and did not come, in words. `left`: units of the hot SKUs that are free,
    or why nobody knows."""
    found = []
    due = max(1, orders_due(result))
    shares = {word: count / due for word, count in result.orders.items()}
    for what, share, least, most in (
        ("accepted", shares["ok"], targets.accepted_share_min, None),
        ("refused", shares["refused"], targets.refused_share_min, targets.refused_share_max),
    ):
        if least is not None and share < least:
            found.append(f"{share:.1%} of the orders were {what}; the target is {least:.1%} or more.")
        if most is not None and share > most:
            found.append(f"{share:.1%} of the orders were {what}; the target is {most:.1%} at the most.")
    if targets.accepted_per_s_min is not None and result.goodput_per_s < targets.accepted_per_s_min:
        rate, least_rate = result.goodput_per_s, targets.accepted_per_s_min
        found.append(f"{rate:,.1f} orders were accepted a second; the target is {least_rate:,g} or more.")
    if isinstance(left, str):
        found.append(f"Whether the hot SKUs are sold out cannot be told: {left}")
    elif left is not None and (units := sum(left.values())):
        example = next(sku for sku, count in left.items() if count)
        found.append(f"{units:,} units of the hot SKUs are left, such as of {example}; all were to be sold.")
    return found
