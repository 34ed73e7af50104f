"""Which points are measured, in which order, and how long each may take, so that a run ends in its time. Pure."""

import random
from collections.abc import Sequence
from typing import NamedTuple

LOADS = (0.10, 0.25, 0.40, 0.55, 0.70, 0.80, 0.90, 1.00, 1.10, 1.20)
"""Shares of the peak."""
REPEATS = 3

START_S = 8.0
"""To start a service, put its goods there, and stop it."""
OVERHEAD_S = 0.6
"""Of a point: connecting, and what is still to be answered when the last request was due."""
POINT_S_MIN, POINT_S_MAX = 1.2, 30.0
WARMUP_SHARE, WARMUP_S_MAX = 0.25, 1.5
RAMP_STEPS_EXPECTED = 8
RAMP_SHARE, RAMP_S_MIN, RAMP_S_MAX = 0.012, 0.8, 4.0
"""Of a session's time, for each step."""
AUDIT_SHARE, AUDIT_S_MAX = 0.08, 60.0
"""Of a session's time: for orders that are looked up; as much again is left for the store's own books."""
EXTRAS_SHARE, EXTRAS_S_MAX = 0.1, 30.0
"""For the restart of the store and the cost of cells, once."""
SPARE_S = 5.0
"""Of the whole run."""


class Turn(NamedTuple):
    """A point to come."""

    repeat: int
    share: float


def turns(loads: Sequence[float], repeats: int, seed: int) -> list[Turn]:
    """Each repeat has every load once, in an order of its own: what drifts meanwhile falls on all loads alike."""
    dice = random.Random(seed)
    order: list[Turn] = []
    for repeat in range(repeats):
        block = [Turn(repeat, load) for load in loads]
        dice.shuffle(block)
        order += block
    return order


def ramp_step_s(session_s: float) -> float:
    """How long a step of the ramp takes, its warm-up included."""
    return min(RAMP_S_MAX, max(RAMP_S_MIN, session_s * RAMP_SHARE))


def audit_s(session_s: float) -> float:
    """How long the audit may take."""
    return min(AUDIT_S_MAX, session_s * AUDIT_SHARE)


def extras_s(session_s: float) -> float:
    """How long everything else at the end of a session may take, the audit of the store's own books included."""
    return min(EXTRAS_S_MAX, session_s * EXTRAS_SHARE) + audit_s(session_s)


def point_s(left_s: float, points: int) -> float:
    """How long each of so many points takes, its warm-up included."""
    return min(POINT_S_MAX, max(POINT_S_MIN, left_s / max(1, points) - OVERHEAD_S))


def warmup_s(whole_s: float) -> float:
    """The part of a point that is not counted."""
    return min(WARMUP_S_MAX, whole_s * WARMUP_SHARE)


def needed_s(sessions: int, loads: int, repeats: int, point_s: float = POINT_S_MIN) -> float:
    """The shortest run of so many points of so long."""
    ramp = (RAMP_STEPS_EXPECTED + repeats) * (RAMP_S_MIN + OVERHEAD_S)
    return (
        sessions * (START_S + ramp + loads * repeats * (point_s + OVERHEAD_S)) / (1 - 2 * AUDIT_SHARE - EXTRAS_SHARE)
        + SPARE_S
    )
