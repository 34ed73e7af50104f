"""The small worlds that schedules run in: partitions full of scarce stock, and orders that want it."""

import random
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from engine.model import Line, Order, ShipTo, Sku, Warehouse
from engine.planner import CostDefaults, Planner, cell_number
from engine.store.library import library_source
from tests.simulation.store import SimulatedServer
from tests.simulation.wire import KEYS

SKUS = (Sku(sku="x"), Sku(sku="y"), Sku(sku="z"), Sku(sku="few", purchase_limit=3))
"""Numbered from 0, so that partitions own them by turns; check.lua knows the limit."""

LIMITED_SKU = 3

WAREHOUSES = tuple(Warehouse(id=name, lat=30.0 + place, lon=110.0) for place, name in enumerate("AB"))
ORDER_IDS = ("a", "b", "c", "d", "e", "f", "g")
"""At home in all partitions, of two and of three."""

STOCKS = 6
HOLD_SECONDS = 30
_DEFAULTS = CostDefaults(fixed_cost=500, unit_cost=10, cost_per_km=1.0)
CUSTOMERS = (None, "ann", "bob")


class World(NamedTuple):
    """Partitions, warehouses, and which of several random stocks they begin with."""

    partitions: int
    warehouses: int
    stock: int


def sources() -> str:
    """The library with the checks behind it."""
    return f"{library_source()[0]}\n\n{Path(__file__).with_name('check.lua').read_text('utf-8')}"


class Servers:
    """The servers of one library, put back to the beginning of any world in no time."""

    def __init__(self, library: str) -> None:
        first = SimulatedServer(library)
        self.servers = (first, first.new_database(), first.new_database())
        self._beginnings: dict[World, tuple[Any, ...]] = {}
        self._opened: dict[tuple[World, int], tuple[list[Any], list[Any]]] = {}
        self._start_ms = first.clock_ms

    def begin(self, world: World) -> tuple[SimulatedServer, ...]:
        """The servers of a world, as it begins."""
        servers = self.servers[: world.partitions]
        beginnings = self._beginnings.get(world)
        for number, server in enumerate(servers):
            # Clocks of different machines are never quite the same.
            server.clock_ms = self._start_ms + 7 * number
            if beginnings:
                server.restore(beginnings[number])
        if not beginnings:
            self._beginnings[world] = tuple(_stocked(server, world, number) for number, server in enumerate(servers))
        return servers

    def opened(self, world: World, processes: int) -> list[Any] | None:
        """Puts the servers to where so many processes have opened them; what each call replied, if that was kept."""
        kept = self._opened.get((world, processes))
        if kept is None:
            return None
        snapshots, replies = kept
        for server, snapshot in zip(self.servers, snapshots, strict=False):
            server.restore(snapshot)
        return replies

    def keep_opened(self, world: World, processes: int, replies: list[Any]) -> None:
        """Keep the state of the servers, now that so many processes have opened them."""
        snapshots = [server.snapshot() for server in self.servers[: world.partitions]]
        self._opened[world, processes] = snapshots, replies


def _stocked(server: SimulatedServer, world: World, number: int) -> Any:
    draw = random.Random(f"{world} {number}")
    server.restore(server.new_database().snapshot())
    epoch = server.call("stockade_open", KEYS[number], (f"epoch{number}", "stocker", world.partitions, number))[0]
    cells = [
        cell_number(sku=sku, warehouse=warehouse)
        for sku in range(number, len(SKUS), world.partitions)
        for warehouse in range(world.warehouses)
    ]
    rows = (
        [str(cell) for cell in cells],
        [draw.choice((0, 1, 2, 3, 5)) + 1 for _ in cells],
        [draw.choice((0, 0, 1)) for _ in cells],
    )
    packed = [msgspec.msgpack.encode(column) for column in rows]
    server.call("stockade_set_stock", KEYS[number], (epoch, "stocker", *packed))
    return server.snapshot()


def planner_of() -> Planner:
    """A planner that knows nothing."""
    return Planner(currency="USD", default_policy="cheapest", defaults=_DEFAULTS)


def fill(planner: Planner, world: World) -> None:
    """Give a planner the network."""
    planner.put_warehouses(enumerate(WAREHOUSES[: world.warehouses]))
    planner.put_skus(enumerate(SKUS))


def order_of(
    order_id: str, lines: tuple[tuple[int, int], ...], customer: str | None, *, pending: bool, partial: bool
) -> Order:
    """An order; `lines` are SKU numbers and units."""
    return Order(
        order_id=order_id,
        ship_to=ShipTo(lat=30.0, lon=110.0),
        lines=tuple(Line(SKUS[sku].sku, units) for sku, units in lines),
        customer=customer,
        payment="pending" if pending else "paid",
        hold_seconds=HOLD_SECONDS if pending else None,
        allow_partial=partial,
    )


@cache
def servers_of(library: str | None = None) -> Servers:
    """The servers of a library: this release's where none is given."""
    return Servers(library if library is not None else sources())
