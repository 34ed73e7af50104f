"""Orders in plain Python: what each holds, counts, and has done; and whether a refusal of one is true."""

from collections import Counter
from collections.abc import Mapping
from itertools import combinations
from typing import Any

import msgspec

from engine.intake import InsufficientStock, PurchaseLimit
from engine.model import Line, Order
from tests.engine.drawn import SKU_NAMES
from tests.engine.model_goods import Goods, bent, exploded
from tests.engine.model_stock import CellName, Place, Stock

OVER = ("released", "expired")


class Seen(msgspec.Struct):
    """An order as the store keeps it."""

    held: Counter[Place]
    shipped: Counter[Place]
    days: Counter[str]
    """Counters of warehouses' days."""
    bought: Counter[str]
    """What it counts towards purchase limits, by SKU."""
    lines: Counter[str]
    """What its order asks for."""


class Kept(msgspec.Struct):
    """An order as it must be."""

    order: Order
    """As it came; what changed since is `wanted`."""
    wanted: Counter[str]
    status: str
    version: int
    json: bytes
    held: Counter[Place]
    shipped: Counter[Place]
    days: Counter[str]
    bought: Counter[str] = msgspec.field(default_factory=Counter)
    """What counts towards purchase limits: as ordered, if it got that."""
    done: dict[tuple[str, str], Any] = msgspec.field(default_factory=dict)
    """What was asked by each transition that was done, by its kind and id."""

    @property
    def over(self) -> bool:
        """Whether all was given back."""
        return self.status in OVER

    @property
    def units(self) -> Counter[str]:
        """What it got of each SKU."""
        return by_sku(self.held + self.shipped)


class Network(msgspec.Struct, frozen=True):
    """What bounds orders."""

    warehouses: tuple[str, ...]
    limits: Mapping[str, int]
    capacities: Mapping[str, int]
    """Orders in a day."""


class Orders:
    """All orders, on some stock."""

    def __init__(self, network: Network, stock: Stock) -> None:
        self.network, self.stock = network, stock
        self.kept: dict[str, Kept] = {}

    def bought(self, customer: str | None, sku: str, *, without: Kept | None = None) -> int:
        """Units that count towards a customer's limit."""
        return sum(
            kept.bought[sku]
            for kept in self.kept.values()
            if customer and kept.order.customer == customer and not kept.over and kept is not without
        )

    def serving(self, day: str, *, without: Kept | None = None) -> int:
        """Orders that count for a warehouse's day."""
        return sum(kept.days[day] for kept in self.kept.values() if not kept.over and kept is not without)

    def check_bounds(self, days: Mapping[str, str]) -> None:
        """No limit and no capacity is gone beyond; `days` names the counters of today by warehouse."""
        for sku, most in self.network.limits.items():
            for customer in {kept.order.customer for kept in self.kept.values()}:
                assert self.bought(customer, sku) <= most, f"{customer} has more of {sku} than {most}"
        for warehouse, most in self.network.capacities.items():
            assert self.serving(days[warehouse]) <= most, f"{warehouse} serves more than {most} orders"

    def check_refusal(
        self, order: Order, outcome: Any, days: Mapping[str, str], *, own: Kept | None = None, alone: bool = True
    ) -> None:
        """A refusal must be true of the stock after it.

        `own`: the order that was to be amended; what it holds is its to use. `alone`: no other order was under way, so
        that what the refusal says in numbers is known, too.
        """
        wants = wanted(order)
        if isinstance(outcome, PurchaseLimit):
            assert outcome.exceeded
            for row in outcome.exceeded:
                left = self.network.limits[row.sku] - self.bought(order.customer, row.sku, without=own)
                assert row.requested == wants[row.sku] or (order.allow_partial and row.requested < wants[row.sku])
                assert row.requested > left, "refused for a limit that has room"
            return
        assert isinstance(outcome, InsufficientStock), outcome
        assert own or not order.allow_backorder, "refused though it accepts to wait"
        allowed, open_today = self.check_unserved(order, days, own=own)
        if not alone:
            return
        assert outcome.at_capacity == self._feasible(order, allowed, own)
        among = open_today if outcome.at_capacity else allowed
        wants = exploded(wants)
        assert all((row.within_limit is None) is not outcome.spread for row in outcome.shortages)
        if outcome.spread:
            assert all(row.available >= row.requested for row in outcome.shortages) or order.allow_partial
            assert outcome.limit is not None
            assert outcome.limit.shipments == shipments_max(order)
        rows = {
            row.sku: (row.requested, row.available if row.within_limit is None else row.within_limit)
            for row in outcome.shortages
        }
        if order.allow_partial and outcome.spread:
            assert all(available < asked == wants[sku] for sku, (asked, available) in rows.items())
        elif missing := self._bent(order, among, own)[1]:
            assert (rows, outcome.spread) == ({sku: (wants[sku], wants[sku] - n) for sku, n in missing.items()}, False)
        else:
            # There is enough, but not in as few warehouses as may share it: what those few have is available.
            assert rows
            assert outcome.spread is not outcome.at_capacity
            assert all(available < asked == wants[sku] for sku, (asked, available) in rows.items())

    def check_unserved(
        self, order: Order, days: Mapping[str, str], *, own: Kept | None = None
    ) -> tuple[tuple[str, ...], list[str]]:
        """An order that is not served could not be. Returns its warehouses, and those that are not full today."""
        allowed = (order.pickup_at,) if order.pickup_at else order.warehouses or self.network.warehouses
        spare = {name: most - self.serving(days[name], without=own) for name, most in self.network.capacities.items()}
        open_today = [name for name in allowed if spare.get(name, 1) > 0]
        assert not self._feasible(order, open_today, own), f"not served though {open_today} have it"
        return allowed, open_today

    def check_bent(self, order: Order, goods: Goods, days: Mapping[str, str]) -> None:
        """What an order that was alone goes without, or got something else for, must not be there.

        If it was free to take it from everywhere. Of bundles there must not be enough for another one.
        """
        if order.pickup_at or shipments_max(order) < len(self.network.warehouses):
            return
        names = [
            name
            for name in order.warehouses or self.network.warehouses
            if name not in self.network.capacities or self.serving(days[name]) < self.network.capacities[name]
        ]
        for sku in goods.unfilled | goods.replaced:
            each = exploded(Counter({sku: 1}))
            there = {part: sum(self._offered(order, part, name, None) for name in names) for part in each}
            assert any(there[part] < units for part, units in each.items()), f"went without {sku} that is there"

    def _bent(self, order: Order, names: Any, own: Kept | None) -> tuple[Counter[str], Counter[str]]:
        """What is to be taken, substitutes in the place of what all these warehouses lack; and what is missing."""
        wants = exploded(wanted(order))
        there = {sku: sum(self._offered(order, sku, name, own) for name in names) for sku in SKU_NAMES}
        return bent(wants, there, substitutes=order.allow_substitutes)

    def _feasible(self, order: Order, names: Any, own: Kept | None) -> bool:
        if order.allow_partial:
            # Any unit that was ordered as such, or one whole bundle.
            parts = [
                msgspec.structs.replace(order, lines=(Line(line.sku, 1),), allow_partial=False) for line in order.lines
            ]
            return any(self._feasible(part, names, own) for part in parts)
        take, missing = self._bent(order, names, own)
        return not missing and any(
            all(sum(self._offered(order, sku, name, own) for name in chosen) >= units for sku, units in take.items())
            for count in range(1, min(shipments_max(order), len(names)) + 1)
            for chosen in combinations(names, count)
        )

    def _offered(self, order: Order, sku: str, name: str, own: Kept | None) -> int:
        held: Counter[Place] = own.held if own else Counter()
        shared = max(0, self.stock.free((sku, name)) + held[sku, name, ""])
        channel = order.channel or ""
        return shared + (self.stock.pools[sku, name, channel] + held[sku, name, channel] if channel else 0)


def wanted(order: Order) -> Counter[str]:
    """Units by SKU."""
    units: Counter[str] = Counter()
    for line in order.lines:
        units[line.sku] += line.quantity
    return units


def by_sku(units: Counter[Place]) -> Counter[str]:
    """Units by SKU, wherever they are."""
    sums: Counter[str] = Counter()
    for (sku, _, _), count in units.items():
        sums[sku] += count
    return +sums


def by_cell(units: Counter[Place]) -> Counter[CellName]:
    """Units by SKU and warehouse, whosever pool they are of."""
    sums: Counter[CellName] = Counter()
    for (sku, warehouse, _), count in units.items():
        sums[sku, warehouse] += count
    return +sums


def shipments_max(order: Order) -> int:
    """Warehouses that may share an order."""
    return 1 if not order.allow_split else order.max_shipments or 100
