"""The service under measurement, and in the same process a bare aiohttp application that only decodes and encodes.

Prints both URLs and the store's process id, and serves until SIGTERM. Cells hold so much that no order is refused.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

import msgspec
import uvloop
from aiohttp import web

from api.http.app import build_app
from api.http.lines import LineCutter
from api.http.server import open_door, spare_what_stays
from api.logs import log_to_standard_error
from engine import Settings, open_engine
from engine.model import Allocation, AllocationLine, Order, Shipment, StockCount, limits
from engine.sample import load_network

_decoder = msgspec.json.Decoder(Order)
_encoder = msgspec.json.Encoder()


async def noop(request: web.Request) -> web.Response:
    """Decode the order, encode an answer of the same shape; no plan, no commit."""
    order = _decoder.decode(await request.read())
    lines = tuple(AllocationLine(sku=line.sku, quantity=line.quantity) for line in order.lines)
    allocation = Allocation(
        order_id=order.order_id,
        status="confirmed",
        version=1,
        shipments=(Shipment(warehouse="SHA-DC", lines=lines, cost=1_234, distance_km=123.456),),
        unfilled=(),
        cost=1_234,
        currency="CNY",
    )
    headers = {"Content-Type": "application/json", "Location": f"/v1/orders/{order.order_id}"}
    return web.Response(status=201, body=_encoder.encode(allocation), headers=headers)


async def bulk_noop(request: web.Request) -> web.StreamResponse:
    """Decode each line of a body by the order's shape, and answer it with as little as a line can be."""
    response = web.StreamResponse()
    await response.prepare(request)
    cutter = LineCutter(limits.ORDER_BYTES_MAX)
    while data := await request.content.readany():
        lines = cutter.feed(data).splitlines()
        for line in lines:
            _decoder.decode(line)
        await response.write(b'{"outcome":"reserved"}\n' * len(lines))
    return response


async def run(data_dir: Path) -> None:
    """Serve until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    # Standard output is a pipe of which only the first line is read: a log that fills it would stop the service.
    log_to_standard_error()
    settings = Settings(data_dir=data_dir, port=0, log_sample=0, log_slow_ms=3_600_000)
    async with open_engine(settings) as engine:
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores[:1])
        store_pid = int((data_dir / "lock").read_text("utf-8"))
        os.sched_setaffinity(store_pid, cores[-1:])
        network = load_network()
        await engine.put_warehouses(network.warehouses)
        await engine.put_skus([msgspec.structs.replace(sku, purchase_limit=None) for sku in network.skus])
        await engine.put_tariff(network.tariff)
        cells = [
            StockCount(sku=sku.sku, warehouse=warehouse.id, on_hand=limits.ON_HAND_MAX)
            for sku in network.skus
            for warehouse in network.warehouses
        ]
        await engine.set_stock(cells)
        bare = web.Application()
        bare.router.add_post("/bench/noop", noop)
        bare.router.add_post("/bench/bulk-noop", bulk_noop)
        runner = web.AppRunner(bare, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        host, port = runner.addresses[0][:2]
        spare_what_stays()
        async with open_door(build_app(engine), engine) as url:
            print(f"{url} http://{host}:{port} {store_pid}", flush=True)
            await stop.wait()
        await runner.cleanup()


if __name__ == "__main__":
    uvloop.run(run(Path(sys.argv[1])))
