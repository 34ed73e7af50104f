"""The audit at scale: fills a store of its own by the real calls, then times `stockade audit` as a process."""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from api.cli.console import out, print_table
from engine import Engine, Settings, open_engine
from engine.model import Line, Order, ShipTo, Sku, Warehouse
from engine.planner import cell_number
from engine.store import EmbeddedServer, choose_store

WAREHOUSES = 30
ON_HAND = 100
CHUNK = 10_000
ORDERS_AT_ONCE = 5_000
LIMITED_EVERY = 10
"""Every tenth SKU has a purchase limit, so that there are counters."""

app = App(help=__doc__)


@app.default
def main(
    *,
    cells: Annotated[int, Parameter(help="Cells, at 30 warehouses a SKU.")] = 1_000_000,
    orders: int = 100_000,
    partitions: int = 1,
    rounds: int = 3,
) -> None:
    """Print a table of what loading and auditing took."""
    asyncio.run(measure(cells, orders, partitions, rounds))


async def measure(cells: int, orders: int, partitions: int, rounds: int) -> None:
    """Fill, then audit in a process of its own, `rounds` times."""
    with tempfile.TemporaryDirectory() as folder:
        chosen = choose_store(None)
        assert not isinstance(chosen, str)
        async with EmbeddedServer(chosen, Path(folder)) as server:
            rows: list[tuple[str, str, str, str]] = []
            settings = Settings(redis_url=server.url, partitions=partitions, store_timeout_ms=60_000)
            async with open_engine(settings, background=False) as engine:
                start = time.perf_counter()
                await fill_cells(engine, cells)
                rows.append((f"count {cells:,} cells", f"{time.perf_counter() - start:.1f}", "", ""))
                start = time.perf_counter()
                await fill_orders(engine, cells // WAREHOUSES, orders)
                rows.append((f"reserve {orders:,} orders", f"{time.perf_counter() - start:.1f}", "", ""))
            environment = {**os.environ, "REDIS_URL": server.url}
            commands = [("audit", ("audit",))] * rounds + [("stock repair --dry-run", ("stock", "repair", "--dry-run"))]
            for name, command in commands:
                start = time.perf_counter()
                code, cpu_s, peak_mib = await asyncio.to_thread(run, command, environment)
                assert code == 0, f"stockade {name} ended with {code}"
                rows.append(
                    (f"stockade {name}", f"{time.perf_counter() - start:.1f}", f"{cpu_s:.1f}", f"{peak_mib:,.0f}")
                )
            columns = ("step", "seconds", "of its own CPU", "peak MiB")
            print_table(columns, rows, numbers=columns[1:])
            out.print(f"{partitions} partition(s); load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def run(command: tuple[str, ...], environment: dict[str, str]) -> tuple[int, float, float]:
    """Run `stockade` with a command; its exit code, its seconds of CPU, the largest memory that it had in MiB."""
    argv = [sys.executable, "-m", "api.cli", *command]
    _, status, usage = os.wait4(os.posix_spawn(sys.executable, argv, environment), 0)
    return os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


async def fill_cells(engine: Engine, cells: int) -> None:
    """Every SKU at every warehouse, in calls of 10,000 cells."""
    warehouses = [Warehouse(id=f"w{n}", lat=20 + n / 2, lon=100 + n / 2) for n in range(WAREHOUSES)]
    await engine.put_warehouses(warehouses)
    skus = [Sku(sku=f"s{n}", purchase_limit=None if n % LIMITED_EVERY else 50) for n in range(-(-cells // WAREHOUSES))]
    for first in range(0, len(skus), CHUNK):
        await engine.put_skus(skus[first : first + CHUNK])
    numbers = [cell_number(sku=n // WAREHOUSES, warehouse=n % WAREHOUSES) for n in range(cells)]
    for partition, own in engine.store.by_owner(numbers).items():
        for first in range(0, len(own), CHUNK):
            chunk = own[first : first + CHUNK]
            event, levels, _ = await partition.movements.set_stock(chunk, [ON_HAND] * len(chunk), [0] * len(chunk))
            engine.planner.set_levels(list(zip(chunk, levels, strict=True)), event)


async def fill_orders(engine: Engine, skus: int, orders: int) -> None:
    """Two-line orders from everywhere, some hundreds in a commit."""
    made = _orders(skus, orders)
    while page := list(islice(made, ORDERS_AT_ONCE)):
        await asyncio.gather(*(engine.reserve(order) for order in page))


def _orders(skus: int, orders: int) -> Iterator[Order]:
    for n in range(orders):
        lines = (Line(f"s{n * 7 % skus}", 1), Line(f"s{(n * 11 + 3) % skus}", 2))
        place = ShipTo(lat=20 + n % 30 / 2, lon=100 + n % 31 / 2)
        if lines[0].sku != lines[1].sku:
            payment = "pending" if n % 4 == 0 else "paid"
            hold_seconds = 86_400 if n % 4 == 0 else None
            yield Order(
                order_id=f"o{n}",
                customer=f"c{n}",
                ship_to=place,
                lines=lines,
                payment=payment,  # type: ignore[arg-type]
                hold_seconds=hold_seconds,
            )


if __name__ == "__main__":
    app()
