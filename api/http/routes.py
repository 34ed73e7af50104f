"""What the door serves: every path with its handler, and what a caller must be allowed to do."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from msgspec import Struct

from api.http import bulk, catalogue, events, matrices, operations, order_life, orders, stock
from api.http.answer import Answer
from api.http.problems import Problem
from api.http.scope import Scope

__all__ = ["ROUTES", "Handler", "Route", "Scope"]

Handler = Callable[[web.Request], Awaitable[Answer | Problem | web.StreamResponse]]


class Route(Struct, frozen=True):
    """A method of a path."""

    method: str
    path: str
    handler: Handler
    scope: Scope
    head: bool = True
    """Whether a GET also takes HEAD."""
    all_channels: bool = False
    """Whether it tells of orders of every channel, so that a key of one channel is not served."""
    whole_body: bool = True
    """Whether its body is read whole before anything is done: else no signature of it can be checked."""


ROUTES = (
    Route("POST", "/v1/orders", orders.post_order, Scope.ORDERS),
    Route("POST", "/v1/orders:bulk", bulk.post_orders_bulk, Scope.ORDERS, whole_body=False),
    Route("GET", "/v1/orders/{order_id}", orders.get_order, Scope.ORDERS),
    Route("POST", "/v1/orders/{order_id}/confirm", order_life.confirm, Scope.ORDERS),
    Route("POST", "/v1/orders/{order_id}/cancel", order_life.cancel, Scope.ORDERS),
    Route("POST", "/v1/orders/{order_id}/extend", order_life.extend, Scope.ORDERS),
    Route("POST", "/v1/orders/{order_id}/ship", order_life.ship, Scope.ORDERS),
    Route("POST", "/v1/orders/{order_id}/split", order_life.split, Scope.ORDERS),
    Route("POST", "/v1/orders/{order_id}/amend", order_life.amend, Scope.ORDERS),
    Route("POST", "/v1/quotes", orders.post_quote, Scope.ORDERS),
    Route("GET", "/v1/warehouses", catalogue.get_warehouses, Scope.READ),
    Route("PUT", "/v1/warehouses/{id}", catalogue.put_warehouse, Scope.ADMIN),
    Route("GET", "/v1/skus/{sku}", catalogue.get_sku, Scope.READ),
    Route("PUT", "/v1/skus/{sku}", catalogue.put_sku, Scope.ADMIN),
    Route("GET", "/v1/tariff", catalogue.get_tariff, Scope.READ),
    Route("PUT", "/v1/tariff", catalogue.put_tariff, Scope.ADMIN),
    Route("GET", "/v1/distances", matrices.get_distances, Scope.READ),
    Route("PUT", "/v1/distances", matrices.put_distances, Scope.ADMIN),
    Route("DELETE", "/v1/distances", matrices.delete_distances, Scope.ADMIN),
    Route("GET", "/v1/costs", matrices.get_costs, Scope.READ),
    Route("PUT", "/v1/costs", matrices.put_costs, Scope.ADMIN),
    Route("DELETE", "/v1/costs", matrices.delete_costs, Scope.ADMIN),
    Route("GET", "/v1/stock", stock.get_stock, Scope.READ),
    Route("PUT", "/v1/stock", stock.put_stock, Scope.STOCK),
    Route("POST", "/v1/stock/movements", stock.post_movement, Scope.STOCK),
    Route("GET", "/v1/events", events.get_events, Scope.READ, head=False, all_channels=True),
    Route("GET", "/livez", operations.livez, Scope.PUBLIC),
    Route("GET", "/readyz", operations.readyz, Scope.PUBLIC),
    Route("GET", "/metrics", operations.metrics, Scope.READ, all_channels=True),
    Route("GET", "/version", operations.version, Scope.PUBLIC),
)
