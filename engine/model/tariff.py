"""What carriers charge, and a user's own distances and costs. Shape and limits; further rules are in `tariff_rules`."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from engine.model import limits
from engine.model.order import Identifier, ShortText

MoneyMinor = Annotated[int, Meta(ge=0, le=limits.MONEY_MAX)]
"""An amount in integer minor units (fen, cents)."""

MaxKm = Annotated[int, Meta(ge=1, le=21_000)]
Days = Annotated[int, Meta(ge=0, le=120)]
Grams = Annotated[int, Meta(ge=1, le=100_000_000)]
Names = Annotated[tuple[ShortText, ...], Meta(min_length=1, max_length=limits.ZONE_NAMES_MAX)]


class TariffZone(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One row of a parcel tariff: what a shipment that travels up to `max_km` costs."""

    zone: ShortText
    max_km: MaxKm
    base: MoneyMinor
    """Minor units per shipment."""
    per_kg: MoneyMinor
    """Minor units per kilogram; charged by the gram, each line rounded up."""
    transit_days: Days | None = None
    """Days from leaving the warehouse to arriving; without it, no day is promised."""


class WeightStep(Struct, frozen=True, forbid_unknown_fields=True):
    """What a shipment of up to a weight costs, instead of so much per kilogram."""

    up_to_g: Grams
    amount: MoneyMinor


class Zone(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Places and distances that a carrier charges alike; a shipment is in a zone that matches all that it names.

    A shipment costs `base` and, by weight, `per_kg` or its step (beyond the last step: that, and `per_kg` for what is
    beyond), and `minimum` at the least. Countries and regions are compared without regard to case and blanks.
    """

    zone: ShortText
    max_km: MaxKm | None = None
    countries: Names | None = None
    regions: Names | None = None
    postcodes: Names | None = None
    """What postcodes begin with."""
    base: MoneyMinor = 0
    per_kg: MoneyMinor = 0
    minimum: MoneyMinor = 0
    steps: Annotated[tuple[WeightStep, ...], Meta(max_length=limits.WEIGHT_STEPS_MAX)] = ()
    transit_days: Days | None = None
    """Calendar days from leaving the warehouse to arriving; without it, no day is promised."""


class Carrier(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Who carries shipments. The first of its zones that a shipment is in decides; in none, it does not serve.

    Only where all zones are distances alone does the last one serve whatever lies beyond it.
    """

    carrier: ShortText
    zones: Annotated[tuple[Zone, ...], Meta(min_length=1, max_length=limits.ZONES_MAX)]
    service_levels: Names | None = None
    """Of orders that it takes; all by default, and those without one."""
    volumetric_cm3_per_kg: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    """So many cubic centimetres are charged as a kilogram at the least, unit by unit; often 5,000 or 6,000."""
    weight_step_g: Grams | None = None
    """The weight of a shipment is rounded up to a multiple of it."""


class Tariff(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A parcel tariff: `zones` by distance of one carrier that has no name, nearest first, or `carriers`; not both.

    The last of such zones also serves whatever lies beyond it. Of several carriers the cheapest for a shipment's weight
    takes it.
    """

    zones: Annotated[tuple[TariffZone, ...], Meta(min_length=1, max_length=limits.ZONES_MAX)] = ()
    carriers: Annotated[tuple[Carrier, ...], Meta(min_length=1, max_length=limits.CARRIERS_MAX)] = ()


By = Literal["country", "region", "postcode"]
MatrixOf = Literal["distance", "cost"]

OF_COUNTRY = ":"
"""Stands between a country and a region or postcode of it, in names of destinations."""

KM_MAX = 100_000
Km = Annotated[float, Meta(ge=0, le=KM_MAX)]


class Matrix(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Names of destinations and ids of warehouses that a user's own numbers are of."""

    by: By
    """What of `ship_to` the rows are named by; compared without regard to case and blanks.

    A region or postcode may be one of a country's alone, `CN:310000`, which comes before the same without a country.
    """
    warehouses: Annotated[tuple[Identifier, ...], Meta(min_length=1, max_length=limits.WAREHOUSES_MAX)]


class DistanceMatrix(Matrix, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Kilometres from warehouses to destinations, instead of the great circle."""

    rows: dict[ShortText, tuple[Km | None, ...]]
    """By destination, one number a warehouse; null where the great circle holds."""


class CostMatrix(Matrix, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Minor units that a shipment's freight costs from warehouses to destinations, instead of the tariff."""

    rows: dict[ShortText, tuple[MoneyMinor | None, ...]]
    """By destination, one amount a warehouse; null where the tariff holds."""
