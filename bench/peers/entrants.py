"""Who is compared: a service, single orders or bulk, and the settings of which its best are taken."""

from msgspec import Struct

from bench.peers.shop import Settings

POOLS = (4, 8, 16, 32)
"""Connections to PostgreSQL: each is a process there."""
CALLS = (4, 8, 16, 64)
"""Connections to Redis, one call at a time each."""
PIPELINED = tuple(
    Settings(pool=pool, together=together, pipelined=True) for pool in (4, 8) for together in (50, 150, 500)
)


class Entrant(Struct, frozen=True):
    """One row of the table."""

    service: str
    name: str
    bulk: bool
    settings: tuple[Settings, ...] = ()
    """None of a service that needs none."""


def _of_pools(pools: tuple[int, ...]) -> tuple[Settings, ...]:
    return tuple(Settings(pool=pool) for pool in pools)


TRANSACTION, FUNCTION = "PostgreSQL, row locks", "PostgreSQL, row locks in a function"
SCRIPT, PIPELINE = "Redis, a script an order", "Redis, scripts pipelined"
STOCKADE = "Stockade"

ENTRANTS = (
    Entrant("postgres", TRANSACTION, False, _of_pools(POOLS)),
    Entrant("postgres-function", FUNCTION, False, _of_pools(POOLS)),
    Entrant("redis", SCRIPT, False, _of_pools(CALLS)),
    Entrant("stockade", STOCKADE, False),
    Entrant("postgres", TRANSACTION, True, _of_pools(POOLS)),
    Entrant("postgres-function", FUNCTION, True, _of_pools(POOLS)),
    Entrant("redis", SCRIPT, True, _of_pools(CALLS)),
    Entrant("redis", PIPELINE, True, PIPELINED),
    Entrant("stockade", STOCKADE, True),
)
SERVICES = tuple(dict.fromkeys(entrant.service for entrant in ENTRANTS))

TARGETS = {TRANSACTION: 10.0, FUNCTION: 10.0, SCRIPT: 3.0}
"""How many times as many orders a second Stockade accepts in bulk as this peer does, at the least.

Pipelined scripts are no way of today's shops, but the most that theirs could give: told, without a target.
"""
