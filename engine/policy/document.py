"""What a file of policies may say. Shape and limits only; rules.py says what a shape cannot."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from engine.model import MoneyMinor, PolicyName, WarehouseKind, limits
from engine.model.order import NAME_WORDS, Identifier, ShortText

FILE_BYTES_MAX = 1024 * 1024
POLICIES_MAX = 256
RULES_MAX = 1_000
NAMES_MAX = limits.WAREHOUSES_MAX
"""Names in one list."""

VERSION_PATTERN = r"^[A-Za-z0-9._+-]{1,64}$"
CLOCK_PATTERN = r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$"
VERSION_WORDS = NAME_WORDS.replace(" and underscores", ", underscores and plus signs")

Version = Annotated[str, Meta(pattern=VERSION_PATTERN, extra={"rule": VERSION_WORDS})]
Objective = Literal["cheapest", "nearest", "fastest", "fewest_shipments", "balanced", "priority", "pinned"]
Rate = Annotated[float, Meta(ge=0, le=1_000_000)]
Texts = Annotated[tuple[ShortText, ...], Meta(max_length=NAMES_MAX)]
NONE_NAMED = Meta(min_length=1, extra={"empty": "is empty, which would ask nothing: name some, or leave it out"})
Conditions = Annotated[Texts, NONE_NAMED]
WarehouseIds = Annotated[tuple[Identifier, ...], Meta(max_length=NAMES_MAX)]
Clock = Annotated[str, Meta(pattern=CLOCK_PATTERN, extra={"rule": 'a time of day such as "20:30", to "24:00"'})]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class Weights(Struct, frozen=True, kw_only=True):
    """What a balanced policy keeps least the sum of: `cost` times the booked cost, and minor units for all else."""

    cost: Annotated[float, Meta(ge=0, le=1_000)] = 1.0
    per_km: Rate = 0
    per_day: Rate = 0
    """For each day from today to the promised one, of each shipment."""
    per_shipment: Rate = 0
    load: Rate = 0
    """For a shipment from a warehouse whose capacity of today is all used; a part of it where a part is."""


class Only(Struct, frozen=True, kw_only=True):
    """Which warehouses and pools may serve."""

    kinds: Annotated[tuple[WarehouseKind, ...], NONE_NAMED] = ()
    exclude: WarehouseIds = ()
    capabilities: Texts = ()
    """Warehouses that have all of these."""
    counted_within_s: Annotated[int, Meta(ge=1, le=315_360_000)] | None = None
    """Warehouses of whose stock something was counted in so many seconds."""
    pools: Literal["first", "only", "never"] = "first"
    """The pools of the order's channel: taken from before the rest, alone, or not at all."""


class PolicyDocument(Struct, frozen=True, kw_only=True):
    """How warehouses are chosen. Money in minor units."""

    objective: Objective
    weights: Weights | None = None
    split_penalty: MoneyMinor = 0
    """Each shipment after the first."""
    lateness_cost_per_day: MoneyMinor = 0
    """Each day that a shipment is promised after the order's `deliver_by`, or after `deliver_within_days`."""
    load_cost: MoneyMinor = 0
    """A shipment from a warehouse whose capacity of today is all used; a part of it where a part is."""
    deliver_within_days: Annotated[int, Meta(ge=0, le=3_650)] | None = None
    max_shipments: Annotated[int, Meta(ge=1, le=limits.LINES_MAX)] | None = None
    warehouses: WarehouseIds = ()
    """Best first. `priority` goes on to the others, `pinned` does not."""
    only: Only = Only()
    keep_back: dict[ShortText, Annotated[int, Meta(ge=1, le=limits.ON_HAND_MAX)]] = {}
    """Units of each cell that orders of a channel leave to the others."""


class TrialDocument(Struct, frozen=True, kw_only=True):
    """A policy that a share of a rule's orders gets."""

    name: PolicyName
    use: PolicyName
    share_percent: Annotated[float, Meta(ge=0, le=100)]


class RuleDocument(Struct, frozen=True, kw_only=True):
    """What orders must be like to get a policy: all that is named must fit, one of each list."""

    name: PolicyName
    use: PolicyName
    channels: Conditions = ()
    regions: Conditions = ()
    countries: Conditions = ()
    sku_classes: Conditions = ()
    """One line of such a SKU is enough."""
    service_levels: Conditions = ()
    customer_classes: Conditions = ()
    value_min: MoneyMinor | None = None
    value_max: MoneyMinor | None = None
    """Of what the lines' prices add up to; an order of which no line says one has no value."""
    from_: Annotated[datetime, Meta(tz=True)] | None = field(default=None, name="from")
    until: Annotated[datetime, Meta(tz=True)] | None = None
    hours: tuple[Clock, Clock] | None = None
    """On the wall in `timezone`; where the second is not later, it is on the next day."""
    weekdays: Annotated[tuple[Weekday, ...], NONE_NAMED] = ()
    """Days that the hours begin on."""
    timezone: ShortText | None = None
    trial: TrialDocument | None = None

    @property
    def is_for_all(self) -> bool:
        """Whether it asks nothing."""
        asks = (self.channels, self.regions, self.countries, self.sku_classes, self.service_levels)
        times = (self.from_, self.until, self.hours, self.value_min, self.value_max)
        return not (any(asks) or self.customer_classes or self.weekdays) and all(one is None for one in times)


class Document(Struct, frozen=True, kw_only=True):
    """A file of policies."""

    version: Version
    default: PolicyName | None = None
    policies: dict[str, PolicyDocument]
    rules: tuple[RuleDocument, ...] = ()
