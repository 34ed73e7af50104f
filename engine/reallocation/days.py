"""How many orders warehouses may serve in a day, as moves are made: not as a plan had it, nor a view long ago."""

from collections.abc import Awaitable, Callable, Mapping
from time import monotonic

from engine.planner import Planner

FRESH_S = 1.0
"""So old may changes of others be that are not known: a process that follows nobody looks for them as often."""


class Days:
    """Of one store."""

    def __init__(self, planner: Planner, catch_up: Callable[[], Awaitable[None]]) -> None:
        """`catch_up` brings the planner's catalogue to what the store has."""
        self._planner = planner
        self._catch_up = catch_up
        self._caught_up_s = -FRESH_S

    async def capacities(self) -> Mapping[int, int]:
        """Orders a day by warehouses' numbers, of those that have a bound. Raises StoreError."""
        if monotonic() - self._caught_up_s >= FRESH_S:
            await self._catch_up()
            self._caught_up_s = monotonic()
        return self._planner.capacities()
