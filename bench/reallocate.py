"""Applies a re-allocation of many orders on a live store while others arrive, and measures what those wait.

`python -m bench.reallocate`. The sample network sells from every fifth warehouse alone; then the others get stock, and
the open orders are looked at anew. Orders arrive by the clock (an open loop) in the same process, with fsync before
each reply: alone, while the plan is made, and while it is applied; their waits are from when they were due. At the end
the books are audited.
"""

import argparse
import asyncio
import gc
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from time import process_time

from bench.network import make_orders
from engine import Engine, Settings, open_engine
from engine.intake import Outcome, Reserved
from engine.model import Order, StockCount, Warehouse
from engine.sample import load_network

SELLS_FIRST = 5
"""Every so-manieth warehouse has stock at first."""

ON_HAND = 1_000_000


@dataclass(frozen=True)
class Arrived:
    """What orders met that arrived beside something."""

    beside: str
    seconds: float
    orders: int
    reserved: int
    p50_ms: float
    p99_ms: float
    max_ms: float


def main() -> int:
    """Run it and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moves", type=int, default=40_000)
    parser.add_argument("--open", type=int, default=50_000, help="open orders that are looked at")
    parser.add_argument("--rate", type=int, default=2_000, help="orders a second that arrive")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long they arrive alone")
    parser.add_argument("--time-limit", type=float, default=10.0, help="seconds of the assignment")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stockade-bench-") as home:
        rows, told = asyncio.run(_run(Path(home), arguments))
    if arguments.json:
        print(json.dumps({"arrived": [asdict(row) for row in rows], **told}, indent=2))
        return 0
    print("beside                seconds   orders  reserved   p50 ms   p99 ms   max ms")
    for row in rows:
        waits = f"{row.p50_ms:8.2f} {row.p99_ms:8.2f} {row.max_ms:8.2f}"
        print(f"{row.beside:20} {row.seconds:8.2f} {row.orders:8,} {row.reserved:9,} {waits}")
    for name, value in told.items():
        print(f"{name}: {value}")
    return 0


async def _run(home: Path, arguments: argparse.Namespace) -> tuple[list[Arrived], dict[str, object]]:
    network = load_network()
    async with open_engine(Settings(data_dir=home, queue_orders_max=100_000)) as engine:
        await engine.put_warehouses(network.warehouses)
        await engine.put_skus(network.skus)
        await engine.put_tariff(network.tariff)
        await _stock(engine, network.warehouses[::SELLS_FIRST])
        for start in range(0, arguments.open, 5_000):
            orders = make_orders(min(5_000, arguments.open - start))
            await asyncio.gather(*(engine.submit(order) for order in orders))
        await _stock(engine, network.warehouses)
        coming = iter(make_orders(int(arguments.rate * (60 + arguments.seconds + 2 * arguments.time_limit))))
        rows: list[Arrived] = []
        # Else the collector looks at all of them while the clock runs.
        gc.collect()
        gc.freeze()
        async with _arriving(engine, coming, arguments.rate, "nothing", rows):
            await asyncio.sleep(arguments.seconds)
        began_s = process_time()
        async with _arriving(engine, coming, arguments.rate, "planning", rows):
            run = await engine.reallocate(
                all_open=True, max_moves=arguments.moves, dry_run=True, time_limit_s=arguments.time_limit
            )
        planned_s = process_time() - began_s
        async with _arriving(engine, coming, arguments.rate, "applying", rows):
            status = await run.apply()
        report = await engine.audit()
        return rows, {
            "moved": status.applied,
            "skipped": {told.why: told.orders for told in status.skipped},
            "planning_cpu_s": round(planned_s, 2),
            "plan": run.summary().splitlines(),
            "audit_differences": len(report.differences),
        }


async def _stock(engine: Engine, warehouses: Sequence[Warehouse]) -> None:
    skus = [sku.sku for sku in load_network().skus]
    names = [warehouse.id for warehouse in warehouses]
    await engine.set_stock([StockCount(sku=sku, warehouse=name, on_hand=ON_HAND) for sku in skus for name in names])


@asynccontextmanager
async def _arriving(
    engine: Engine, orders: Iterator[Order], rate: int, beside: str, rows: list[Arrived]
) -> AsyncIterator[None]:
    """Have orders arrive by the clock while the block runs."""
    loop = asyncio.get_running_loop()
    over = False
    waits: list[float] = []
    sent = taken = 0
    answered = asyncio.Event()

    def note(due_s: float, answer: asyncio.Future[Outcome]) -> None:
        nonlocal taken
        waits.append(loop.time() - due_s)
        taken += isinstance(answer.result(), Reserved)
        if over and len(waits) == sent:
            answered.set()

    async def arrive() -> None:
        nonlocal sent
        began = loop.time()
        while not over:
            while sent < (loop.time() - began) * rate:
                engine.submit(next(orders)).add_done_callback(partial(note, began + sent / rate))
                sent += 1
            await asyncio.sleep(0.001)
        if len(waits) < sent:
            await answered.wait()

    began = loop.time()
    task = asyncio.create_task(arrive())
    try:
        yield
    finally:
        over = True
        seconds = loop.time() - began
        await task
        waits.sort()
        quantiles = [1000 * waits[min(len(waits) - 1, int(share * len(waits)))] for share in (0.5, 0.99, 1.0)]
        rows.append(Arrived(beside, seconds, sent, taken, *quantiles))


if __name__ == "__main__":
    sys.exit(main())
