"""When two load tools agree on a service, and what wrk adds to its waits before it tells their percentiles.

A closed loop omits whom a slow answer kept from asking. After a run wrk adds, for each answer that took more than
twice the mean interval of a connection's requests, the waits that it thinks were omitted: that long less one interval,
less two, and so on.
"""

import bisect
from collections.abc import Mapping, Sequence

SAMPLES = 50_000
"""Waits that stand for a distribution."""


def corrected_ms(curve: Sequence[tuple[float, float]], share: float, interval_ms: float) -> float:
    """The wait that a share of requests does not exceed once what wrk adds is added.

    `curve`: (share, wait in ms), ascending; between them waits are taken to rise evenly.
    """
    if not curve or interval_ms <= 0:
        raise ValueError("needs requests that ended")
    waits = [_at(curve, (number + 0.5) / SAMPLES) for number in range(SAMPLES)]
    added = []
    for wait_ms in waits[bisect.bisect_left(waits, 2 * interval_ms) :]:
        omitted_ms = wait_ms - interval_ms
        while omitted_ms > interval_ms:
            added.append(omitted_ms)
            omitted_ms -= interval_ms
    waits = sorted(waits + added)
    return waits[min(len(waits) - 1, int(share * len(waits)))]


def disagreements(differences: Mapping[str, float], targets: Mapping[str, float]) -> list[str]:
    """Where two tools differ by more than the target, a share; what has no target may differ."""
    return [
        f"{field}: {differences[field]:+.1%}, where {target:.0%} are allowed"
        for field, target in targets.items()
        if not abs(differences[field]) <= target
    ]


def _at(curve: Sequence[tuple[float, float]], share: float) -> float:
    place = bisect.bisect_left(curve, (share,))
    if place == 0 or place == len(curve):
        return curve[min(place, len(curve) - 1)][1]
    (below, low_ms), (above, high_ms) = curve[place - 1 : place + 1]
    return low_ms + (high_ms - low_ms) * (share - below) / (above - below) if above > below else high_ms
