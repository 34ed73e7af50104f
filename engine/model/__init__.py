"""The nouns of Stockade, as typed values. Does no I/O."""

from engine.model.allocation import Allocation, AllocationLine, Shipment
from engine.model.catalogue import MoneyMinor, Sku, Tariff, TariffZone, Warehouse, WarehouseKind
from engine.model.movement import Moved, Movement, MovementRow, MovementType
from engine.model.order import Line, Order, Payment, PolicyName, ShipTo
from engine.model.stock import Arrival, Cell, StockCount

__all__ = [
    "Allocation",
    "AllocationLine",
    "Arrival",
    "Cell",
    "Line",
    "MoneyMinor",
    "Moved",
    "Movement",
    "MovementRow",
    "MovementType",
    "Order",
    "Payment",
    "PolicyName",
    "ShipTo",
    "Shipment",
    "Sku",
    "StockCount",
    "Tariff",
    "TariffZone",
    "Warehouse",
    "WarehouseKind",
]
