"""The nouns of Stockade, as typed values. Does no I/O."""

from engine.model.allocation import Allocation, AllocationLine, Shipment, Trial
from engine.model.catalogue import MoneyMinor, Sku, Tariff, TariffZone, Warehouse, WarehouseKind
from engine.model.movement import Moved, Movement, MovementRow, MovementType
from engine.model.order import BuiltInPolicy, Line, Order, Payment, PolicyName, ShipTo
from engine.model.stock import Arrival, Cell, StockCount
from engine.model.transition import Amendment, Extension, HeldLine, Shipping, Split, Step

__all__ = [
    "Allocation",
    "AllocationLine",
    "Amendment",
    "Arrival",
    "BuiltInPolicy",
    "Cell",
    "Extension",
    "HeldLine",
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
    "Shipping",
    "Sku",
    "Split",
    "Step",
    "StockCount",
    "Tariff",
    "TariffZone",
    "Trial",
    "Warehouse",
    "WarehouseKind",
]
