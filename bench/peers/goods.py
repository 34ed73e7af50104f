"""What every peer sells, and the orders that all of them get: the sample network, well stocked, and two scarce SKUs."""

from functools import cache

import msgspec

from engine.model import Sku, StockCount, limits
from engine.sample import load_network
from loadtest.load_plan import Closed, Kind, LoadPlan, Table

SINGLE, BULK = "/v1/orders", "/v1/orders:bulk"

SCARCE = ("SCARCE-A", "SCARCE-B")
SCARCE_WAREHOUSES = 3
SCARCE_UNITS = 100
"""Of each scarce SKU, at each of the warehouses that have it."""

BODY = (
    '{"order_id":"${id}","channel":"app","customer":"c-${number:50000}","ship_to":${place},"lines":['
    '{"sku":"${sku}","quantity":1,"unit_price":19900},{"sku":"${sku}","quantity":2,"unit_price":4900}],"payment":"paid"}'
)


@cache
def warehouses() -> dict[str, tuple[float, float]]:
    """Where each warehouse lies: latitude and longitude."""
    return {warehouse.id: (warehouse.lat, warehouse.lon) for warehouse in load_network().warehouses}


@cache
def skus() -> tuple[Sku, ...]:
    """Those of the sample, without purchase limits, which the peers do not have; then the scarce ones."""
    sample = [msgspec.structs.replace(sku, purchase_limit=None) for sku in load_network().skus]
    return (*sample, *(Sku(sku=name, weight_g=500) for name in SCARCE))


@cache
def stock() -> tuple[StockCount, ...]:
    """Every cell of the sample so full that no order is refused, and little of the scarce ones."""
    plenty = [
        StockCount(sku=sku.sku, warehouse=warehouse, on_hand=limits.ON_HAND_MAX)
        for sku in skus()
        if sku.sku not in SCARCE
        for warehouse in warehouses()
    ]
    scarce = [
        StockCount(sku=sku, warehouse=warehouse, on_hand=SCARCE_UNITS)
        for sku in SCARCE
        for warehouse in list(warehouses())[:SCARCE_WAREHOUSES]
    ]
    return (*plenty, *scarce)


def load(
    url: str, prefix: str, *, bulk: bool, seconds: float, connections: int, lines: int, scarce: bool = False
) -> LoadPlan:
    """Connections that each send an order, or a body of `lines` orders, when they have the answer to the last one."""
    names = list(SCARCE) if scarce else [sku.sku for sku in skus() if sku.sku not in SCARCE]
    cities = [msgspec.json.encode(_place(city.lat, city.lon)).decode() for city in load_network().cities]
    one = Kind(name="single", path=SINGLE, body=BODY)
    many = Kind(name="bulk", path=BULK, body=BODY, bulk_lines=lines, content_type="application/x-ndjson")
    return LoadPlan(
        url=url,
        arrivals=Closed(),
        seconds=seconds,
        connections=connections,
        id_prefix=prefix,
        kinds=[many if bulk else one],
        tables={"sku": Table(names, distinct=True), "place": Table(cities, raw=True)},
        timeout_s=60.0,
    )


def _place(lat: float, lon: float) -> dict[str, float | str]:
    return {"lat": lat, "lon": lon, "country": "CN"}
