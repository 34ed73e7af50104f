"""A difference together with what would mend it, as the audit hands it to the repair."""

from msgspec import Struct

from engine.audit.report import Difference
from engine.store.repairs import RepairRow


class Finding(Struct, frozen=True):
    """A difference, and the row that mends it where one certainly does."""

    difference: Difference
    mend: RepairRow | None = None
