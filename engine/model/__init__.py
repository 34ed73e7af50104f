"""The nouns of Stockade, as typed values. Does no I/O."""

from engine.model.allocation import Allocation, AllocationLine, Shipment
from engine.model.catalogue import MoneyMinor, Sku, Tariff, TariffZone, Warehouse, WarehouseKind
from engine.model.order import Line, Order, Payment, PolicyName, ShipTo
from engine.model.stock import Cell, StockCount

__all__ = [
    "Allocation",
    "AllocationLine",
    "Cell",
    "Line",
    "MoneyMinor",
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
