"""Puts the HTTP door together: one table of routes, one middleware."""

from aiohttp import web

from api.http import catalogue, events, matrices, operations, order_life, orders, stock
from api.http.guard import guard
from api.http.keys import ENGINE
from engine import Engine
from engine.model import limits

ROUTES = (
    web.post("/v1/orders", orders.post_order),
    web.get("/v1/orders/{order_id}", orders.get_order),
    web.post("/v1/orders/{order_id}/confirm", order_life.confirm),
    web.post("/v1/orders/{order_id}/cancel", order_life.cancel),
    web.post("/v1/orders/{order_id}/extend", order_life.extend),
    web.post("/v1/orders/{order_id}/ship", order_life.ship),
    web.post("/v1/orders/{order_id}/split", order_life.split),
    web.post("/v1/orders/{order_id}/amend", order_life.amend),
    web.post("/v1/quotes", orders.post_quote),
    web.get("/v1/warehouses", catalogue.get_warehouses),
    web.put("/v1/warehouses/{id}", catalogue.put_warehouse),
    web.get("/v1/skus/{sku}", catalogue.get_sku),
    web.put("/v1/skus/{sku}", catalogue.put_sku),
    web.get("/v1/tariff", catalogue.get_tariff),
    web.put("/v1/tariff", catalogue.put_tariff),
    web.get("/v1/distances", matrices.get_distances),
    web.put("/v1/distances", matrices.put_distances),
    web.delete("/v1/distances", matrices.delete_distances),
    web.get("/v1/costs", matrices.get_costs),
    web.put("/v1/costs", matrices.put_costs),
    web.delete("/v1/costs", matrices.delete_costs),
    web.get("/v1/stock", stock.get_stock),
    web.put("/v1/stock", stock.put_stock),
    web.post("/v1/stock/movements", stock.post_movement),
    web.get("/v1/events", events.get_events, allow_head=False),
    web.get("/livez", operations.livez),
    web.get("/readyz", operations.readyz),
    web.get("/version", operations.version),
)


def build_app(engine: Engine) -> web.Application:
    """The application on an open engine; who opened the engine closes it."""
    app = web.Application(middlewares=[guard], client_max_size=limits.BODY_BYTES_MAX)
    app[ENGINE] = engine
    app[events.STREAMS] = events.Streams()
    app.on_shutdown.append(events.stop_streams)
    app.add_routes(ROUTES)
    return app
