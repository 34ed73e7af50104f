"""The flow that joins planner and store for orders, one by one or in lots."""

from engine.intake.acknowledged import Acknowledged, LostOrders
from engine.intake.arrivals import expected_day
from engine.intake.capacity import read_capacities
from engine.intake.crossing import follow_order, follow_orders, settle_due
from engine.intake.flow import Intake
from engine.intake.freshness import Freshness
from engine.intake.lot import Broken, Lot, OtherChannel
from engine.intake.outcome import (
    Conflict,
    Contended,
    ExceededLimit,
    Invalid,
    Outcome,
    Overloaded,
    PurchaseLimit,
    Reserved,
    Unavailable,
)
from engine.intake.patience import REASONS, Reason, Terms
from engine.intake.refused import (
    REFUSALS,
    InsufficientStock,
    NotDeliverable,
    Refused,
    refused_of,
)
from engine.intake.replica import Replica
from engine.intake.restore import restore
from engine.model import Shortage, StockLimit, Undeliverable

__all__ = [
    "REASONS",
    "REFUSALS",
    "Acknowledged",
    "Broken",
    "Conflict",
    "Contended",
    "ExceededLimit",
    "Freshness",
    "InsufficientStock",
    "Intake",
    "Invalid",
    "LostOrders",
    "Lot",
    "NotDeliverable",
    "OtherChannel",
    "Outcome",
    "Overloaded",
    "PurchaseLimit",
    "Reason",
    "Refused",
    "Replica",
    "Reserved",
    "Shortage",
    "StockLimit",
    "Terms",
    "Unavailable",
    "Undeliverable",
    "expected_day",
    "follow_order",
    "follow_orders",
    "read_capacities",
    "refused_of",
    "restore",
    "settle_due",
]
