"""Random histories of every operation on the real server, on one partition and on three, against a plain model."""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.engine.rules_life import LifeRules
from tests.engine.rules_sale import SaleRules
from tests.engine.rules_stock import StockRules

LONG = "STOCKADE_HISTORIES"
HISTORIES = int(os.environ.get(LONG, "40"))
"""Of both numbers of partitions together."""
STEPS = 30


class History(SaleRules, LifeRules, StockRules):
    """Everything that can be done to stock and orders."""


@pytest.mark.slow
@pytest.mark.parametrize("partitions", [1, 3])
def test_every_history_agrees_with_the_model(store_url: str, partitions: int) -> None:
    """What no single test thinks of: the order in which operations meet."""
    History.url, History.partitions = store_url, partitions
    run_state_machine_as_test(
        History,
        settings=settings(
            max_examples=HISTORIES // 2,
            stateful_step_count=STEPS,
            deadline=None,
            # The long form looks for what the short one has never seen.
            derandomize=LONG not in os.environ,
            # No shrinking: on a real server it takes minutes, and a history of 30 steps can be read.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
