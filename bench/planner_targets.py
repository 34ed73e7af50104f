"""`python -m bench.planner_targets`: the planner's promises through Python, each beside what this machine measures.

A batch of 200 two-line orders from Python objects to a planned batch; and how many times faster than HiGHS
`engine.assign_order` is. The fastest of many rounds counts, as the machine's other work only ever adds.
"""

import asyncio
import tempfile
from pathlib import Path
from statistics import geometric_mean
from time import perf_counter

from bench.assign_ratio import SIZES, ratios
from bench.network import make_orders, open_filled
from engine.planner import canonical_bytes

BATCH = 200
ROUNDS = 500
MICROS_AN_ORDER = 2.5
RATIO = 100.0


async def micros_an_order() -> float:
    """What an order of a batch costs, its canonical bytes included."""
    with tempfile.TemporaryDirectory() as folder:
        async with open_filled(Path(folder) / "store") as engine:
            core, orders, best = engine.planner.core, make_orders(BATCH), float("inf")
            for _ in range(ROUNDS):
                start = perf_counter()
                batch, _ = core.plan([(canonical_bytes(order), 0, 0, False) for order in orders])
                best = min(best, perf_counter() - start)
                core.abandon(batch)
    return 1e6 * best / BATCH


def main() -> None:
    """Print what is measured, and the target beside it."""
    micros = asyncio.run(micros_an_order())
    print(f"plan a batch of {BATCH} two-line orders, us an order: {micros:.2f} (target: at most {MICROS_AN_ORDER})")
    for lines, warehouses in SIZES:
        ours, theirs = ratios(lines, warehouses, 2)
        all_of_size = [them / us for us, them in zip(ours, theirs, strict=True)]
        mean, least = geometric_mean(all_of_size), min(all_of_size)
        print(f"faster than HiGHS, {lines} x {warehouses}: {mean:.0f} times, least {least:.0f} (target: {RATIO:.0f})")


if __name__ == "__main__":
    main()
