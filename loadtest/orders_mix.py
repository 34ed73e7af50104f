"""Makes the kinds of requests of a load test: orders drawn from a market, replays, life cycles, bodies in bulk."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from engine.model import ShipTo
from loadtest.load_plan import Kind, Lines, Table

SKU_TABLE, PLACE_TABLE = "sku", "place"
CANCEL_SHARE = 0.2
"""Of held orders that something becomes of, those that are cancelled; the others are confirmed."""
CUSTOMERS = 1_000_000

_ORDER = '{"order_id":"${id}","customer":"c-${number:%d}","ship_to":${place},"lines":[${lines}],"payment":"%s"%s}'

Share = Annotated[float, Meta(ge=0, le=1)]


class Mix(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What buyers do. Shares are of all requests."""

    lines_max: Annotated[int, Meta(ge=1, le=100)] = 2
    """Orders have 1 to so many lines, each number alike."""
    units_max: Annotated[int, Meta(ge=1, le=1_000)] = 2
    zipf: Annotated[float, Meta(ge=0, le=10)] = 1.0
    """The n-th SKU is wanted 1 / n to this power as much as the first; 0: all alike."""
    replays: Share = 0.0
    """Orders that were sent before, sent again."""
    held: Share = 0.0
    """Orders that are not paid yet, and as many confirmations and cancellations of those that were accepted."""
    hold_s: Annotated[int, Meta(ge=1, le=86_400)] = 900
    bulk_lines: Annotated[int, Meta(ge=1, le=10_000)] | None = None
    """Orders come in bodies of so many lines, all of them paid."""


def order_kinds(mix: Mix) -> list[Kind]:
    """The kinds of requests; they need the tables and lines of `order_tables`."""
    paid = _ORDER % (CUSTOMERS, "paid", "")
    if mix.bulk_lines is not None:
        path, media = "/v1/orders:bulk", "application/x-ndjson"
        return [Kind(name="bulk", path=path, body=paid, bulk_lines=mix.bulk_lines, content_type=media)]
    kinds = [Kind(name="order", path="/v1/orders", body=paid, weight=max(0.0, 1 - mix.replays - 2 * mix.held))]
    if mix.replays:
        kinds.append(Kind(name="replay", path="/v1/orders", replays="order", weight=mix.replays))
    if mix.held:
        pending = _ORDER % (CUSTOMERS, "pending", f',"hold_seconds":{mix.hold_s}')
        kinds.append(Kind(name="held", path="/v1/orders", body=pending, weight=mix.held))
        for name, share in (("confirm", 1 - CANCEL_SHARE), ("cancel", CANCEL_SHARE)):
            path = "/v1/orders/${id}/" + name
            kinds.append(Kind(name=name, path=path, accepted="held", weight=mix.held * share))
    return kinds


def order_tables(mix: Mix, skus: Sequence[str], places: Sequence[ShipTo]) -> tuple[dict[str, Table], Lines]:
    """Tables of SKUs, the most wanted first, and of places, and how lines are drawn."""
    tables = {
        SKU_TABLE: Table(list(skus), zipf=mix.zipf or None, distinct=True),
        PLACE_TABLE: Table([msgspec.json.encode(place).decode() for place in places], raw=True),
    }
    return tables, Lines(SKU_TABLE, [1.0] * min(mix.lines_max, len(skus)), [1.0] * mix.units_max)
