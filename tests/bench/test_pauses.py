"""How long a machine stands still: told as the wait that one moment in a hundred exceeds."""

import os

import numpy as np
import pytest

from bench.pauses import exceeded_by, pauses_p99_ms


@pytest.mark.parametrize("seed", range(20))
def test_the_part_of_all_moments_that_wait_longer_is_the_one_asked_for(seed: int) -> None:
    """Counted over moments a hundredth of a millisecond apart."""
    random = np.random.default_rng(seed)
    pauses = list(random.exponential(0.01, int(random.integers(1, 30))))
    part = float(random.choice([0.001, 0.01, 0.05]))
    moments = np.concatenate([np.arange(0, pause, 1e-5) for pause in pauses])
    told = exceeded_by(part, pauses, 2.0)
    longer = np.count_nonzero(moments > told) * 1e-5
    assert longer == pytest.approx(part * 2.0, abs=1e-3) if told else longer <= part * 2.0 + 1e-3


def test_where_nothing_stood_still_nothing_waits() -> None:
    """One pause of a hundredth of the time does not count, either."""
    assert exceeded_by(0.01, [], 2.0) == 0.0
    assert exceeded_by(0.01, [0.02], 2.0) == pytest.approx(0.0)
    assert exceeded_by(0.01, [0.05], 2.0) == pytest.approx(0.03)


def test_all_cores_are_watched() -> None:
    """For so long: a machine that stood still all the while would not be one."""
    assert 0 <= pauses_p99_ms(0.2, sorted(os.sched_getaffinity(0))) < 200
