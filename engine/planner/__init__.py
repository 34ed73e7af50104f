"""The planner's room: the only importer of the Rust core. Speaks to no store."""

from engine._core import (
    ASSIGN_LINES_MAX,
    ATTEMPTS_MAX,
    Batch,
    Books,
    Record,
    __version__,
    amend_order,
    assign,
    fingerprint_of,
    part_against,
    part_of,
    split_order,
    take_units,
)
from engine.planner.planner import CostDefaults, Planner, canonical_bytes, capacity_counter, cell_number, is_capacity

__all__ = [
    "ASSIGN_LINES_MAX",
    "ATTEMPTS_MAX",
    "Batch",
    "Books",
    "CostDefaults",
    "Planner",
    "Record",
    "__version__",
    "amend_order",
    "assign",
    "canonical_bytes",
    "capacity_counter",
    "cell_number",
    "fingerprint_of",
    "is_capacity",
    "part_against",
    "part_of",
    "split_order",
    "take_units",
]
