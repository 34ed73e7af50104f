"""What a peer is: orders as its shop reads them, the warehouses by their way to them, and what its books say."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from math import asin, cos, radians, sin, sqrt
from typing import Annotated, Literal, Protocol

from msgspec import Meta, Struct

from bench.peers.goods import warehouses

Identifier = Annotated[str, Meta(min_length=1, max_length=64)]

PLACES_KEPT = 4_096
"""Destinations whose way to the warehouses is remembered."""


class ShopLine(Struct, frozen=True):
    """Units of one SKU."""

    sku: Identifier
    quantity: Annotated[int, Meta(ge=1, le=10_000)]


class Place(Struct, frozen=True):
    """Degrees."""

    lat: Annotated[float, Meta(ge=-90, le=90)]
    lon: Annotated[float, Meta(ge=-180, le=180)]


class ShopOrder(Struct, frozen=True):
    """What the shop needs of an order; it passes over the rest."""

    order_id: Identifier
    ship_to: Place
    lines: Annotated[tuple[ShopLine, ...], Meta(min_length=1, max_length=100)]
    customer: Identifier | None = None

    def wanted(self) -> dict[str, int]:
        """Units by SKU, in the order of their names: the order in which they are locked."""
        units: dict[str, int] = {}
        for line in self.lines:
            units[line.sku] = units.get(line.sku, 0) + line.quantity
        return dict(sorted(units.items()))


class Taken(Struct, frozen=True):
    """What became of an order: the warehouse that ships it, None where no warehouse has all of it."""

    outcome: Literal["reserved", "replayed", "refused"]
    warehouse: str | None


class Books(Struct, frozen=True, kw_only=True):
    """What the peer's own store says after a run."""

    orders: int
    units: int
    """That orders hold."""
    oversold: int
    """Units that orders hold beyond what there was, or that a cell is below nothing."""
    astray: int
    """Units by which cells and orders do not add up."""


class Settings(Struct, frozen=True):
    """What is swept."""

    pool: Annotated[int, Meta(ge=1, le=256)]
    """Connections to the store."""
    together: Annotated[int, Meta(ge=1, le=10_000)] = 100
    """Orders of a body that are handed to the shop at once."""
    pipelined: bool = False
    """Those are one round trip, where the store can; else each is one."""

    def __str__(self) -> str:
        return f"{self.pool} connections" + (f", {self.together} orders a round trip" if self.pipelined else "")


class Shop(Protocol):
    """A peer behind the common front."""

    async def use(self, settings: Settings) -> None:
        """Open as many connections as it says, in place of those that are open."""

    async def reserve(self, order: ShopOrder) -> Taken:
        """Take the stock of an order, durably, all or nothing."""

    async def reserve_all(self, orders: Sequence[ShopOrder]) -> list[Taken]:
        """The same for each of several, one by one and independently, as much at once as its connections allow."""

    async def books(self) -> Books:
        """Add up what orders hold, cell by cell, against what there was and what is free."""

    async def close(self) -> None:
        """Close its connections."""


@lru_cache(PLACES_KEPT)
def by_distance(place: Place) -> tuple[str, ...]:
    """All warehouses, the nearest first."""
    return tuple(sorted(warehouses(), key=lambda name: (_haversine(place, *warehouses()[name]), name)))


def _haversine(place: Place, lat: float, lon: float) -> float:
    """An angle: as good as kilometres to compare."""
    south, north = radians(place.lat), radians(lat)
    chord = sin((north - south) / 2) ** 2 + cos(south) * cos(north) * sin(radians(lon - place.lon) / 2) ** 2
    return 2 * asin(sqrt(chord))


async def one_by_one(
    orders: Sequence[ShopOrder], workers: int, reserve: Callable[[ShopOrder], Awaitable[Taken]]
) -> list[Taken]:
    """Each worker takes the next order when it has done one."""
    taken: dict[int, Taken] = {}
    left = iter(enumerate(orders))

    async def work() -> None:
        for place, order in left:
            taken[place] = await reserve(order)

    await asyncio.gather(*(work() for _ in range(min(workers, len(orders)))))
    return [taken[place] for place in range(len(orders))]


def balance(counted: dict[str, int], free: dict[str, int], held: dict[str, int], orders: int) -> Books:
    """Of every cell what was counted, what is free, and what orders hold."""
    cells = counted.keys() | held.keys() | free.keys()
    return Books(
        orders=orders,
        units=sum(held.values()),
        oversold=sum(max(0, held.get(cell, 0) - counted.get(cell, 0), -free.get(cell, 0)) for cell in cells),
        astray=sum(abs(counted.get(cell, 0) - free.get(cell, 0) - held.get(cell, 0)) for cell in cells),
    )
