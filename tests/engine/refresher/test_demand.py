"""What is expected follows what came, from the first minutes on."""

import pytest

from engine.forecast import METHODS
from engine.refresher.demand import Demand

PERIOD_MS, EACH_MS = 300_000, 1_000


@pytest.mark.parametrize("method", sorted(METHODS))
@pytest.mark.parametrize("begins_ms", [0, 1_000, 150_000, 299_000])
def test_a_steady_demand_is_expected_whenever_it_was_first_seen(method: str, begins_ms: int) -> None:
    """A unit a second; the first period, seen from its middle on, does not pull it down."""
    demand = Demand(PERIOD_MS)
    for at in range(begins_ms, 8 * PERIOD_MS, EACH_MS):
        demand.add(at, 0, [("x", 1)])
        if at - begins_ms in (60_000, 290_000, 310_000, 590_000, 610_000, 910_000, 1_500_000):
            (rate,) = demand.rates(at, method)  # type: ignore[arg-type]
            # Croston's method by Syntetos and Boylan expects somewhat less on purpose.
            assert rate * 1_000 == pytest.approx(1.0, rel=0.12), at - begins_ms
