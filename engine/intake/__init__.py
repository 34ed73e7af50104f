"""The flow that joins planner and store for single orders."""

from engine.intake.acknowledged import Acknowledged, LostOrders
from engine.intake.arrivals import expected_day
from engine.intake.capacity import read_capacities
from engine.intake.crossing import follow_order, settle_due
from engine.intake.flow import Intake, end_task
from engine.intake.freshness import Freshness
from engine.intake.outcome import (
    Conflict,
    Contended,
    ExceededLimit,
    InsufficientStock,
    Invalid,
    Outcome,
    Overloaded,
    PurchaseLimit,
    Reserved,
    Unavailable,
)
from engine.intake.replica import Replica
from engine.intake.restore import restore
from engine.model import Shortage

__all__ = [
    "Acknowledged",
    "Conflict",
    "Contended",
    "ExceededLimit",
    "Freshness",
    "InsufficientStock",
    "Intake",
    "Invalid",
    "LostOrders",
    "Outcome",
    "Overloaded",
    "PurchaseLimit",
    "Replica",
    "Reserved",
    "Shortage",
    "Unavailable",
    "end_task",
    "expected_day",
    "follow_order",
    "read_capacities",
    "restore",
    "settle_due",
]
