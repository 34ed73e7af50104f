"""Stockade: takes peak-sale orders, locks their stock, ships each at the least cost, never sells a unit twice."""

from engine._core import __version__
from engine.audit import AuditReport, Difference
from engine.config import Settings, load_settings
from engine.engine import CellPage, Engine, NotQuoted, Quoted, State, connect, open_engine

__all__ = [
    "AuditReport",
    "CellPage",
    "Difference",
    "Engine",
    "NotQuoted",
    "Quoted",
    "Settings",
    "State",
    "__version__",
    "connect",
    "load_settings",
    "open_engine",
]
