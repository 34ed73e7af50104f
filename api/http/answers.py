"""Answers that are no noun of the model."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from engine.model import Allocation, By


class CountsTaken(Struct, frozen=True):
    """Counts that were set."""

    rows: int


class MatrixTaken(Struct, frozen=True):
    """Own distances or costs that were set, without the numbers: the caller has them."""

    by: By
    warehouses: int
    rows: int


class Alive(Struct, frozen=True):
    """The process answers."""

    status: str = "alive"


class Readiness(Struct, frozen=True, kw_only=True):
    """Whether orders can be taken, and the engine in numbers."""

    status: str
    """`ready`, or why not: `recovering`, `closed`, `failed`, `store-unavailable`, `draining`."""
    detail: str | UnsetType = UNSET
    """What to look at."""
    library_version: int | None
    """Of the store's functions; none while the store does not answer."""
    cells: int
    skus: int
    warehouses: int
    queued: int
    """Orders that wait for the next batch."""
    view_lag_ms: float
    """The greatest age at which a change by others got into this process's view, of the last 10 seconds."""
    events_behind: int
    lost_orders: int
    lost_changes: int
    policy_version: str
    policy_fingerprint: str
    """The same in processes that plan by the same policies."""
    policies_error: str | None
    prices_age_s: float | None
    """Since stock was last priced for orders to come; none where it never was."""
    prices_error: str | None


class StoreFacts(Struct, frozen=True):
    """The store that is served."""

    product: str
    version: str
    durable: str
    """When an acknowledged write is on disk."""


class Versions(Struct, frozen=True):
    """Of this service, of what it runs on, and of its store."""

    stockade: str
    python: str
    store: StoreFacts


class ReservedLine(Allocation, frozen=True, kw_only=True, omit_defaults=True):
    """Of an order in bulk that is reserved: now, or before."""

    outcome: Literal["reserved", "replayed"]


class RefusedLine(Struct, frozen=True):
    """Of an order in bulk that was refused; beside these stand the members of the problem."""

    outcome: Literal["rejected", "invalid"]
    order_id: str | None
    """As far as it could be read."""


class MoveRow(Struct, frozen=True):
    """Units of one SKU of one order that a re-allocation moves."""

    order_id: str
    sku: str
    quantity: int
    from_warehouse: str | None
    """Null: the order waited for stock."""
    to_warehouse: str
    cost_before: int
    """Of the order, in its first row; 0 in its others, so that rows can be summed. Minor units."""
    cost_after: int
    """The same, after."""


class MovesPage(Struct, frozen=True):
    """Some of what a re-allocation moves, the rows of one order one behind the other."""

    moves: tuple[MoveRow, ...]
    cursor: str | None
    """Of the next page; null on the last."""


class OrderWhy(Struct, frozen=True):
    """An order that stays as it is, and why, in a word that does not change."""

    order_id: str
    why: str


class OrderWhysPage(Struct, frozen=True):
    """Some of the orders that stay as they are."""

    orders: tuple[OrderWhy, ...]
    cursor: str | None
    """Of the next page; null on the last."""
