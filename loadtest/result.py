"""What a sale did, as plain data: the demo prints it, the report draws it, `--json` writes it."""

from msgspec import Struct


class Latency(Struct, frozen=True, kw_only=True):
    """Answer times of one run, in milliseconds, from sending the request to having its body."""

    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float


class SkuSale(Struct, frozen=True, kw_only=True):
    """One SKU before and after the sale, in units over all warehouses."""

    sku: str
    name: str
    on_hand: int
    demanded: int
    sold: int
    oversold: int


class PolicyCost(Struct, frozen=True, kw_only=True):
    """One policy on the same orders and the same starting stock; money in minor units."""

    policy: str
    accepted: int
    cost_per_order: float | None
    """Mean over the orders that every policy accepted, so that the means speak of the same orders; None of no orders,
    as the other means."""
    shipments_per_order: float | None
    mean_km: float | None


class Place(Struct, frozen=True, kw_only=True):
    """A point of the map, in WGS 84 degrees. `units` sold from it (warehouse) or to it (city)."""

    id: str
    name: str
    kind: str
    lat: float
    lon: float
    units: int
    cost: int = 0


class Flow(Struct, frozen=True, kw_only=True):
    """Shipments that went from a warehouse to a city."""

    warehouse: str
    city: str
    shipments: int


class StockPoint(Struct, frozen=True, kw_only=True):
    """Units still available of the hot SKUs, `seconds` after the sale began; one number a SKU, in `hot_skus` order."""

    seconds: float
    available: tuple[int, ...]
    orders_per_second: float


class SaleResult(Struct, frozen=True, kw_only=True):
    """One flash sale, end to end."""

    started_at: str
    machine: str
    version: str
    store: str
    durability: str
    seed: int
    seconds: float
    offered: int
    """Requests sent: new orders, retries of the same order, and the same order from two sides at once."""
    reserved: int
    replayed: int
    refused: dict[str, int]
    """Problem type (`insufficient-stock`, `purchase-limit`, ...) to number of requests."""
    failed: int
    """Requests with no answer, or one that none of the above explains."""
    units_sold: int
    oversold: int
    books_balance: bool
    audit_findings: tuple[str, ...]
    orders_per_second: float
    latency: Latency
    skus: tuple[SkuSale, ...]
    policies: tuple[PolicyCost, ...]
    shipments_per_order: float | None
    cost_per_order: float | None
    """Means over the orders that were reserved; None where none was."""
    currency: str
    warehouses: tuple[Place, ...]
    cities: tuple[Place, ...]
    flows: tuple[Flow, ...]
    hot_skus: tuple[str, ...]
    timeline: tuple[StockPoint, ...]
