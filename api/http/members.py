"""Members that problems have besides those of every problem, by their type."""

from msgspec import UNSET, Struct, UnsetType

from api.http.problems import ProblemType
from engine.errors import StockRule
from engine.intake.outcome import ExceededLimit
from engine.model import Explanation, Shortage, StockLimit, Undeliverable


class Exceeded(Struct, frozen=True):
    """Purchase limits that the order is beyond."""

    exceeded: tuple[ExceededLimit, ...]


class OrderFound(Struct, frozen=True):
    """How the order stands."""

    order_status: str
    order_version: int


class ReservedRow(Struct, frozen=True):
    """A count that is lower than the units reserved; `row` from 0."""

    row: int
    reserved: int


class ReservedRows(Struct, frozen=True):
    """Counts that are too low."""

    rows: tuple[ReservedRow, ...]


class RefusedRow(Struct, frozen=True):
    """A row that the stock does not allow: which (from 0), what it met, and the units found of that."""

    row: int
    rule: StockRule
    found: int


class RefusedRows(Struct, frozen=True):
    """Rows of a count or movement that the stock does not allow."""

    rows: tuple[RefusedRow, ...]


class Oldest(Struct, frozen=True):
    """Where the feed begins."""

    oldest: str


class Lacking(Struct, frozen=True, kw_only=True):
    """What there is too little of: of an order `shortages`, of a quote also its `explanation`; of a movement `rows`."""

    shortages: tuple[Shortage, ...] | UnsetType = UNSET
    limit: StockLimit | UnsetType = UNSET
    """What keeps an order from stock that is there."""
    explanation: Explanation | UnsetType = UNSET
    rows: tuple[RefusedRow, ...] | UnsetType = UNSET


class RunFound(Struct, frozen=True):
    """How the re-allocation stands."""

    state: str
    """As its status has it; `forgotten` of one that is not kept any more."""


class NowhereFrom(Struct, frozen=True, kw_only=True):
    """What no carrier takes to the order's place from where it is; empty where none goes there from anywhere."""

    undeliverable: tuple[Undeliverable, ...]
    explanation: Explanation | UnsetType = UNSET
    """Of a quote."""


MEMBERS: dict[ProblemType, type[Struct]] = {
    "insufficient-stock": Lacking,
    "not-deliverable": NowhereFrom,
    "purchase-limit": Exceeded,
    "invalid-state": OrderFound,
    "version-conflict": OrderFound,
    "reallocation-state": RunFound,
    "stock-below-reserved": ReservedRows,
    "expected-on-hand": RefusedRows,
    "stock-in-pools": RefusedRows,
    "stock-limit": RefusedRows,
    "cursor-expired": Oldest,
}
"""As the document tells them; a type that is not here has none."""
