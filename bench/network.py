"""What benchmarks run on: an engine on an embedded store, the sample network with every cell well stocked, orders."""

import contextlib
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

from engine import Engine, Settings, open_engine
from engine.model import Line, Order, ShipTo, StockCount
from engine.model.limits import ON_HAND_MAX
from engine.sample import load_network

_numbers = itertools.count()


def make_orders(count: int) -> list[Order]:
    """Two-line orders with ids that were never used."""
    network = load_network()
    skus, cities = [sku.sku for sku in network.skus if not sku.purchase_limit], network.cities
    orders = []
    for _ in range(count):
        number = next(_numbers)
        city = cities[number * 7 % len(cities)]
        lines = (Line(skus[number % len(skus)], 1), Line(skus[(number * 3 + 1) % len(skus)], 2))
        ship_to = ShipTo(lat=city.lat, lon=city.lon, country="CN")
        orders.append(
            Order(order_id=f"bench-{number}", channel="app", customer=f"c-{number}", ship_to=ship_to, lines=lines)
        )
    return orders


@contextlib.asynccontextmanager
async def open_filled(data_dir: Path) -> AsyncIterator[Engine]:
    """An engine on an embedded store in `data_dir` with the sample network."""
    async with open_engine(Settings(data_dir=data_dir), background=False) as engine:
        network = load_network()
        await engine.put_warehouses(network.warehouses)
        await engine.put_skus(network.skus)
        await engine.put_tariff(network.tariff)
        cells = [
            StockCount(sku=sku.sku, warehouse=warehouse.id, on_hand=ON_HAND_MAX)
            for sku in network.skus
            for warehouse in network.warehouses
        ]
        await engine.set_stock(cells)
        yield engine
