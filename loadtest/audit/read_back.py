"""Asks the service for orders by their ids, as fast as it answers: with the load test's own generator."""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from loadtest.ledger import ENTRY, Entries, order_path
from loadtest.load import recorded_load
from loadtest.load_plan import Kind, LoadPlan, Retries, Trace

CONNECTIONS = 64
READ_S_MAX = 60.0
"""What was not answered by then is not known."""


class ReadBack(Struct, frozen=True):
    """What the service said of orders, in the order of their ids, and the units of those that hold stock."""

    entries: Entries
    """`status` 200 with `digest` and `state`, 404, or something else where it could not be learned."""
    held: dict[str, dict[str, int]]


async def read_back(
    url: str, ids: Sequence[str], *, connections: int, key: str | None, signing_secret: str | None
) -> ReadBack:
    """One or more orders, over so many connections at the most. Raises NoRun where the service cannot be reached."""
    kind = Kind(name="read", method="GET", path="/v1/orders", paths=[order_path(one) for one in ids])
    plan = LoadPlan(
        url=url,
        arrivals=Trace([0.0] * len(ids)),
        seconds=0.001,
        kinds=[kind],
        id_prefix="audit",
        connections=min(CONNECTIONS, connections, len(ids)),
        timeout_s=READ_S_MAX,
        backlog_max=1_000_000,
        key=key,
        signing_secret=signing_secret,
        retries=Retries(times_max=255, wait_s_max=1.0),
        ledger="held",
    )
    ran = await recorded_load(plan)
    # What was not even asked for in that time has no entry.
    answered = ran.ledger.of_kind(0)
    entries = np.zeros(len(ids), ENTRY)
    entries[: len(answered)] = answered
    return ReadBack(entries, ran.ledger.held())
