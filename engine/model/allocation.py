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
    carrier: str | None = None
    promised_on: str | None = None
    """Calendar day on which it arrives, YYYY-MM-DD, where that is known."""
    shipped: tuple[AllocationLine, ...] = ()
    """What has left already."""


class Trial(Struct, frozen=True, kw_only=True):
    """A trial that shared out the orders of a rule."""

    name: str
    arm: Literal["trial", "control"]
    """Whether the order got the policy on trial, or the one that it is held against."""


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
    policy: str = ""
    """The policy it was planned by."""
    policy_version: str = ""
    """Version of the policies that were in force; empty where the order is older than versions are."""
    trial: Trial | None = None
    promised_on: str | None = None
    """Calendar day on which the last shipment arrives, YYYY-MM-DD, where that is known of all."""
    expires_at: str | None = None
    """RFC 3339 instant in UTC; only while an unpaid hold runs."""
    substitutions: tuple[Substitution, ...] = ()
    bundles: tuple[AllocatedBundle, ...] = ()
    expected_on: str | None = None
    """ISO 8601 day, UTC: of an order that waits, when announced arrivals cover what it lacked as it was last planned.

    Other orders that wait are not counted; none where nothing is announced that covers it.
    """
