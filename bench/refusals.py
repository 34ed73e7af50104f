"""What a request costs that is refused for want of room, or beyond its key's limit, beside an accepted one and a no-op.

`python -m bench.refusals` (needs wrk). One process serves all four, one after the other in each round, and reads its
own processor time before and after: microseconds a request, which other work on the machine disturbs less than rates.
The no-op is a bare aiohttp route that decodes the same order and encodes an answer; the others are the fast lane.
"""

import argparse
import asyncio
import contextlib
import re
import statistics
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from time import process_time, time_ns

import uvloop
from aiohttp import web

from api.http.access.gate import Gate
from api.http.app import build_app
from api.http.principal import GATE
from api.http.server import open_door
from api.rate_limit import Limiter, OwnTimes
from bench.noop_service import noop
from engine import Engine, Settings, open_engine
from engine.access import KeyLimit
from engine.model import Line, Order, ShipTo, StockCount, limits
from engine.sample import load_network

SCRIPT = Path(__file__).with_name("orders.lua")
CONNECTIONS = 64


async def run(rounds: int, seconds: int) -> None:
    """Print the medians."""
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="stockade-bench-") as home:
        settings = Settings(data_dir=Path(home), port=0, queue_orders_max=CONNECTIONS, log_sample=0)
        async with open_engine(settings) as engine:
            await _fill(engine)
            async with _doors(engine) as (orders_url, limited_url, noop_url):
                for number in range(rounds):
                    for name, url in (("no-op", noop_url), ("accepted", orders_url), ("429", limited_url)):
                        found.setdefault(name, []).append(await _cost_us(url, seconds, f"{name}{number}"))
                    # Nothing is taken while the view is held, so a full queue stays full.
                    async with engine.intake.exclusive:
                        answers = [engine.submit(_order(f"full-{number}-{n}")) for n in range(CONNECTIONS)]
                        found.setdefault("503", []).append(await _cost_us(orders_url, seconds, f"full{number}"))
                    await asyncio.gather(*answers)
    for name, costs in found.items():
        told = " ".join(f"{cost:.1f}" for cost in costs)
        print(f"{name:10} median {statistics.median(costs):6.1f} us of CPU a request   ({told})")


def _order(order_id: str) -> Order:
    return Order(order_id=order_id, ship_to=ShipTo(lat=31.2, lon=121.5), lines=(Line("MSK-20", 1),))


async def _fill(engine: Engine) -> None:
    network = load_network()
    await engine.put_warehouses(network.warehouses)
    await engine.put_skus(network.skus)
    await engine.put_tariff(network.tariff)
    await engine.set_stock(
        [
            StockCount(sku=sku.sku, warehouse=warehouse.id, on_hand=limits.ON_HAND_MAX)
            for sku in network.skus
            for warehouse in network.warehouses
        ]
    )


@contextlib.asynccontextmanager
async def _doors(engine: Engine) -> AsyncIterator[tuple[str, str, str]]:
    """URLs of the service, of the service with a limit that is reached, and of the no-op."""
    limited = build_app(engine)
    limited[GATE] = Gate(engine.access, "auto", Limiter(OwnTimes(), KeyLimit(0.001, 1)))
    bare = web.Application()
    bare.router.add_post("/bench/noop", noop)
    runner = web.AppRunner(bare, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    host, port = runner.addresses[0][:2]
    async with open_door(build_app(engine), engine) as orders_url, open_door(limited, engine) as limited_url:
        yield f"{orders_url}/v1/orders", f"{limited_url}/v1/orders", f"http://{host}:{port}/bench/noop"
    await runner.cleanup()


async def _cost_us(url: str, seconds: int, prefix: str) -> float:
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(SCRIPT), url, "--", f"{prefix}-{time_ns()}"]
    began = process_time()
    wrk = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    text, _ = await wrk.communicate()
    used_s = process_time() - began
    requests = re.search(rb"(\d+) requests in", text)
    assert requests is not None, text
    return used_s / int(requests[1]) * 1e6


def main() -> None:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="of each run")
    arguments = parser.parse_args()
    uvloop.run(run(arguments.rounds, arguments.seconds))


if __name__ == "__main__":
    main()
