"""What the numbers of a batch that came from frames stand for."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from msgspec import Struct

Id = str | int
"""What names a thing in a frame: text, or a whole number."""


class BatchNames(Struct, frozen=True, eq=False):
    """Names by number, and where each line was."""

    orders: Sequence[Id]
    """[O]"""
    skus: Sequence[Id]
    """[K]"""
    warehouses: Sequence[Id]
    """[W]"""
    regions: Sequence[Id]
    """[R]"""
    channels: Sequence[Id]
    """[C], none without pools"""
    row: npt.NDArray[np.int64] | None
    """[N] the row, from 0, of the frame of lines that each line was; None: lines stand as the rows do."""
    line_start: npt.NDArray[np.int64]
    """[O + 1], as the problem has it."""
    sku: npt.NDArray[np.int32]
    """[N], as the problem has it."""
