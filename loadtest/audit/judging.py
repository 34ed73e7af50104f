"""Brings together what tells whether refusals for stock were true: orders, events, stock, warehouses."""

from collections.abc import Sequence
from urllib.parse import quote

import msgspec
import numpy as np
from msgspec import Struct

from loadtest.audit import orders
from loadtest.audit.feed import FeedLog
from loadtest.audit.refusals import Clocks, Judged, Wanted, final_units, free_units, judge, judge_by_the_end, wanted_of
from loadtest.audit.stock import Stock
from loadtest.client import Client
from loadtest.ledger import FOR_STOCK, LOST, Ledger, Told

REFUSALS_MAX = 50_000
"""Refusals that are looked at, the first ones."""


class _Site(Struct):
    id: str
    enabled: bool = True
    capacity_orders_per_day: int | None = None


class _Traits(Struct):
    capabilities: list[str] = []


async def judge_refusals(
    client: Client, before: Stock | None, after: Stock | None, feed: FeedLog, ledger: Ledger, kinds: Sequence[Told]
) -> tuple[Judged, int]:
    """What can be told of refusals for stock, and how many there were. Raises UnexpectedAnswer."""
    wanted, refused = _wanted(ledger, kinds)
    unknown = refused - len(wanted)
    if not wanted or before is None or after is None:
        return Judged(unknown=refused), refused
    skus = {sku for one in wanted for sku in one.units}
    sites = msgspec.convert(await client.get("/v1/warehouses"), list[_Site])
    # Others may have stock that they do not ship.
    open_warehouses = {site.id for site in sites if site.enabled and site.capacity_orders_per_day is None}
    left = final_units(after, skus, open_warehouses)
    if feed.gap:
        judged = judge_by_the_end(wanted, left)
    else:
        judged = judge(wanted, free_units(before, feed, skus, open_warehouses), left, _clocks(feed, kinds))
        await _pass_over_special(client, judged)
    judged.unknown += unknown
    return judged, refused


def _wanted(ledger: Ledger, kinds: Sequence[Told]) -> tuple[list[Wanted], int]:
    """Orders that were refused for stock, as far as they are looked at, and how many there are."""
    wanted: list[Wanted] = []
    refused = 0
    for one in kinds:
        places = np.flatnonzero(orders.has_mark(one.entries, FOR_STOCK))
        refused += len(places)
        places = places[: max(0, REFUSALS_MAX - len(wanted))]
        bodies = ledger.bodies(one.kind, one.numbers[places].tolist())
        for place, body in zip(places.tolist(), bodies, strict=True):
            order = wanted_of(body, int(one.entries["sent_ms"][place]), int(one.entries["took_ms"][place]))
            if order is not None:
                wanted.append(order)
    return wanted, refused


def _clocks(feed: FeedLog, kinds: Sequence[Told]) -> Clocks:
    clocks = Clocks()
    for one in kinds:
        # Of an order that was sent again after a lost answer, the send that decided it is not known.
        clear = orders.is_acknowledged(one.entries) & ~orders.has_mark(one.entries, LOST)
        for place in np.flatnonzero(clear & (one.entries["status"] == 201)).tolist():
            decided_ms = feed.decided_ms.get(one.ids[place])
            if decided_ms is not None:
                sent_ms, took_ms = int(one.entries["sent_ms"][place]), int(one.entries["took_ms"][place])
                clocks.note(sent_ms=sent_ms, done_ms=sent_ms + took_ms, decided_ms=decided_ms)
    return clocks


async def _pass_over_special(client: Client, judged: Judged) -> None:
    """Stock of a SKU that asks something of its warehouse may be where it cannot be shipped from."""
    special: dict[str, bool] = {}
    plain = []
    for order_id, sku in judged.false:
        if sku not in special:
            traits = msgspec.convert(await client.get(f"/v1/skus/{quote(sku, safe='')}"), _Traits)
            special[sku] = bool(traits.capabilities)
        if special[sku]:
            judged.doubtful += 1
        else:
            plain.append((order_id, sku))
    judged.false = plain
