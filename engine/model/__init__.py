"""The nouns of Stockade, as typed values. Does no I/O."""

from engine.model.allocation import Allocation, AllocationLine, Shipment
from engine.model.catalogue import Sku, Warehouse, WarehouseKind
from engine.model.movement import Moved, Movement, MovementRow, MovementType
from engine.model.order import Line, Order, Payment, PolicyName, ShipTo
from engine.model.stock import Arrival, Cell, StockCount
from engine.model.tariff import (
    By,
    Carrier,
    CostMatrix,
    DistanceMatrix,
    MatrixOf,
    MoneyMinor,
    Tariff,
    TariffZone,
    WeightStep,
    Zone,
)
from engine.model.transition import Amendment, Extension, HeldLine, Shipping, Split, Step

__all__ = [
    "Allocation",
    "AllocationLine",
    "Amendment",
    "Arrival",
    "By",
    "Carrier",
    "Cell",
    "CostMatrix",
    "DistanceMatrix",
    "Extension",
    "HeldLine",
    "Line",
    "MatrixOf",
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
    "Warehouse",
    "WarehouseKind",
    "WeightStep",
    "Zone",
]
