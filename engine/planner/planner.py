"""The Rust planner with the model's types on its outside. Keeps the definitions it was given; does no I/O."""

from collections.abc import Iterable, Sequence

import msgspec

from engine import _core
from engine.model import CostMatrix, DistanceMatrix, MatrixOf, Order, PolicyName, Sku, Tariff, Warehouse
from engine.planner.calendar import Calendars
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


def capacity_counter(warehouse: int, day: int) -> str:
    """The name of the counter of a warehouse's orders of a day (since 1970, UTC)."""
    return f"@{warehouse}:{day}"


def is_capacity(counter: str) -> bool:
    """Whether a counter is one of a warehouse's orders, not one of a purchase limit."""
    return counter.startswith("@")


class CostDefaults(msgspec.Struct, frozen=True, kw_only=True):
    """Costs of a warehouse that does not say, in minor units."""

    fixed_cost: int
    unit_cost: int
    cost_per_km: float
    """Applies only while there is no tariff: a tariff charges the distance itself."""


class Planner:
    """Catalogue, cost table, stock view and planner of one process. For one thread."""

    def __init__(self, *, currency: str, default_policy: PolicyName, defaults: CostDefaults) -> None:
        self.core = _core.Planner(currency=currency, default_policy=default_policy)
        self.currency = currency
        self._default_policy = default_policy
        self.tariff: Tariff | None = None
        self.matrices: dict[MatrixOf, DistanceMatrix | CostMatrix] = {}
        """The user's own distances and costs."""
        self.warehouses: dict[str, Warehouse] = {}
        self.skus: dict[str, Sku] = {}
        self._numbers: dict[str, int] = {}
        self.channels: dict[int, str] = {}
        """Channels that have pools, by their number in a cell's."""
        self._defaults = defaults
        self._life = 0
        self._calendars = Calendars()

    def blank(self) -> "Planner":
        """A planner of the same settings that knows nothing yet."""
        planner = Planner(currency=self.currency, default_policy=self._default_policy, defaults=self._defaults)
        planner._life = self._life + 1
        return planner

    def become(self, other: "Planner") -> None:
        """Take over everything that another planner knows, and forget what this one did."""
        self.core, self.tariff, self.matrices = other.core, other.tariff, other.matrices
        self.warehouses, self.skus, self._numbers = other.warehouses, other.skus, other._numbers
        self._life, self.channels = other._life, other.channels
        self._calendars.forget()

    def set_partitions(self, partitions: int, writer: str) -> None:
        """How many partitions the stock has, and what the store calls this process."""
        # The core counts its attempts from 1: one that comes after another must not use that one's names again.
        self.core.set_partitions(partitions, f"@{writer}.{self._life}")

    def put_skus(self, rows: Iterable[tuple[int, Sku]]) -> None:
        """Add or replace SKUs by their number."""
        rows = list(rows)
        self.skus.update((sku.sku, sku) for _, sku in rows)
        self.core.put_skus(
            [(number, sku.sku, sku.weight_g, sku.volume_cm3 or 0, sku.purchase_limit or 0) for number, sku in rows]
        )

    def put_warehouses(self, rows: Iterable[tuple[int, Warehouse]]) -> None:
        """Add or replace warehouses by their number."""
        rows = list(rows)
        for number, warehouse in rows:
            self.warehouses[warehouse.id] = warehouse
            self._numbers[warehouse.id] = number
        self.core.put_warehouses([self._warehouse_row(number, warehouse) for number, warehouse in rows])
        self._calendars.forget()

    def keep_calendars(self, now_ms: int) -> None:
        """Have the core know on which days orders of an instant leave; call it before each plan. Seldom does much."""
        if self._calendars.due(now_ms):
            rows = [(self._numbers[name], warehouse) for name, warehouse in self.warehouses.items()]
            self.core.set_dispatches(self._calendars.make(rows, now_ms))

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
        """Every cell that could serve an order's known SKUs, and the pools of its channel, if that has any."""
        numbers = sorted(self._numbers.values())
        skus = sorted({number for line in order.lines if (number := self.core.sku_number(line.sku)) is not None})
        own = self.core.channel_number(order.channel) if order.channel else None
        return [
            cell_number(sku=sku, warehouse=warehouse, channel=channel)
            for channel in ((0,) if own is None else (0, own))
            for sku in skus
            for warehouse in numbers
        ]

    def capped_warehouses(self) -> list[int]:
        """Numbers of the warehouses that serve a bounded number of orders a day."""
        return [self._numbers[row.id] for row in self.warehouses.values() if row.capacity_orders_per_day is not None]

    def set_levels(self, levels: Sequence[tuple[int, int]], event: bytes) -> None:
        """Set what is free in cells, as read from the store when `event` was its newest."""
        self.core.set_levels([cell for cell, _ in levels], [free for _, free in levels], event)

    def _warehouse_row(
        self, number: int, warehouse: Warehouse
    ) -> tuple[int, str, float, float, bool, int, int, int, float, int | None]:
        defaults = self._defaults
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
