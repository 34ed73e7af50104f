"""What callers pass as arrays made into the arrays that the core reads: whole numbers of one type. Knows no meaning."""

from operator import index
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import FieldError, InvalidInput

COUNT_MAX = 2**63 - 1


def integers(name: str, values: npt.ArrayLike, dimensions: int, dtype: type[np.signedinteger[Any]]) -> npt.NDArray[Any]:
    """The values as `dtype`, contiguous; copied only if they are not. Raises InvalidInput."""
    try:
        array: npt.NDArray[Any] = np.asarray(values)
    except (ValueError, TypeError, OverflowError) as error:
        raise invalid(name, f"must be an array of integers: {error}") from None
    if array.ndim != dimensions:
        raise invalid(name, f"must have {dimensions} dimensions, not {array.ndim}")
    if array.dtype.kind not in "iu" and array.size:
        raise invalid(name, f"must hold integers, not {array.dtype}")
    limits = np.iinfo(dtype)
    if array.size and not np.can_cast(array.dtype, dtype) and (array.max() > limits.max or array.min() < limits.min):
        raise invalid(name, f"must be within {limits.min} to {limits.max}, as {array.min()} to {array.max()} is not")
    return np.ascontiguousarray(array, dtype)


def count(name: str, value: int, least: int, most: int = COUNT_MAX) -> int:
    """A whole number from `least` on, `most` where it is more. Raises InvalidInput."""
    try:
        number = index(value)
    except TypeError:
        number = -1
    if isinstance(value, bool) or number < least:
        raise invalid(name, f"must be an integer from {least} on, not {value!r}")
    return min(number, most)


def invalid(name: str, message: str) -> InvalidInput:
    """The rule that the argument of this name breaks."""
    return InvalidInput((FieldError(f"/{name}", message),))
