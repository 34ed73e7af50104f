"""Stock as counted and as sold from. Shape and limits only."""

from typing import Annotated

from msgspec import Meta, Struct

from engine.model import limits
from engine.model.order import Identifier

Units = Annotated[int, Meta(ge=0, le=limits.ON_HAND_MAX)]


class StockCount(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A count of one SKU at one warehouse. Without `safety` the cell keeps what it has."""

    sku: Identifier
    warehouse: Identifier
    on_hand: Units
    safety: Units | None = None


class Cell(Struct, frozen=True, kw_only=True):
    """The stock of one SKU at one warehouse, in units: `available = on_hand - reserved - safety`.

    `available` is negative where safety stock was raised above what reservations leave: nothing is sold from there.
    """

    sku: str
    warehouse: str
    on_hand: int
    reserved: int
    safety: int
    available: int
    inbound: int = 0
