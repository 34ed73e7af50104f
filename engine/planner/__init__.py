"""The planner's room: the only importer of the Rust core. Speaks to no store."""

from engine._core import ATTEMPTS_MAX, Batch, Books, Record, __version__, fingerprint_of, part_against, part_of
from engine.planner.planner import CostDefaults, Planner, canonical_bytes, capacity_counter, cell_number

__all__ = [
    "ATTEMPTS_MAX",
    "Batch",
    "Books",
    "CostDefaults",
    "Planner",
    "Record",
    "__version__",
    "canonical_bytes",
    "capacity_counter",
    "cell_number",
    "fingerprint_of",
    "part_against",
    "part_of",
]
