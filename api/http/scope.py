"""What a caller must be allowed to do for a route to be served."""

from enum import StrEnum


class Scope(StrEnum):
    """What a key allows: `engine.access.SCOPES`, and nothing to be allowed."""

    ORDERS = "orders"
    """Orders and quotes."""
    STOCK = "stock"
    """Counts and movements of stock."""
    ADMIN = "admin"
    """Definitions: warehouses, SKUs, tariffs, own distances and costs; and re-allocations."""
    READ = "read"
    """Whatever only reads, but orders of others."""
    PUBLIC = "public"
    """No key at all."""
