"""The books in plain Python: what a store may hold after each call, and what the engine may say about it."""

from collections import Counter
from itertools import combinations

import msgspec

from engine.intake import Conflict, InsufficientStock, Outcome, PurchaseLimit, Reserved
from engine.model import Allocation, Order, StockCount

CellName = tuple[str, str]


class Held(msgspec.Struct):
    """An order that the model holds to have been promised."""

    order: Order
    json: bytes
    takes: Counter[CellName]
    filled: Counter[str]
    live: bool = True


class Books:
    """Cells, limits and orders."""

    def __init__(self, warehouses: tuple[str, ...], limits: dict[str, int]) -> None:
        self.warehouses = warehouses
        self.limits = limits
        self.on_hand: Counter[CellName] = Counter()
        self.safety: Counter[CellName] = Counter()
        self.reserved: Counter[CellName] = Counter()
        self.bought: Counter[tuple[str, str]] = Counter()
        """Units by SKU and customer."""
        self.orders: dict[str, Held] = {}

    def free(self, sku: str, warehouse: str) -> int:
        """What may be sold from a cell."""
        cell = sku, warehouse
        return max(0, self.on_hand[cell] - self.safety[cell] - self.reserved[cell])

    def count(self, rows: list[StockCount]) -> tuple[tuple[int, int], ...]:
        """Set counts; returns the rows below what is reserved, and then sets none."""
        cells = [(row.sku, row.warehouse) for row in rows]
        refused = tuple(
            (index, self.reserved[cell])
            for index, (row, cell) in enumerate(zip(rows, cells, strict=True))
            if row.on_hand < self.reserved[cell]
        )
        if not refused:
            for row, cell in zip(rows, cells, strict=True):
                self.on_hand[cell] = row.on_hand
                if row.safety is not None:
                    self.safety[cell] = row.safety
        return refused

    def take(self, order: Order, outcome: Outcome) -> None:
        """Enter what the engine answered, which must be possible."""
        held = self.orders.get(order.order_id)
        if held is not None:
            if held.order == order:
                assert outcome == Reserved(held.json, replayed=True)
            else:
                assert outcome == Conflict()
        elif isinstance(outcome, Reserved):
            assert not outcome.replayed
            self._hold(order, outcome)
        else:
            assert isinstance(outcome, InsufficientStock | PurchaseLimit), outcome

    def _hold(self, order: Order, outcome: Reserved) -> None:
        allocation = outcome.allocation
        takes, filled = takes_of(allocation), Counter[str]()
        for (sku, _), units in takes.items():
            filled[sku] += units
        missing = Counter({line.sku: line.quantity for line in allocation.unfilled})
        assert filled + missing == wanted(order), "filled and unfilled are not what was ordered"
        assert filled, "an order that holds nothing"
        assert order.allow_partial or not missing, "an order that holds a part unasked"
        assert len(allocation.shipments) == len({shipment.warehouse for shipment in allocation.shipments})
        assert len(allocation.shipments) <= shipments_max(order)
        for (sku, warehouse), units in takes.items():
            assert warehouse in (order.warehouses or self.warehouses)
            assert self.free(sku, warehouse) >= units, "oversold"
        self.reserved += takes
        if order.customer:
            for sku, units in filled.items():
                if sku in self.limits:
                    self.bought[sku, order.customer] += units
                    assert self.bought[sku, order.customer] <= self.limits[sku], "beyond the limit"
        self.orders[order.order_id] = Held(order, outcome.json, takes, filled)

    def release(self, order_id: str, json: bytes) -> None:
        """The hold of a pending order has ended; `json` is its Allocation since."""
        held = self.orders[order_id]
        assert held.live
        held.live, held.json = False, json
        self.reserved -= held.takes
        if held.order.customer:
            for sku, units in held.filled.items():
                if sku in self.limits:
                    self.bought[sku, held.order.customer] -= units

    def check_refusal(self, order: Order, outcome: Outcome) -> None:
        """A refusal, also of a part, must be true of the stock after the call, for stock only went down meanwhile."""
        wants = wanted(order)
        if isinstance(outcome, PurchaseLimit):
            for row in outcome.exceeded:
                bought = self.bought[row.sku, order.customer] if order.customer else 0
                assert row.requested > row.limit - bought, "refused for a limit that has room"
            assert outcome.exceeded
        elif isinstance(outcome, InsufficientStock):
            allowed = order.warehouses or self.warehouses
            if order.allow_partial:
                assert not any(self.free(sku, name) for sku in wants for name in allowed), (
                    "refused a part that is there"
                )
            for count in range(1, min(shipments_max(order), len(allowed)) + 1):
                for chosen in combinations(allowed, count):
                    short = any(sum(self.free(sku, name) for name in chosen) < units for sku, units in wants.items())
                    assert short, f"refused though {chosen} hold it"
        elif isinstance(outcome, Reserved) and shipments_max(order) >= len(self.warehouses):
            for line in outcome.allocation.unfilled:
                left = sum(self.free(line.sku, name) for name in order.warehouses or self.warehouses)
                assert outcome.replayed or left == 0, "went without units that are there"


def wanted(order: Order) -> Counter[str]:
    """Units by SKU."""
    units: Counter[str] = Counter()
    for line in order.lines:
        units[line.sku] += line.quantity
    return units


def takes_of(allocation: Allocation) -> Counter[CellName]:
    """Units by SKU and warehouse."""
    takes: Counter[CellName] = Counter()
    for shipment in allocation.shipments:
        for line in shipment.lines:
            assert line.quantity > 0
            takes[line.sku, shipment.warehouse] += line.quantity
    return takes


def shipments_max(order: Order) -> int:
    """Warehouses that may share an order."""
    return 1 if not order.allow_split else order.max_shipments or 100
