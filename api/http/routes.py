"""What the door serves: every path with its handler, and what a caller must be allowed to do."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from msgspec import Struct

from api.http import (
    bulk,
    catalogue,
    documents,
    events,
    matrices,
    operations,
    order_life,
    orders,
    reallocation_rows,
    reallocations,
    stock,
)
from api.http.answer import Answer
from api.http.contract import Contract
from api.http.problems import Problem
from api.http.scope import Scope
from api.openapi.contracts import catalogue as told_catalogue
from api.openapi.contracts import operations as told_operations
from api.openapi.contracts import orders as told_orders
from api.openapi.contracts import reallocations as told_runs
from api.openapi.contracts import stock as told_stock

__all__ = ["ROUTES", "Handler", "Route", "Scope"]

Handler = Callable[[web.Request], Awaitable[Answer | Problem | web.StreamResponse]]


class Route(Struct, frozen=True):
    """A method of a path."""

    method: str
    path: str
    handler: Handler
    scope: Scope
    contract: Contract | None
    """What the document says of it; None: nothing, as it is a part of another one."""
    head: bool = True
    """Whether a GET also takes HEAD."""
    all_channels: bool = False
    """Whether it tells of orders of every channel, so that a key of one channel is not served."""
    whole_body: bool = True
    """Whether its body is read whole before anything is done: else no signature of it can be checked."""

    @property
    def takes_query(self) -> bool:
        """Whether a query counts, or does not matter as it changes nothing for whom it is open to."""
        return self.scope is Scope.PUBLIC or (self.contract is not None and bool(self.contract.query))


ROUTES = (
    Route("POST", "/v1/orders", orders.post_order, Scope.ORDERS, told_orders.POST_ORDER),
    Route("POST", "/v1/orders:bulk", bulk.post_orders_bulk, Scope.ORDERS, told_orders.BULK, whole_body=False),
    Route("GET", "/v1/orders/{order_id}", orders.get_order, Scope.ORDERS, told_orders.GET_ORDER),
    Route("POST", "/v1/orders/{order_id}/confirm", order_life.confirm, Scope.ORDERS, told_orders.CONFIRM),
    Route("POST", "/v1/orders/{order_id}/cancel", order_life.cancel, Scope.ORDERS, told_orders.CANCEL),
    Route("POST", "/v1/orders/{order_id}/extend", order_life.extend, Scope.ORDERS, told_orders.EXTEND),
    Route("POST", "/v1/orders/{order_id}/ship", order_life.ship, Scope.ORDERS, told_orders.SHIP),
    Route("POST", "/v1/orders/{order_id}/split", order_life.split, Scope.ORDERS, told_orders.SPLIT),
    Route("POST", "/v1/orders/{order_id}/amend", order_life.amend, Scope.ORDERS, told_orders.AMEND),
    Route("POST", "/v1/quotes", orders.post_quote, Scope.ORDERS, told_orders.POST_QUOTE),
    Route("GET", "/v1/warehouses", catalogue.get_warehouses, Scope.READ, told_catalogue.GET_WAREHOUSES),
    Route("PUT", "/v1/warehouses/{id}", catalogue.put_warehouse, Scope.ADMIN, told_catalogue.PUT_WAREHOUSE),
    Route("GET", "/v1/skus/{sku}", catalogue.get_sku, Scope.READ, told_catalogue.GET_SKU),
    Route("PUT", "/v1/skus/{sku}", catalogue.put_sku, Scope.ADMIN, told_catalogue.PUT_SKU),
    Route("GET", "/v1/tariff", catalogue.get_tariff, Scope.READ, told_catalogue.GET_TARIFF),
    Route("PUT", "/v1/tariff", catalogue.put_tariff, Scope.ADMIN, told_catalogue.PUT_TARIFF),
    Route("GET", "/v1/distances", matrices.get_distances, Scope.READ, told_catalogue.GET_DISTANCES),
    Route("PUT", "/v1/distances", matrices.put_distances, Scope.ADMIN, told_catalogue.PUT_DISTANCES),
    Route("DELETE", "/v1/distances", matrices.delete_distances, Scope.ADMIN, told_catalogue.DELETE_DISTANCES),
    Route("GET", "/v1/costs", matrices.get_costs, Scope.READ, told_catalogue.GET_COSTS),
    Route("PUT", "/v1/costs", matrices.put_costs, Scope.ADMIN, told_catalogue.PUT_COSTS),
    Route("DELETE", "/v1/costs", matrices.delete_costs, Scope.ADMIN, told_catalogue.DELETE_COSTS),
    Route("GET", "/v1/stock", stock.get_stock, Scope.READ, told_stock.GET_STOCK),
    Route("PUT", "/v1/stock", stock.put_stock, Scope.STOCK, told_stock.PUT_STOCK),
    Route("POST", "/v1/stock/movements", stock.post_movement, Scope.STOCK, told_stock.POST_MOVEMENT),
    *(
        Route(method, f"/v1/reallocations{path}", handler, scope, contract, all_channels=scope is Scope.READ)
        for method, path, handler, scope, contract in (
            ("POST", "", reallocations.post_reallocation, Scope.ADMIN, told_runs.POST_REALLOCATION),
            ("GET", "", reallocations.get_reallocations, Scope.READ, told_runs.GET_REALLOCATIONS),
            ("GET", "/{run_id}", reallocations.get_reallocation, Scope.READ, told_runs.GET_REALLOCATION),
            ("GET", "/{run_id}/moves", reallocation_rows.get_reallocation_moves, Scope.READ, told_runs.GET_MOVES),
            (
                "GET",
                "/{run_id}/unserved",
                reallocation_rows.get_reallocation_unserved,
                Scope.READ,
                told_runs.GET_UNSERVED,
            ),
            ("GET", "/{run_id}/skipped", reallocation_rows.get_reallocation_skipped, Scope.READ, told_runs.GET_SKIPPED),
            ("POST", "/{run_id}/apply", reallocations.apply_reallocation, Scope.ADMIN, told_runs.APPLY),
            ("POST", "/{run_id}/cancel", reallocations.cancel_reallocation, Scope.ADMIN, told_runs.CANCEL),
            ("POST", "/{run_id}/rollback", reallocations.rollback_reallocation, Scope.ADMIN, told_runs.ROLLBACK),
        )
    ),
    Route("GET", "/v1/events", events.get_events, Scope.READ, told_stock.GET_EVENTS, head=False, all_channels=True),
    Route("GET", "/livez", operations.livez, Scope.PUBLIC, told_operations.LIVEZ),
    Route("GET", "/readyz", operations.readyz, Scope.PUBLIC, told_operations.READYZ),
    Route("GET", "/metrics", operations.metrics, Scope.READ, told_operations.METRICS, all_channels=True),
    Route("GET", "/version", operations.version, Scope.PUBLIC, told_operations.VERSION),
    Route("GET", "/openapi.json", documents.openapi, Scope.PUBLIC, told_operations.OPENAPI),
    Route("GET", "/docs", documents.docs, Scope.PUBLIC, told_operations.DOCS),
    Route("GET", "/docs/{file}", documents.docs_file, Scope.PUBLIC, None),
)
