"""Movements of stock, and what became of one. Shape and limits only; movement_rules.py says what a shape cannot."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from engine.model import limits
from engine.model.order import Identifier, ShortText
from engine.model.stock import Cell

MovementType = Literal[
    "receive",
    "adjust",
    "return",
    "quarantine",
    "release_quarantine",
    "scrap",
    "transfer",
    "inbound",
    "cancel_inbound",
    "allot",
]


class MovementRow(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Units of one SKU at one warehouse. Which fields a row has depends on the movement's type."""

    sku: Identifier
    warehouse: Identifier
    quantity: Annotated[int, Meta(ge=-limits.ON_HAND_MAX, le=limits.ON_HAND_MAX)] | None = None
    """Units, 1 or more; below zero only to adjust downwards, or to give back from a pool. `cancel_inbound` may leave it
    out: all that is still announced."""
    expected_on_hand: Annotated[int, Meta(ge=0, le=limits.ON_HAND_MAX)] | None = None
    """The movement is done only if the cell has exactly so many units on hand."""
    to_warehouse: Identifier | None = None
    """Where a transfer goes."""
    arrives_at: Annotated[datetime, Meta(tz=True)] | None = None
    """When an announced arrival, or a transfer, is expected."""
    inbound: Identifier | None = None
    """The announced arrival (the id of the movement that announced it, or of the transfer) that is received, or called
    off."""
    channel: ShortText | None = None
    """Whose pool is allotted to, or gives back."""


class Movement(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A change of stock: every row or none. Its `movement_id` names it for ever: the same id again changes nothing."""

    movement_id: Identifier
    type: MovementType
    rows: Annotated[tuple[MovementRow, ...], Meta(min_length=1, max_length=limits.STOCK_ROWS_MAX)]
    reason: Annotated[str, Meta(max_length=limits.REASON_LENGTH_MAX)] | None = None


class Moved(Struct, frozen=True, kw_only=True):
    """A movement that was done."""

    movement_id: str
    type: MovementType
    replayed: bool
    """Whether it was done before; nothing was changed this time."""
    rows: int
    cells: tuple[Cell, ...]
    """The cells that its rows name, as they stand now."""
