"""What was decided for an order. Rust writes these as JSON (rust_core/src/answer.rs); a test keeps the two alike."""

from typing import Literal

from msgspec import Struct

Status = Literal[
    "reserved", "confirmed", "partially_shipped", "shipped", "released", "expired", "backordered", "quoted"
]
"""`quoted` only in the answer to a quote, which holds nothing."""


class AllocationLine(Struct, frozen=True, kw_only=True):
    """Units of one SKU."""

    sku: str
    quantity: int


class Shipment(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The part of an order that leaves one warehouse. `cost` in minor units, `distance_km` on the great circle."""

    warehouse: str
    lines: tuple[AllocationLine, ...]
    cost: int
    distance_km: float
    shipped: tuple[AllocationLine, ...] = ()
    """What has left already."""


class Substitution(Struct, frozen=True, kw_only=True):
    """Units of a SKU, ordered as such or as a part of a bundle, that come from another one."""

    sku: str
    by: str
    quantity: int


class AllocatedBundle(Struct, frozen=True, kw_only=True):
    """Bundles that are filled, and what all of them are made of; substitutes may come for some of that."""

    sku: str
    quantity: int
    components: tuple[AllocationLine, ...]


class Allocation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The shipments chosen for an order, with their cost in minor units of `currency`."""

    order_id: str
    status: Status
    version: int
    """Counts its changes, from 1; 0 for a quote."""
    shipments: tuple[Shipment, ...]
    unfilled: tuple[AllocationLine, ...]
    """As ordered: of a bundle, those that are not filled. Of an order that waits for stock, all."""
    cost: int
    currency: str
    expires_at: str | None = None
    """RFC 3339 instant in UTC; only while an unpaid hold runs."""
    substitutions: tuple[Substitution, ...] = ()
    bundles: tuple[AllocatedBundle, ...] = ()
    expected_on: str | None = None
    """ISO 8601 day, UTC: of an order that waits, when announced arrivals cover what it lacked as it was last planned.

    Other orders that wait are not counted; none where nothing is announced that covers it.
    """
