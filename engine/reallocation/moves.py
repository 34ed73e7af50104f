"""The rows of a plan, as columns. Bounded by the moves of one run."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
from msgspec import Struct


class Move(NamedTuple):
    """Units of one SKU of one order, from one warehouse to another."""

    order_id: str
    sku: str
    quantity: int
    from_warehouse: str | None
    """None: the order waited for stock."""
    to_warehouse: str
    cost_before: int
    """Of the order, in its first row, and 0 in the others, so that columns can be summed."""
    cost_after: int


class Moves(Struct, frozen=True, kw_only=True):
    """Columns of equal length, the moves of one order one behind the other."""

    order_id: list[str] = []
    sku: list[str] = []
    quantity: list[int] = []
    from_warehouse: list[str | None] = []
    to_warehouse: list[str] = []
    cost_before: list[int] = []
    cost_after: list[int] = []

    def __len__(self) -> int:
        return len(self.order_id)

    def __iter__(self) -> Iterator[Move]:
        return map(Move, *msgspec.structs.astuple(self))

    def page(self, start: int, rows: int) -> "Moves":
        """So many rows from `start` on, fewer at the end."""
        return Moves(**{name: getattr(self, name)[start : start + rows] for name in self.__struct_fields__})


class Untouched(Struct, frozen=True, kw_only=True):
    """Orders that stay as they are, and why: columns of equal length. `why` as engine.reallocation.model.Why."""

    order_id: list[str] = []
    why: list[str] = []

    def __len__(self) -> int:
        return len(self.order_id)
