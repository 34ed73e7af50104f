"""Stock as counted and as sold from. Shape and limits only."""

from datetime import datetime
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from engine.model import limits
from engine.model.order import Identifier

Units = Annotated[int, Meta(ge=0, le=limits.ON_HAND_MAX)]


class StockCount(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    """A count of one SKU at one warehouse. Without `safety` the cell keeps what it has."""

    sku: Identifier
    warehouse: Identifier
    on_hand: Units
    safety: Units | None = None


class Arrival(Struct, frozen=True, kw_only=True):
    """Units that were announced, or are in transit, under the id of the movement that says so."""

    reference: str
    quantity: int
    arrives_at: datetime | None
    """None for a transfer of which nobody said when it arrives."""


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
    quarantined: int = 0
    """Units beside `on_hand` that are set apart."""
    inbound: int = 0
    """Units that are to arrive: promisable, not available. The sum of `arrivals`."""
    arrivals: tuple[Arrival, ...] = ()
    pools: dict[str, int] | UnsetType = UNSET
    """Units of `available` that only the orders of one channel take, by channel; unset where there are none."""
