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
    divided_lines,
    fingerprint_of,
    part_against,
    part_of,
    split_order,
    take_units,
)
from engine._core import Lot as CoreLot
from engine.planner.planner import (
    CostDefaults,
    Planner,
    canonical_bytes,
    capacity_counter,
    cell_number,
    is_capacity,
    warehouse_of,
)
from engine.planner.prices import Prices

__all__ = [
    "ASSIGN_LINES_MAX",
    "ATTEMPTS_MAX",
    "Batch",
    "Books",
    "CoreLot",
    "CostDefaults",
    "Planner",
    "Prices",
    "Record",
    "__version__",
    "amend_order",
    "assign",
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
