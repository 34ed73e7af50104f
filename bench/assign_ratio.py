"""`python -m bench.assign_ratio`: how many times faster than HiGHS `engine.assign_order` is on the same orders.

Each order is solved by both, its optimum compared. HiGHS is timed for its solving alone, without the making of its
model, `assign_order` for the whole call. Needs highspy (`uv sync --group dev`).
"""

from statistics import geometric_mean, median
from time import perf_counter
from typing import Annotated

import cyclopts

import engine
from bench.single_order import highs_optimum, random_order

SIZES = ((1, 50), (2, 50), (3, 50), (5, 50), (8, 100), (12, 100), (20, 200))
KINDS = tuple((stocked, per_mile) for stocked in (0.6, 0.3, 0.08) for per_mile in (0.000541, 0.005))
CALLS = 5
"""Calls of which the fastest counts, as the machine's other work only ever adds."""


def ratios(lines: int, warehouses: int, seeds: int) -> tuple[list[float], list[float]]:
    """Seconds of `assign_order` and of HiGHS for each order of a size; SystemExit where the two disagree."""
    ours: list[float] = []
    theirs: list[float] = []
    for stocked, per_mile in KINDS:
        for seed in range(seeds):
            centres = lines >= 12 and seed % 2 == 0
            fixed, cost = random_order(
                seed, lines=lines, warehouses=warehouses, stocked=stocked, per_mile=per_mile, centres=centres
            )
            optimum, seconds = highs_optimum(fixed, cost)
            times = []
            for _ in range(CALLS):
                start = perf_counter()
                found = engine.assign_order(fixed, cost)
                times.append(perf_counter() - start)
            if found.proven and found.cost != optimum:
                raise SystemExit(f"seed {seed}: {found.cost} is proven here, {optimum} by HiGHS")
            ours.append(min(times))
            theirs.append(seconds)
    return ours, theirs


def main(seeds: Annotated[int, cyclopts.Parameter(help="Orders of each size and kind.")] = 3) -> None:
    """Print, by size, the median times and the ratio."""
    print("lines x warehouses  assign_order, us  HiGHS, us  ratio, least  geometric mean")
    for lines, warehouses in SIZES:
        ours, theirs = ratios(lines, warehouses, seeds)
        times_faster = [them / us for us, them in zip(ours, theirs, strict=True)]
        print(
            f"{lines:>9} x {warehouses:<6} {1e6 * median(ours):>17.1f} {1e6 * median(theirs):>10.0f}"
            f" {min(times_faster):>13.0f} {geometric_mean(times_faster):>15.0f}"
        )


if __name__ == "__main__":
    cyclopts.run(main)
