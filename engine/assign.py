"""One order over warehouses, at the least cost: arrays in, arrays out. Knows no catalogue, stock or store."""

from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from engine.arrays import COUNT_MAX, count, invalid
from engine.errors import FieldError, InvalidInput, Unassignable
from engine.planner import assign

_INT64 = np.dtype(np.int64)


class Assignment(Struct, frozen=True, eq=False):
    """A warehouse for every line, and what that costs."""

    warehouse: npt.NDArray[np.int32]
    """[L] row of `cost` that serves each line."""
    cost: int
    """What the choice costs, prices left out."""
    bound: int
    """No choice has a lower cost and price together than this and `price`; equal to `cost` when proven."""
    proven: bool
    """Whether no other choice is better: among equals fewer warehouses, then those that come first."""
    price: int
    """The prices of what the choice uses."""


def assign_order(
    fixed: npt.ArrayLike,
    cost: npt.ArrayLike,
    *,
    price: npt.ArrayLike | None = None,
    warehouse_price: npt.ArrayLike | None = None,
    max_shipments: int | None = None,
    node_limit: int | None = None,
) -> Assignment:
    """Choose the warehouse of every line of one order, so that cost and price together are least; exact.

    `fixed` [W] is paid once for each warehouse used, `cost` [W, L] for each line at its warehouse, -1 where it cannot
    be served. `price` [W, L] and `warehouse_price` [W] weigh on the choice, but are not in `Assignment.cost`. All are
    integers of any one unit, 0 to 10**13 also with their prices; 1 to 4,096 warehouses and 1 to 500 lines. The arrays
    may have any integer type and any strides.

    `max_shipments` bounds the warehouses used. The search looks at `node_limit` sets at the most, by default at as many
    as take up to some 40 ms (bounds come before it: a quarter of a second at 4,096 x 500). What it then has may be
    unproven; `bound` tells how far it may be from the best. The same input gives the same answer on every machine.

    Raises InvalidInput for what breaks a rule, Unassignable where no choice serves every line.
    """
    word, payload = assign(
        _integers("fixed", fixed, 1),
        _integers("cost", cost, 2),
        None if price is None else _integers("price", price, 2),
        None if warehouse_price is None else _integers("warehouse_price", warehouse_price, 1),
        None if max_shipments is None else count("max_shipments", max_shipments, 1),
        None if node_limit is None else count("node_limit", node_limit, 0),
    )
    match word:
        case "assigned":
            return Assignment(*payload)
        case "invalid":
            raise InvalidInput(tuple(FieldError(pointer, message) for pointer, message in payload))
        case "unserved":
            raise Unassignable(tuple(payload), max_shipments, proven=True)
        case _:
            raise Unassignable((), max_shipments, proven=payload)


def _integers(name: str, values: npt.ArrayLike, dimensions: int) -> npt.NDArray[np.int64]:
    """The values as int64, copied only if they are of another type."""
    try:
        array: npt.NDArray[Any] = np.asarray(values)
    except (ValueError, TypeError, OverflowError) as error:
        raise invalid(name, f"must be an array of integers: {error}") from None
    if array.ndim != dimensions:
        raise invalid(name, f"must have {dimensions} dimensions, not {array.ndim}")
    if array.dtype == _INT64:
        return array
    if array.dtype.kind not in "iu":
        raise invalid(name, f"must hold integers, not {array.dtype}")
    if array.dtype.kind == "u" and array.size and array.max() > COUNT_MAX:
        raise invalid(name, f"must not exceed 10**13, as {array.max()} does")
    return array.astype(np.int64)
