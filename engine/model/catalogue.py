"""The network: SKUs and warehouses. Shape and limits only."""

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct

from engine.model import limits
from engine.model.order import Identifier, ShortText
from engine.model.tariff import MoneyMinor

Capabilities = Annotated[tuple[ShortText, ...], Meta(max_length=limits.CAPABILITIES_MAX)]
"""Words of the network's own: cold, hazardous, gift-wrap."""

WarehouseKind = Literal["dc", "store", "supplier", "third_party"]


class Warehouse(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A place that stock ships from. Costs left out come from the configuration's defaults."""

    id: Identifier
    lat: Annotated[float, Meta(ge=-90, le=90)]
    lon: Annotated[float, Meta(ge=-180, le=180)]
    name: Annotated[str, Meta(max_length=limits.ID_LENGTH_MAX)] | None = None
    kind: WarehouseKind = "dc"
    enabled: bool = True
    priority: Annotated[int, Meta(ge=0, le=1_000_000)] = 100
    """Rank under the `priority` policy; lower ships first."""
    fixed_cost: MoneyMinor | None = None
    """Minor units per shipment: handling, packing."""
    unit_cost: MoneyMinor | None = None
    """Minor units per unit picked."""
    cost_per_km: Annotated[float, Meta(ge=0, le=1_000_000)] | None = None
    """Minor units per kilometre and shipment; a rate, so it may have decimals."""
    capacity_orders_per_day: Annotated[int, Meta(ge=0, le=1_000_000_000)] | None = None
    """Orders that it has a shipment of on a day, by UTC; beyond it, others serve. A change counts at once."""
    capabilities: Capabilities = ()
    """What it is equipped for."""
    timezone: ShortText | None = None
    """IANA name, such as Asia/Shanghai, of cut-off, working days and holidays; needed with a cut-off, else UTC."""
    cutoff: (
        Annotated[
            str,
            Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", extra={"rule": 'a time of day such as "16:30"'}),
        ]
        | None
    ) = None
    """Local time, HH:MM: what is ordered before it leaves that working day; by default until midnight."""
    working_days: Annotated[tuple[Annotated[int, Meta(ge=1, le=7)], ...], Meta(min_length=1, max_length=7)] | None = (
        None
    )
    """ISO weekdays, 1 for Monday; every day by default."""
    holidays: Annotated[tuple[date, ...], Meta(max_length=limits.HOLIDAYS_MAX)] = ()
    """Days on which nothing leaves."""
    handling_days: Annotated[int, Meta(ge=0, le=60)] = 0
    """Working days after that of the cut-off on which it leaves."""


class Component(Struct, frozen=True, forbid_unknown_fields=True):
    """Units of a SKU in one bundle."""

    sku: Identifier
    quantity: Annotated[int, Meta(ge=1, le=limits.COMPONENT_QUANTITY_MAX)]


class Sku(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Something that is sold."""

    sku: Identifier
    name: Annotated[str, Meta(max_length=limits.ID_LENGTH_MAX)] | None = None
    weight_g: Annotated[int, Meta(ge=0, le=100_000_000)] = 0
    volume_cm3: Annotated[int, Meta(ge=0, le=1_000_000_000)] | None = None
    purchase_limit: Annotated[int, Meta(ge=1, le=limits.QUANTITY_MAX)] | None = None
    """Units that one customer may reserve in all, from when the limit is set.

    An order that names no customer is held to it by itself. What counts is what was ordered, whatever comes for it.
    """
    sku_class: ShortText | None = None
    """What the rules of the policies know it as."""
    capabilities: Capabilities = ()
    """What a warehouse must have to ship it."""
    components: Annotated[tuple[Component, ...], Meta(max_length=limits.COMPONENTS_MAX)] = ()
    """Makes it a bundle: no stock, weight or volume of its own; whoever orders it gets these. They are no bundles."""
    substitutes: Annotated[tuple[Identifier, ...], Meta(max_length=limits.SUBSTITUTES_MAX)] = ()
    """SKUs that may come instead of it where the network lacks it and the order allows it, best first."""
