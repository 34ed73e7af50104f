"""Proves that the books balance on a live store, says precisely what differs, and mends what is certain.

`read` takes a consistent cut of each partition, `compare` what it says against itself, `parts` the partitions against
each other, `events` the stream against the state; `repair` sets what an audit derived.
"""

from engine.audit.compare import DIFFERENCES_MAX, audit_store
from engine.audit.oversell import OversellWatch
from engine.audit.repair import repair_store
from engine.audit.report import AuditReport, Difference, RepairReport, RepairStep

__all__ = [
    "DIFFERENCES_MAX",
    "AuditReport",
    "Difference",
    "OversellWatch",
    "RepairReport",
    "RepairStep",
    "audit_store",
    "repair_store",
]
