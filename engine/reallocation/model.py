"""What is asked of a re-allocation, and what is told of one. Shape and limits only."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from engine.model import limits
from engine.model.order import Identifier, ShortText

MOVES_MAX = 100_000
"""Orders that one run moves at the most: what is kept of their plan takes some 40 MB of the store's memory."""

ORDERS_MAX = 400_000
"""Orders that one run looks at anew at the most."""

NAMES_MAX = 1_000
"""Warehouses, SKUs, countries or regions that a request names at the most, of each."""

SEED_MAX = 2**63 - 1

Names = Annotated[tuple[Identifier, ...], Meta(max_length=NAMES_MAX)]
Places = Annotated[tuple[ShortText, ...], Meta(max_length=NAMES_MAX)]

State = Literal["planning", "planned", "applying", "applied", "cancelled", "rolling_back", "rolled_back", "failed"]
"""planning: being worked out. planned: kept, nothing changed yet. applying: under way, or stopped in the middle by a
crash: `resume` goes on. cancelled: stopped for good; what was applied stays. failed: not planned; see `error`."""

Why = Literal[
    "partially_shipped",
    "hold_over",
    "unreadable",
    "not_plannable",
    "too_many",
    "purchase_limit",
    "no_stock",
    "no_gain",
    "stock_went_to_others",
    "moves_max",
    "gone",
    "version",
    "state",
    "stock",
    "capacity",
]
"""Why an order was left out, stays unserved, or was skipped.

Left out of the plan: partially_shipped, hold_over (unpaid, and its time is up), unreadable, not_plannable (it breaks a
rule of today's catalogue), too_many (beyond ORDERS_MAX), purchase_limit (it waits, and its customer has as many as may
be had). Unserved: no_stock (no choice that its terms allow is left), capacity (there would be one, were no warehouse's
day full), stock_went_to_others, moves_max. Not worth it: no_gain. Skipped when it was applied: gone (no such order),
version (it was changed since), state (shipped, cancelled or expired since), stock (sold since), capacity (a
warehouse's day is full), purchase_limit."""


class ReallocationRequest(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Which open orders are looked at anew, and under which constraints. What is named narrows the choice, all of it.

    One of `warehouse_down`, `warehouses`, `countries`, `regions`, `skus`, `older_than_s`, `backordered` and `all_open`
    at least must be given.
    """

    id: Identifier | None = None
    """Names the run: the same id with the same request is the same run, and with another one an error."""
    warehouse_down: Identifier | None = None
    """A warehouse that serves nothing any more: orders that hold stock there leave it where they can, at any cost."""
    warehouses: Names = ()
    """Orders that hold stock at one of these."""
    countries: Places = ()
    """Orders that go to one of these countries, as `ship_to.country` has them."""
    regions: Places = ()
    """The same of `ship_to.region`."""
    skus: Names = ()
    """Orders that hold, or wait for, one of these."""
    older_than_s: Annotated[int, Meta(ge=0, le=10 * 366 * 86_400)] | None = None
    """Orders that were taken so long ago, or longer."""
    backordered: bool = False
    """Orders that wait for stock, and only those. They are filled by priority: paid first, then the day promised, then
    age."""
    all_open: bool = False
    """Every order that nothing has left of, those that wait for stock included."""

    excluded_warehouses: Names = ()
    """Warehouses to which nothing is moved. What is there may stay."""
    move_penalty: Annotated[int, Meta(ge=0, le=limits.MONEY_MAX)] = 0
    """Minor units that an order must save for each unit of it that moves."""
    max_moves: Annotated[int, Meta(ge=1, le=MOVES_MAX)] = MOVES_MAX
    """Orders that are moved at the most: those that must come first, then those that save most."""
    max_shipments: Annotated[int, Meta(ge=1, le=limits.LINES_MAX)] | None = None
    """Shipments that a moved order may have at the most, besides what it allows itself."""
    time_limit_s: Annotated[float, Meta(ge=0.1, le=3_600)] = 60.0
    """How long the assignment may be improved."""
    seed: Annotated[int, Meta(ge=0, le=SEED_MAX)] = 0
    reason: Annotated[str, Meta(min_length=1, max_length=limits.REASON_LENGTH_MAX)] | None = None
    """Told in the events of orders that are moved; without it, the run's id and what it was asked for."""


class Told(Struct, frozen=True, kw_only=True):
    """How many orders, and why."""

    why: Why
    orders: int


class WarehouseChange(Struct, frozen=True, kw_only=True):
    """What the plan does to one warehouse, of the orders that were looked at."""

    warehouse: str
    lat: float
    lon: float
    down: bool
    units_before: int
    units_after: int
    shipments_before: int
    shipments_after: int
    units_out: int
    """Units that leave it for another warehouse."""
    units_in: int


class RegionChange(Struct, frozen=True, kw_only=True):
    """What the plan does to the orders that go to one region, of those that were looked at."""

    country: str | None
    region: str | None
    lat: float
    lon: float
    """The middle of where they go."""
    orders: int
    moved: int
    cost_before: int
    cost_after: int
    unserved: int


class ReallocationPlan(Struct, frozen=True, kw_only=True):
    """What was worked out. Money in minor units, by the costs of the time of planning; it does not change any more."""

    planned_at_ms: int
    """By the store's clock, in milliseconds since 1970."""
    planned_in_s: float
    currency: str
    orders_seen: int
    """Orders that the store keeps, shipped ones and all."""
    orders_chosen: int
    """Orders that were looked at anew."""
    left_out: tuple[Told, ...]
    """Of those that were asked for, what was not looked at."""
    orders_moved: int
    moves: int
    """Rows of `moves`: units of one SKU of one order from one warehouse to another."""
    units_moved: int
    not_moved: tuple[Told, ...]
    """Orders that would be better elsewhere by the assignment, and stay: their true cost does not fall, and so on."""
    cost_before: int
    """Of all that were looked at and hold stock, at today's prices."""
    cost_after: int
    """Of the same, and of those that waited and are filled."""
    filled_cost: int
    """The part of `cost_after` that is of orders that waited for stock."""
    assignment_cost: int
    """What the assignment's model made of the same orders, with the charge for what it did not serve."""
    assignment_bound: int
    """No assignment costs less in that model."""
    shipments_before: int
    shipments_after: int
    unserved: tuple[Told, ...]
    """Orders that stay where nothing serves them, or wait on."""
    by_warehouse: tuple[WarehouseChange, ...]
    by_region: tuple[RegionChange, ...]

    @property
    def saved(self) -> int:
        """What the moves of orders that held stock save; below zero where they had to move at a cost."""
        return self.cost_before - (self.cost_after - self.filled_cost)

    @property
    def gap(self) -> float:
        """The share of the assignment's cost that is not proven to be needed, 0 where there is none."""
        cost = self.assignment_cost
        return (cost - self.assignment_bound) / cost if cost else 0.0

    @property
    def orders_unserved(self) -> int:
        """Orders of which `unserved` tells why."""
        return sum(told.orders for told in self.unserved)


class ReallocationStatus(Struct, frozen=True, kw_only=True):
    """How a run stands. Its `plan` is there from `planned` on."""

    id: str
    state: State
    request: ReallocationRequest
    created_at_ms: int
    """By the store's clock, in milliseconds since 1970."""
    plan: ReallocationPlan | None = None
    chunks: int = 0
    """Calls that it takes to apply it."""
    chunks_done: int = 0
    applied: int = 0
    """Orders that were moved."""
    skipped: tuple[Told, ...] = ()
    """Orders that were not, as something had changed since the plan."""
    rolled_back: int = 0
    not_rolled_back: tuple[Told, ...] = ()
    error: str | None = None

    @property
    def orders_skipped(self) -> int:
        """Orders of which `skipped` tells why."""
        return sum(told.orders for told in self.skipped)
