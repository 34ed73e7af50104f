"""Puts a scenario's warehouses, SKUs and counts into a service, over HTTP, under names of the run's own."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from msgspec import Struct

from engine.model import ShipTo
from loadtest.client import Client
from loadtest.scenarios.document import Catalogue, Sold

STOCK_ROWS_A_CALL = 5_000
CALLS_AT_ONCE = 8

GOLDEN = 0.618_033_988_749_895
"""Places that are its multiples, less what is whole, lie evenly however many there are."""
SOUTH, NORTH, WEST, EAST = 22.0, 45.0, 100.0, 122.0


class Goods(Struct, frozen=True):
    """What can be ordered, and where to."""

    skus: Sequence[str]
    """The hot ones first."""
    hot: int
    """So many of them are hot."""
    places: Sequence[ShipTo]
    warehouses: Sequence[str] = ()
    warehouses_per_sku: int = 0

    def wanted(self, want: Sold) -> Sequence[str]:
        """Those that buyers want."""
        match want:
            case "all":
                return self.skus
            case "hot":
                return self.skus[: self.hot]
            case "rest":
                return self.skus[self.hot :]

    def cells(self, want: Sold) -> Iterator[tuple[str, str]]:
        """SKU and warehouse of each cell that was put there."""
        first = 0 if want != "rest" else self.hot
        for place, sku in enumerate(self.wanted(want), first):
            for step in range(self.warehouses_per_sku):
                yield sku, self.warehouses[(place + step) % len(self.warehouses)]


async def put_goods(client: Client, catalogue: Catalogue, *, prefix: str, country: str | None = None) -> Goods:
    """All of it, names beginning with `prefix`. Raises UnexpectedAnswer, or aiohttp.ClientError."""
    sites = [
        (SOUTH + (NORTH - SOUTH) * (number * GOLDEN % 1), WEST + (EAST - WEST) * (number + 0.5) / catalogue.warehouses)
        for number in range(catalogue.warehouses)
    ]
    goods = Goods(
        skus=[f"{prefix}-s{number:05}" for number in range(catalogue.skus)],
        hot=catalogue.hot_skus,
        places=[ShipTo(lat=round(lat, 2), lon=round(lon, 2), country=country) for lat, lon in sites],
        warehouses=[f"{prefix}-w{number:03}" for number in range(catalogue.warehouses)],
        warehouses_per_sku=catalogue.warehouses_per_sku,
    )
    await _put_all(
        client,
        "/v1/warehouses",
        [
            (name, {"lat": round(lat, 4), "lon": round(lon, 4), "fixed_cost": 300, "unit_cost": 20})
            for name, (lat, lon) in zip(goods.warehouses, sites, strict=True)
        ],
    )
    limited = catalogue.hot_skus or catalogue.skus
    await _put_all(
        client,
        "/v1/skus",
        [
            (
                sku,
                {"weight_g": 200 + 37 * place % 2_000}
                | (
                    {"purchase_limit": catalogue.purchase_limit} if catalogue.purchase_limit and place < limited else {}
                ),
            )
            for place, sku in enumerate(goods.skus)
        ],
    )
    hot_on_hand = catalogue.on_hand if catalogue.hot_on_hand is None else catalogue.hot_on_hand
    counts = {**_counts(goods, "all", catalogue.on_hand), **_counts(goods, "hot", hot_on_hand)}
    rows = [{"sku": sku, "warehouse": warehouse, "on_hand": units} for (sku, warehouse), units in counts.items()]
    for start in range(0, len(rows), STOCK_ROWS_A_CALL):
        await client.put("/v1/stock", rows[start : start + STOCK_ROWS_A_CALL])
    return goods


def _counts(goods: Goods, want: Sold, units: int) -> dict[tuple[str, str], int]:
    return dict.fromkeys(goods.cells(want), units)


async def _put_all(client: Client, path: str, values: Sequence[tuple[str, dict[str, Any]]]) -> None:
    """Several at a time."""
    left = iter(values)

    async def put_some() -> None:
        for name, value in left:
            await client.put(f"{path}/{quote(name, safe='')}", value)

    await asyncio.gather(*(put_some() for _ in range(CALLS_AT_ONCE)))
