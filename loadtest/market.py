"""What can be ordered, and where to: read from a running service, for a load test that has no list of its own."""

from collections import Counter

import msgspec
from msgspec import Struct

from engine.model import ShipTo
from loadtest.client import Client

CELLS_MAX = 500_000
"""Cells that are looked at; a larger stock is judged by these."""


class Market(Struct, frozen=True):
    """SKUs, the one with most units free first, and places."""

    skus: list[str]
    places: list[ShipTo]


class _Site(Struct):
    lat: float
    lon: float


async def read_market(client: Client, *, country: str | None = None) -> Market:
    """The SKUs of which units are free, and the sites of the warehouses as places, in a country where one is given.

    Raises UnexpectedAnswer, or aiohttp.ClientError where there is no answer.
    """
    sites = msgspec.convert(await client.get("/v1/warehouses"), list[_Site])
    free: Counter[str] = Counter()
    seen = 0
    async for cell in client.stock():
        if cell["available"] > 0:
            free[cell["sku"]] += cell["available"]
        seen += 1
        if seen >= CELLS_MAX:
            break
    places = [ShipTo(lat=site.lat, lon=site.lon, country=country) for site in sites]
    return Market([sku for sku, _ in free.most_common()], places)
