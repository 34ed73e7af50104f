"""An order as its channel sends it. Shape and limits only; whether its SKUs exist is the planner's to say."""

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct

from engine.model import limits

Payment = Literal["paid", "pending", "cod"]
BuiltInPolicy = Literal["cheapest", "nearest", "fastest", "fewest_shipments", "priority"]
"""Policies that are there without a file of them."""

NAME_WORDS = "1 to 64 letters, digits, dots, hyphens and underscores"

PolicyName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,64}$", extra={"rule": NAME_WORDS})]

Identifier = Annotated[str, Meta(min_length=1, max_length=limits.ID_LENGTH_MAX)]
ShortText = Annotated[str, Meta(min_length=1, max_length=64)]
MetadataText = Annotated[str, Meta(max_length=limits.METADATA_VALUE_LENGTH_MAX)]
MetadataInt = Annotated[int, Meta(ge=limits.METADATA_INT_MIN, le=limits.METADATA_INT_MAX)]


class Line(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Units of one SKU. Two lines of one SKU are summed before anything is checked."""

    sku: Identifier
    quantity: Annotated[int, Meta(ge=1, le=limits.QUANTITY_MAX)]
    unit_price: Annotated[int, Meta(ge=0, le=limits.MONEY_MAX)] | None = None
    """Minor units, as sold."""


class ShipTo(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where the order goes, in WGS 84 degrees."""

    lat: Annotated[float, Meta(ge=-90, le=90)]
    lon: Annotated[float, Meta(ge=-180, le=180)]
    country: ShortText | None = None
    region: ShortText | None = None
    postcode: ShortText | None = None


class Order(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """One order. Its `order_id` names it for ever: the same id again is the same order."""

    order_id: Identifier
    ship_to: ShipTo
    lines: Annotated[tuple[Line, ...], Meta(min_length=1, max_length=limits.LINES_MAX)]
    channel: ShortText | None = None
    customer: Identifier | None = None
    payment: Payment = "paid"
    hold_seconds: Annotated[int, Meta(ge=1, le=limits.HOLD_SECONDS_MAX)] | None = None
    """How long a pending order holds its stock; only with payment = pending."""
    service_level: ShortText | None = None
    customer_class: ShortText | None = None
    """What kind of customer it is from, for the rules of the policies to look at."""
    deliver_by: date | None = None
    """The last day that is early enough; later costs what the policy says."""
    policy: PolicyName | None = None
    """A policy that is in force; without it, their rules say which."""
    allow_split: bool = True
    max_shipments: Annotated[int, Meta(ge=1, le=limits.LINES_MAX)] | None = None
    allow_partial: bool = False
    allow_substitutes: bool = False
    """Units that the whole network lacks may come from the substitutes that their SKU names."""
    allow_backorder: bool = False
    """What cannot be served now is accepted as a whole, and waits for stock; not together with `allow_partial`."""
    warehouses: Annotated[tuple[Identifier, ...], Meta(min_length=1, max_length=limits.WAREHOUSES_MAX)] | None = None
    """The only warehouses that may serve the order."""
    pickup_at: Identifier | None = None
    """The warehouse where the customer collects: it alone serves the order, and nothing travels."""
    metadata: (
        Annotated[
            dict[ShortText, MetadataText | MetadataInt | float | bool | None], Meta(max_length=limits.METADATA_KEYS_MAX)
        ]
        | None
    ) = None
