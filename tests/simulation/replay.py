"""Prints one schedule step by step: `python -m tests.simulation.replay SEED [MUTANT]`. Exits with 1 where it fails."""

import sys

import structlog

from tests.simulation.books import Violation
from tests.simulation.mutants import MUTANTS
from tests.simulation.schedule import Schedule
from tests.simulation.world import sources


def main(seed: str, mutant: str | None = None) -> int:
    """Play the schedule of a seed, on the library as it is or on one of its mutants."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    library = sources() if mutant is None else MUTANTS[mutant](sources())
    try:
        Schedule(int(seed), library, print).run()
    except Violation as violation:
        print(f"VIOLATION: {violation}")
        return 1
    print("everything holds")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
