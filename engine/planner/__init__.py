"""The planner's room: the only importer of the Rust core. Speaks to no store."""

from engine._core import (
    ATTEMPTS_MAX,
    Batch,
    Books,
    Record,
    __version__,
    amend_order,
    divided_lines,
    fingerprint_of,
    part_against,
    part_of,
    split_order,
    take_units,
)
from engine.planner.planner import (
    CostDefaults,
    Planner,
    canonical_bytes,
    capacity_counter,
    cell_number,
    is_capacity,
    warehouse_of,
)

__all__ = [
    "ATTEMPTS_MAX",
    "Batch",
    "Books",
    "CostDefaults",
    "Planner",
    "Record",
    "__version__",
    "amend_order",
    "canonical_bytes",
    "capacity_counter",
    "cell_number",
    "divided_lines",
    "fingerprint_of",
    "is_capacity",
    "part_against",
    "part_of",
    "split_order",
    "take_units",
    "warehouse_of",
]
