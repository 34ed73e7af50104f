"""Re-allocation of a live system: open orders are looked at anew, and moved to where they are better served."""

from engine.reallocation.model import (
    ReallocationPlan,
    ReallocationRequest,
    ReallocationStatus,
    RegionChange,
    Told,
    WarehouseChange,
)
from engine.reallocation.moves import Move, Moves, Untouched
from engine.reallocation.room import ReallocationRoom
from engine.reallocation.run import Reallocation

__all__ = [
    "Move",
    "Moves",
    "Reallocation",
    "ReallocationPlan",
    "ReallocationRequest",
    "ReallocationRoom",
    "ReallocationStatus",
    "RegionChange",
    "Told",
    "Untouched",
    "WarehouseChange",
]
