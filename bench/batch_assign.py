"""`python -m bench.batch_assign`: batches of many sizes assigned, each beside its target.

Time counts on a machine that does nothing else; `cpu_s` is the processor time of all threads. The gap is certified:
what was paid, against a bound that nothing can be below.
"""

import argparse
import json
import resource
import sys
from time import perf_counter, process_time

from bench.batch_instances import random_batch
from engine import assign_batch

TARGETS = {10_000: (0.005, 2.0), 100_000: (0.008, 6.0), 1_000_000: (0.010, 60.0)}
"""Of so many lines: the gap, and seconds on two processors."""

MEMORY_MAX_MIB = 2048


def measure(lines: int, *, threads: int, seed: int, time_limit_s: float) -> dict[str, float]:
    """Assign one batch; what it was and what came of it."""
    problem = random_batch(lines, seed)
    wall, cpu = perf_counter(), process_time()
    found = assign_batch(problem, time_limit_s=time_limit_s, threads=threads, seed=seed)
    return {
        "lines": problem.lines,
        "orders": problem.orders,
        "wall_s": round(perf_counter() - wall, 2),
        "cpu_s": round(process_time() - cpu, 2),
        "cost": found.cost,
        "bound": found.bound,
        "gap": round(found.gap, 6),
        "unserved": int(found.quantity[found.warehouse < 0].sum()),
        "passes": found.passes,
        "rounds": found.rounds,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def missed(lines: int, row: dict[str, float]) -> list[str]:
    """The targets that a row does not meet."""
    gap, seconds = TARGETS.get(lines, (1.0, float("inf")))
    return [
        name
        for name, found, most in (
            ("gap", row["gap"], gap),
            ("wall_s", row["wall_s"], seconds),
            ("peak_mib", row["peak_mib"], MEMORY_MAX_MIB),
        )
        if found > most
    ]


def main() -> int:
    """Print what is measured; 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, nargs="+", default=list(TARGETS))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--time-limit", type=float, default=60.0)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    failed = 0
    for lines in asked.lines:
        row = measure(lines, threads=asked.threads, seed=asked.seed, time_limit_s=asked.time_limit)
        flaws = missed(lines, row)
        failed |= bool(flaws)
        if asked.json:
            print(json.dumps(row | {"missed": flaws}), flush=True)
            continue
        target = TARGETS.get(lines)
        beside = f"(target {target[0]:.1%} in {target[1]:.0f} s)" if target else ""
        print(
            f"{row['lines']:>9,} lines {row['orders']:>8,} orders: {row['wall_s']:.1f} s,"
            f" {row['cpu_s']:.1f} s of processors, gap {row['gap']:.3%} {beside}, cost {row['cost']:,},"
            f" bound {row['bound']:,}, {row['unserved']} not served,"
            f" {row['passes']} passes, {row['rounds']} rounds, {row['peak_mib']} MiB"
            + (f"; MISSED: {', '.join(flaws)}" if flaws else ""),
            flush=True,
        )
    return failed


if __name__ == "__main__":
    sys.exit(main())
