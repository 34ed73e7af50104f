"""The Rust planner with the model's types on its outside. Keeps the definitions it was given; does no I/O."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from engine import _core
from engine.model import BuiltInPolicy, CostMatrix, DistanceMatrix, MatrixOf, Order, Sku, Tariff, Warehouse
from engine.planner.calendar import Calendars
from engine.planner.prices import Prices, price_rows
from engine.planner.tariff import carrier_rows, matrix_rows

_canonical = msgspec.msgpack.Encoder(order="sorted").encode


def canonical_bytes(order: Order) -> bytes:
    """The order as MessagePack with sorted keys and without defaults: what is hashed, planned from, and kept.

    A field that a later release adds is left out while it has its default, so fingerprints outlive an upgrade.
    """
    return _canonical(order)


def cell_number(*, sku: int, warehouse: int, channel: int = 0) -> int:
    """The number of a cell, or of a channel's pool of it (`channel` from 1)."""
    return channel * _core.CHANNEL_CELLS + sku * _core.WAREHOUSES_MAX + warehouse


def warehouse_of(cell: int) -> int:
    """The number of the warehouse of a cell, or of a pool of it."""
    return cell % _core.WAREHOUSES_MAX


def capacity_counter(warehouse: int, day: int) -> str:
    """The name of the counter of a warehouse's orders of a day (since 1970, UTC)."""
    return f"@{warehouse}:{day}"


def is_capacity(counter: str) -> bool:
    """Whether a counter is one of a warehouse's orders, not one of a purchase limit."""
    return counter.startswith("@")


def capacity_warehouse(counter: str) -> int:
    """The number of the warehouse of such a counter."""
    return int(counter[1:].partition(":")[0])


class CostDefaults(msgspec.Struct, frozen=True, kw_only=True):
    """Costs of a warehouse that does not say, in minor units."""

    fixed_cost: int
    unit_cost: int
    cost_per_km: float
    """Applies only while there is no tariff: a tariff charges the distance itself."""


class Planner:
    """Catalogue, cost table, stock view and planner of one process. For one thread."""

    def __init__(self, *, currency: str, default_policy: BuiltInPolicy, defaults: CostDefaults) -> None:
        self.core = _core.Planner(currency=currency, default_policy=default_policy)
        self.currency = currency
        self._default_policy = default_policy
        self.tariff: Tariff | None = None
        self.matrices: dict[MatrixOf, DistanceMatrix | CostMatrix] = {}
        """The user's own distances and costs."""
        self.warehouses: dict[str, Warehouse] = {}
        self.skus: dict[str, Sku] = {}
        self.assortment: dict[str, Sku] = {}
        """Those that are bundles or name substitutes."""
        self._numbers: dict[str, int] = {}
        self.channels: dict[int, str] = {}
        """Channels that have pools, by their number in a cell's."""
        self.defaults = defaults
        self._life = 0
        self._policies: bytes | None = None
        self._prices: Prices | None = None
        self._calendars = Calendars()

    def blank(self) -> "Planner":
        """A planner of the same settings that knows nothing yet."""
        planner = Planner(currency=self.currency, default_policy=self._default_policy, defaults=self.defaults)
        planner._life = self._life + 1
        if self._policies is not None:
            planner.set_policies(self._policies)
        return planner

    def become(self, other: "Planner") -> None:
        """Take over everything that another planner knows, and forget what this one did."""
        self.core, self.tariff, self.matrices = other.core, other.tariff, other.matrices
        self.warehouses, self.skus, self._numbers = other.warehouses, other.skus, other._numbers
        self.assortment = other.assortment
        self._life, self.channels = other._life, other.channels
        self._calendars.forget()
        # They may have changed since the other one was made.
        if self._policies is not None:
            _core.set_policies(self.core, self._policies)
        if self._prices is not None:
            self._price_what_is_known(self._prices)

    def set_prices(self, prices: Prices | None) -> None:
        """Choose by cost and these prices from here on, and go on booking the cost; with None, by cost alone.

        Raises InvalidInput, and changes nothing, where a name is unknown or a price out of range.
        """
        self.core.set_prices(*self._price_rows(prices or Prices()))
        self._prices = prices

    def _price_rows(self, prices: Prices) -> tuple[list[tuple[int, int, int]], list[tuple[int, int]]]:
        return price_rows(prices, sku=self.core.sku_number, warehouse=self.core.warehouse_number)

    def _price_what_is_known(self, prices: Prices) -> None:
        # Another store may lack some of the names.
        cells = {names: price for names, price in prices.cells.items() if self._knows(*names)}
        of_shipments = {name: price for name, price in prices.warehouses.items() if name in self.warehouses}
        # What is not known now may be later: all of them are kept.
        self.core.set_prices(*self._price_rows(Prices(cells, of_shipments)))

    def _knows(self, sku: str, warehouse: str) -> bool:
        return sku in self.skus and warehouse in self.warehouses

    def set_policies(self, message: bytes) -> None:
        """Put a book of policies in force, for what is planned from here on; engine.policy writes it."""
        _core.set_policies(self.core, message)
        self._policies = message

    def set_partitions(self, partitions: int, writer: str) -> None:
        """How many partitions the stock has, and what the store calls this process."""
        # The core counts its attempts from 1: one that comes after another must not use that one's names again.
        self.core.set_partitions(partitions, f"@{writer}.{self._life}")

    def put_skus(self, rows: Iterable[tuple[int, Sku]]) -> None:
        """Add or replace SKUs by their number."""
        rows = list(rows)
        # Few of a million have any.
        with_traits = [
            (number, sku.sku_class, sku.capabilities)
            for number, sku in rows
            if _has_traits(sku) or ((before := self.skus.get(sku.sku)) is not None and _has_traits(before))
        ]
        stand_for = [
            (number, [(part.sku, part.quantity) for part in sku.components], list(sku.substitutes))
            for number, sku in rows
            if sku.components or sku.substitutes or sku.sku in self.assortment
        ]
        for _, sku in rows:
            if sku.components or sku.substitutes:
                self.assortment[sku.sku] = sku
            else:
                self.assortment.pop(sku.sku, None)
        self.skus.update((sku.sku, sku) for _, sku in rows)
        self.core.put_skus(
            [(number, sku.sku, sku.weight_g, sku.volume_cm3 or 0, sku.purchase_limit or 0) for number, sku in rows]
        )
        if with_traits:
            _core.put_sku_traits(self.core, with_traits)
        if stand_for:
            self.core.put_assortment(stand_for)

    def put_warehouses(self, rows: Iterable[tuple[int, Warehouse]]) -> None:
        """Add or replace warehouses by their number."""
        rows = list(rows)
        for number, warehouse in rows:
            self.warehouses[warehouse.id] = warehouse
            self._numbers[warehouse.id] = number
        self.core.put_warehouses([self._warehouse_row(number, warehouse) for number, warehouse in rows])
        _core.put_warehouse_traits(self.core, [(number, row.kind, row.capabilities) for number, row in rows])
        self._calendars.forget()

    def keep_calendars(self, now_ms: int) -> None:
        """Have the core know on which days orders of an instant leave; call it before each plan. Seldom does much."""
        if self._calendars.due(now_ms):
            rows = [(self._numbers[name], warehouse) for name, warehouse in self.warehouses.items()]
            self.core.set_dispatches(self._calendars.make(rows, now_ms))

    def counted(self, at_ms: Mapping[int, int]) -> None:
        """Stock of warehouses was counted, by their number, at instants in ms since 1970."""
        _core.note_counted(self.core, list(at_ms.items()))

    def put_channels(self, rows: Iterable[tuple[int, str]]) -> None:
        """Add channels that have pools by their number in the catalogue, from 0; 0 as a pool's is the shared rest."""
        rows = list(rows)
        self.channels.update((number + 1, name) for number, name in rows)
        self.core.put_channels([(number + 1, name) for number, name in rows])

    def set_tariff(self, tariff: Tariff | None) -> None:
        """Replace the tariff; with None, distance costs what the warehouses or the defaults say."""
        self.tariff = tariff
        self.core.set_carriers(carrier_rows(tariff))
        self.core.put_warehouses(
            [self._warehouse_row(self._numbers[name], row) for name, row in self.warehouses.items()]
        )

    def set_matrix(self, of: MatrixOf, matrix: DistanceMatrix | CostMatrix | None) -> None:
        """Replace the user's own distances or costs; with None, the great circle or the tariff holds everywhere."""
        self.core.set_matrix(of, None if matrix is None else matrix_rows(matrix, self._numbers))
        if matrix is None:
            self.matrices.pop(of, None)
        else:
            self.matrices[of] = matrix

    def cells_of(self, order: Order) -> list[int]:
        """Every cell that could serve an order's known SKUs, components and substitutes, in its pools, too."""
        numbers = sorted(self._numbers.values())
        names = {name for line in order.lines for name in self._taken_for(line.sku)}
        if order.allow_substitutes:
            names |= {by for name in names if (sku := self.skus.get(name)) is not None for by in sku.substitutes}
        skus = sorted({number for name in names if (number := self.core.sku_number(name)) is not None})
        own = self.core.channel_number(order.channel) if order.channel else None
        return [
            cell_number(sku=sku, warehouse=warehouse, channel=channel)
            for channel in ((0,) if own is None else (0, own))
            for sku in skus
            for warehouse in numbers
        ]

    def _taken_for(self, name: str) -> tuple[str, ...]:
        """The SKUs whose stock serves a line: those that a bundle is made of, else its own."""
        sku = self.skus.get(name)
        return tuple(part.sku for part in sku.components) if sku is not None and sku.components else (name,)

    def capped_warehouses(self) -> list[int]:
        """Numbers of the warehouses that serve a bounded number of orders a day."""
        return list(self.capacities())

    def capacities(self) -> dict[int, int]:
        """Orders that such warehouses serve in a day, by their numbers."""
        bounds = ((self._numbers[row.id], row.capacity_orders_per_day) for row in self.warehouses.values())
        return {number: orders for number, orders in bounds if orders is not None}

    def set_levels(self, levels: Sequence[tuple[int, int]], event: bytes) -> None:
        """Set what is free in cells, as read from the store when `event` was its newest."""
        self.core.set_levels([cell for cell, _ in levels], [free for _, free in levels], event)

    def _warehouse_row(
        self, number: int, warehouse: Warehouse
    ) -> tuple[int, str, float, float, bool, int, int, int, float, int | None]:
        defaults = self.defaults
        per_km = 0.0 if self.tariff else defaults.cost_per_km
        return (
            number,
            warehouse.id,
            warehouse.lat,
            warehouse.lon,
            warehouse.enabled,
            warehouse.priority,
            defaults.fixed_cost if warehouse.fixed_cost is None else warehouse.fixed_cost,
            defaults.unit_cost if warehouse.unit_cost is None else warehouse.unit_cost,
            per_km if warehouse.cost_per_km is None else warehouse.cost_per_km,
            warehouse.capacity_orders_per_day,
        )


def _has_traits(sku: Sku) -> bool:
    return sku.sku_class is not None or bool(sku.capabilities)
