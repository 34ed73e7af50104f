"""The nouns of Stockade, as typed values. Does no I/O."""

from engine.model.allocation import AllocatedBundle, Allocation, AllocationLine, Shipment, Substitution, Trial
from engine.model.catalogue import Component, Sku, Warehouse, WarehouseKind
from engine.model.explanation import Explanation, Quote, Shortage, StockLimit, Undeliverable
from engine.model.movement import Moved, Movement, MovementRow, MovementType
from engine.model.order import BuiltInPolicy, Line, Order, Payment, PolicyName, ShipTo
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
    "AllocatedBundle",
    "Allocation",
    "AllocationLine",
    "Amendment",
    "Arrival",
    "BuiltInPolicy",
    "By",
    "Carrier",
    "Cell",
    "Component",
    "CostMatrix",
    "DistanceMatrix",
    "Explanation",
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
    "Quote",
    "ShipTo",
    "Shipment",
    "Shipping",
    "Shortage",
    "Sku",
    "Split",
    "Step",
    "StockCount",
    "StockLimit",
    "Substitution",
    "Tariff",
    "TariffZone",
    "Trial",
    "Undeliverable",
    "Warehouse",
    "WarehouseKind",
    "WeightStep",
    "Zone",
]
