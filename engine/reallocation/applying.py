"""Goes a leg of a run, there or back, chunk by chunk, with pauses for the orders that come. Any process may go on.

The store moves the leg's place with each chunk in one call. So a chunk is done once, however many processes go the leg
at once and wherever one of them was killed.
"""

import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter

from engine.errors import StoreUnavailable
from engine.planner import fingerprint_of
from engine.reallocation.days import Days
from engine.store import Leg, Partition, Store

PERIOD_S = 0.0064
"""From one call to the next one, where the store is quick: 2,500 orders a second, in small pieces."""

PAUSE_S_MIN = 0.003
PAUSE_S_MAX = 0.05
"""Where it is slow, the pause after a call is what it took, within these: orders that come have half of the time."""

TRIES_MAX = 5
"""How often a call whose outcome is not known is sent again, before the run is left for `resume`."""

OnChunk = Callable[[], Awaitable[None]]


def transition_of(way: str, run_id: str, token: str) -> str:
    """The store's name for what a run does to each order, once. `token`: of its plan, as ids of runs come again."""
    name = f"{way}:{run_id}.{token}"
    return f"{name}={fingerprint_of(name.encode())[:8].hex()}"


async def go(
    store: Store,
    days: Days,
    name: str,
    *,
    back: str,
    transition: str,
    reason: str,
    backwards: bool,
    on_chunk: OnChunk | None,
) -> None:
    """Do all that is left of a leg, in every partition, by what warehouses may serve now. Raises StoreError."""
    for partition in store.partitions:
        leg = await partition.plans.leg(name)
        while leg is not None and not leg.over:
            began = perf_counter()
            number = leg.chunks - 1 - leg.done if backwards else leg.done
            leg = await _advance(partition, days, name, leg, number, back, transition, reason)
            took_s = perf_counter() - began
            if on_chunk is not None:
                await on_chunk()
            await asyncio.sleep(min(max(PAUSE_S_MIN, PERIOD_S - took_s, took_s), PAUSE_S_MAX))


async def _advance(
    partition: Partition,
    days: Days,
    name: str,
    leg: Leg,
    number: int,
    back: str,
    transition: str,
    reason: str,
) -> Leg | None:
    for left in reversed(range(TRIES_MAX)):
        try:
            reply = await partition.plans.advance(
                name,
                leg.done,
                number,
                back=back,
                transition=transition,
                reason=reason,
                capacities=await days.capacities(),
            )
        except StoreUnavailable:
            # Done or not: the place of the leg tells, and the same call again changes nothing if it was.
            if not left:
                raise
            await asyncio.sleep(PAUSE_S_MIN * 2 ** (TRIES_MAX - left))
            continue
        return reply.leg
    raise AssertionError("the last try returns or raises")
