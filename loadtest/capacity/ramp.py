"""Finds the peak: closed loop, twice the connections each time, until throughput stops to rise."""

from collections.abc import Awaitable, Callable, Sequence

from loadtest.capacity.point import Point
from loadtest.capacity.result import Peak
from loadtest.capacity.spread import interval_of, median

CONNECTIONS_FIRST = 4
RISES_BY = 1.05
"""Less than so much more is no rise: it is noise."""
FLAT_STEPS_MAX = 2
"""Steps without a rise, one after the other, that end the ramp: one alone may be a bad second."""

Step = Callable[[int, int], Awaitable[Point]]
"""Measures with so many connections, as the repeat of this number."""


async def ramp(step: Step, *, connections_max: int, repeats: int) -> list[Point]:
    """Points with 4, 8, 16... connections; then with the number of the best one, until there are `repeats` of that."""
    points: list[Point] = []
    best, flat, connections = 0.0, 0, min(CONNECTIONS_FIRST, connections_max)
    while True:
        point = await step(connections, 0)
        points.append(point)
        rises = point.goodput_per_s > best * RISES_BY
        best, flat = max(best, point.goodput_per_s), 0 if rises else flat + 1
        if flat >= FLAT_STEPS_MAX or connections >= connections_max or not best:
            break
        connections = min(2 * connections, connections_max)
    if best:
        chosen = _best(points).connections
        for repeat in range(1, repeats):
            points.append(await step(chosen, repeat))
    return points


def peak_of(points: Sequence[Point], seed: int) -> Peak | None:
    """What was reached; None where nothing was accepted. What the generator limited counts only where all of it was."""
    if not any(point.goodput_per_s for point in points):
        return None
    chosen = _best(points)
    alike = [point for point in points if point.connections == chosen.connections]
    free = [point for point in alike if not point.generator_bound]
    told = free or alike
    rates = [point.goodput_per_s for point in told]
    return Peak(
        connections=chosen.connections,
        requests_per_s=median([point.requests_per_s for point in told]),
        orders_per_s=median(rates),
        measured=rates,
        interval=interval_of(rates, seed),
        # One that the generator limited at more connections may have been on its way to more.
        at_least=not free or max(point.goodput_per_s for point in points) > max(rates) * RISES_BY,
    )


def _best(points: Sequence[Point]) -> Point:
    """The highest throughput of the ramp's first steps, of those that the generator did not limit if there are any."""
    first = [point for point in points if point.repeat == 0]
    free = [point for point in first if not point.generator_bound and point.goodput_per_s]
    return max(free or first, key=lambda point: point.goodput_per_s)
