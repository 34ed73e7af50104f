"""Stockade: takes peak-sale orders, locks their stock, ships each at the least cost, never sells a unit twice."""

from engine.assign import Assignment, assign_order
from engine.audit import AuditReport, Difference, RepairReport
from engine.batch_assign import BatchAssignment, BatchProgress, assign_batch, price_stock
from engine.batch_problem import BatchProblem
from engine.config import Loaded, Settings, load_settings, read_settings
from engine.engine import Engine
from engine.keep import keep_store
from engine.opening import connect, open_engine
from engine.own_matrix import matrix_of
from engine.planner import Prices, __version__
from engine.quotes import NotQuoted, Quoted
from engine.status import State, Status
from engine.stock.room import CellPage
from engine.store import Bound

__all__ = [
    "Assignment",
    "AuditReport",
    "BatchAssignment",
    "BatchProblem",
    "BatchProgress",
    "Bound",
    "CellPage",
    "Difference",
    "Engine",
    "Loaded",
    "NotQuoted",
    "Prices",
    "Quoted",
    "RepairReport",
    "Settings",
    "State",
    "Status",
    "__version__",
    "assign_batch",
    "assign_order",
    "connect",
    "keep_store",
    "load_settings",
    "matrix_of",
    "open_engine",
    "price_stock",
    "read_settings",
]
