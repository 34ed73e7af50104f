"""Why an order would be shipped as it would. Rust writes these as JSON (rust_core/src/explain); a test compares."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from engine.model.allocation import Allocation, AllocationLine, Trial


class Shortage(Struct, frozen=True, omit_defaults=True):
    """A SKU that falls short, in units over the warehouses that may serve the order."""

    sku: str
    requested: int
    available: int
    within_limit: int | None = None
    """What the fullest choice that was found has of it, where too few shipments are allowed."""


class StockLimit(Struct, frozen=True, omit_defaults=True):
    """What keeps an order from stock that is there: a field of its own, or its policy."""

    by: Literal["allow_split", "max_shipments", "policy"]
    shipments: int | None = None
    """Warehouses that may share the order; none where it is other rules of the policy, such as its filters."""
    policy: str | None = None
    """The policy's name, if it is that."""


class Undeliverable(Struct, frozen=True):
    """A SKU, in units; so many are deliverable from where a carrier goes there, and enough is elsewhere."""

    sku: str
    requested: int
    deliverable: int


class ChosenBy(Struct, frozen=True, kw_only=True):
    """Who chose the policy."""

    by: Literal["order", "rule", "default"]
    rule: str | UnsetType = UNSET
    """Its name."""


class CostParts(Struct, frozen=True, kw_only=True):
    """What shipments cost, in minor units: four parts, the same by what they are charged for, and the sum."""

    handling: int
    picking: int
    freight: int
    way: int
    per_shipment: int
    lines: int
    total: int


class ScoreParts(Struct, frozen=True, kw_only=True):
    """The number that the policy keeps least, in minor units times `score_scale`; parts that are none are left out."""

    cost: int
    split: int | UnsetType = UNSET
    lateness: int | UnsetType = UNSET
    load: int | UnsetType = UNSET
    distance: int | UnsetType = UNSET
    days: int | UnsetType = UNSET
    shipment: int | UnsetType = UNSET
    price: int | UnsetType = UNSET
    """What the units are held to be worth later."""
    total: int


class ChosenShipment(Struct, frozen=True, kw_only=True):
    """One shipment of the plan, part by part."""

    warehouse: str
    lines: tuple[AllocationLine, ...]
    cost: CostParts
    score: ScoreParts
    promised_on: str | UnsetType = UNSET
    days_late: int | UnsetType = UNSET
    lateness_cost: int | UnsetType = UNSET
    carrier: str | UnsetType = UNSET
    zone: str | UnsetType = UNSET
    billed_g: int | UnsetType = UNSET
    """Grams that the carrier charges, where it charges by a tariff."""
    own_cost: bool | UnsetType = UNSET
    """The freight is your own cost; the carrier is then the fastest that serves."""
    own_distance: bool | UnsetType = UNSET
    """The way is as long as your own distance says."""


class Choice(Struct, frozen=True, kw_only=True):
    """Warehouses that together ship the order."""

    warehouses: tuple[str, ...]
    cost: CostParts
    score: ScoreParts
    promised_on: str | UnsetType = UNSET
    """Calendar day on which the last shipment arrives."""
    days_late: int | UnsetType = UNSET
    """Days that this is after `due_on`; none where nothing is due."""
    lateness_cost: int | UnsetType = UNSET
    """What the policy charges for it, in minor units, which nobody pays."""
    shipments: tuple[ChosenShipment, ...] | UnsetType = UNSET
    """One by one; of what is chosen only."""


class PlannedLine(Struct, frozen=True, kw_only=True):
    """Units that are planned: of components in the place of bundles, of substitutes in the place of what is lacking."""

    sku: str
    quantity: int
    instead_of: tuple[AllocationLine, ...] | UnsetType = UNSET
    part_of: tuple[str, ...] | UnsetType = UNSET
    """Bundles."""


class LackingLine(Struct, frozen=True, kw_only=True):
    """What a warehouse has too little of, in units, and the rule that leaves some of it there."""

    sku: str
    requested: int
    available: int
    instead_of: tuple[AllocationLine, ...] | UnsetType = UNSET
    lacks: tuple[str, ...] | UnsetType = UNSET
    """Capabilities that shipping it takes and that the warehouse has not."""
    left_to_others: int | UnsetType = UNSET
    """Shared units that the policy leaves to others than the order's channel."""
    kept_back: int | UnsetType = UNSET
    left_in_pool: int | UnsetType = UNSET


class WarehouseRow(Struct, frozen=True, kw_only=True):
    """A warehouse: what it would cost to ship all from it, or which rule keeps it out."""

    warehouse: str
    used: bool
    excluded: str | UnsetType = UNSET
    """The rule, in words; then there is nothing else but its name."""
    rule: str | UnsetType = UNSET
    distance_km: float | UnsetType = UNSET
    cost: CostParts | UnsetType = UNSET
    score: ScoreParts | UnsetType = UNSET
    promised_on: str | UnsetType = UNSET
    days_late: int | UnsetType = UNSET
    lateness_cost: int | UnsetType = UNSET
    carrier: str | UnsetType = UNSET
    zone: str | UnsetType = UNSET
    billed_g: int | UnsetType = UNSET
    """Grams that the carrier charges, where it charges by a tariff."""
    own_cost: bool | UnsetType = UNSET
    """The freight is your own cost; the carrier is then the fastest that serves."""
    own_distance: bool | UnsetType = UNSET
    """The way is as long as your own distance says."""
    short: tuple[LackingLine, ...] | UnsetType = UNSET


class Explanation(Struct, frozen=True, kw_only=True):
    """The policy, how good the plan is known to be, and every warehouse with its cost or with what keeps it out."""

    policy: str
    policy_version: str | None
    objective: str
    chosen_by: ChosenBy
    trial: Trial | UnsetType = UNSET
    proven: bool
    """Whether no plan of those in `proven_among` is better."""
    proven_among: str
    """Which plans these are, for people."""
    weighs: tuple[Literal["cost", "penalties", "prices"], ...]
    """What is weighed when plans are compared."""
    due_on: str | UnsetType = UNSET
    """Calendar day by which it should arrive."""
    score_scale: int
    planned: tuple[PlannedLine, ...]
    reason: str
    """Why it is what it is, for people."""
    chosen: Choice | UnsetType = UNSET
    single: Choice | UnsetType = UNSET
    """The best warehouse that could ship all of it alone."""
    bound: int | UnsetType = UNSET
    """The least score that any plan can have which keeps lines whole; where the choice is not proven."""
    bound_shipments: int | UnsetType = UNSET
    gap: float | UnsetType = UNSET
    """How far the choice is above the bound, as a share of the choice."""
    warehouses: tuple[WarehouseRow, ...]
    """By rank."""


class Quote(Allocation, frozen=True, kw_only=True, omit_defaults=True):
    """What an order would get, and why. Nothing is held."""

    shortages: tuple[Shortage, ...] | UnsetType = UNSET
    """Of an order that would wait for stock."""
    limit: StockLimit | UnsetType = UNSET
    """What keeps such an order from stock that is there."""
    undeliverable: tuple[Undeliverable, ...] | UnsetType = UNSET
    """Of such an order, what no carrier takes from where it is."""
    explanation: Explanation
