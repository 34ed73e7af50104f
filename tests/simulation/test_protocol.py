"""The protocol between partitions holds under every schedule that was tried; and the trial notices when it does not."""

import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from tests.simulation.campaign import campaign, find_failure, prepare
from tests.simulation.mutants import MUTANTS

SCHEDULES = int(os.environ.get("STOCKADE_SIMULATION_SCHEDULES", "100000"))
MUTANT_SCHEDULES = 6_000
"""Schedules within which every mutant is caught; most are in the first hundred."""


@pytest.mark.slow
@pytest.mark.timeout(1_500)
def test_no_schedule_breaks_the_protocol() -> None:
    """Crashes at every step, messages lost, doubled, late and out of order, leases that end: the books always close."""
    failures = campaign(0, SCHEDULES)
    assert not failures, "\n".join(
        f"seed {seed}: {what} (python -m tests.simulation.replay {seed})" for seed, what in failures
    )


@pytest.mark.slow
def test_every_mutant_of_the_protocol_is_caught() -> None:
    """A simulation that cannot fail would prove nothing."""
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn"), initializer=prepare) as pool:
        caught = dict(zip(MUTANTS, pool.map(find_failure, MUTANTS, [MUTANT_SCHEDULES] * len(MUTANTS)), strict=True))
    assert len(caught) >= 6
    assert [name for name, failure in caught.items() if failure is None] == []


def test_a_seed_is_one_schedule_wherever_it_is_played() -> None:
    """Step by step the same in another process, whatever its hashes are; or a failure could not be looked at."""
    told = [
        subprocess.run(
            [sys.executable, "-m", "tests.simulation.replay", seed],
            env={**os.environ, "PYTHONHASHSEED": hashes},
            capture_output=True,
            check=True,
            timeout=60,
        ).stdout
        for seed in ("11", "1356")
        for hashes in ("1", "2")
    ]
    assert told[0] == told[1]
    assert told[2] == told[3]
    assert told[0].count(b"\n") > 30
