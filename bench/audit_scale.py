"""Loads and audits at scale: counts a million cells as users do, sells of them, then times `stockade audit`.

Each load goes into a store of its own, which has the catalogue before: by `Engine.set_stock` in this process, and by
`stockade stock set FILE.csv` as a process. Then orders are reserved in the last store, which is audited.
"""

import asyncio
import contextlib
import os
import re
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Annotated

from cyclopts import App, Parameter
from msgspec import Struct
from redis.asyncio import Redis

from api.cli.console import print_json
from api.cli.table import print_table
from engine import Engine, Settings, open_engine
from engine.model import Line, Order, ShipTo, Sku, StockCount, Warehouse
from engine.store import EmbeddedServer, choose_store

WAREHOUSES = 30
ON_HAND = 100
CHUNK = 10_000
ORDERS_AT_ONCE = 5_000
LIMITED_EVERY = 10
"""Every tenth SKU has a purchase limit, so that there are counters."""

POLL_S = 0.02

app = App(help=__doc__)


class Took(Struct, frozen=True):
    """What one run of a step took: seconds, CPU seconds of the client's process and of the store's."""

    step: str
    seconds: float
    client_cpu_s: float
    store_cpu_s: float
    peak_mib: float
    """The most memory that the client's process had."""
    load_average: float
    """Of the last minute when it began: on other machines than an idle one, read the CPU rather than the seconds."""


@app.default
def main(
    *,
    cells: Annotated[int, Parameter(help="Cells, at 30 warehouses a SKU.")] = 1_000_000,
    orders: int = 100_000,
    partitions: int = 1,
    rounds: Annotated[int, Parameter(help="Runs of each step but the reserving.")] = 3,
    json: bool = False,
) -> None:
    """Print what loading and auditing took: the best run of each step, and the median of seconds."""
    runs = asyncio.run(measure(cells, orders, partitions, rounds))
    if json:
        print_json(runs)
        return
    rows = []
    for step in dict.fromkeys(one.step for one in runs):
        own = [one for one in runs if one.step == step]
        best = min(own, key=lambda one: one.seconds)
        figures = (best.seconds, median(one.seconds for one in own), best.client_cpu_s, best.store_cpu_s)
        loads = f"{best.load_average:.1f}"
        rows.append((step, len(own), *(f"{figure:.1f}" for figure in figures), f"{best.peak_mib:,.0f}", loads))
    columns = ("step", "runs", "best s", "median", "client CPU", "store CPU", "MiB", "load")
    title = f"{cells:,} cells, {orders:,} orders, {partitions} partition(s), {os.cpu_count()} cores"
    print_table(columns, rows, title=title, numbers=columns[1:])


async def measure(cells: int, orders: int, partitions: int, rounds: int) -> list[Took]:
    """All steps, `rounds` times each, but the reserving."""
    runs: list[Took] = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "counts.csv"
        with file.open("w") as text:
            text.write("sku,warehouse,on_hand\n")
            for part in _parts(cells):
                text.writelines(f"{row.sku},{row.warehouse},{row.on_hand}\n" for row in part)
        for _ in range(rounds):
            async with _store(cells, partitions) as (url, settings):
                runs.append(await _command("stock set FILE.csv", url, settings, "stock", "set", str(file)))
        for round_ in range(rounds):
            async with _store(cells, partitions) as (url, settings):
                async with open_engine(settings, background=False) as engine, _timed("Engine.set_stock", url, runs):
                    for part in _parts(cells):
                        await engine.set_stock(part)
                if round_ < rounds - 1:
                    continue
                async with open_engine(settings, background=False) as engine, _timed("Engine.reserve", url, runs):
                    await fill_orders(engine, -(-cells // WAREHOUSES), orders)
                for _ in range(rounds):
                    runs.append(await _command("audit", url, settings, "audit"))
                runs.append(await _command("stock repair --dry-run", url, settings, "stock", "repair", "--dry-run"))
    return runs


def _parts(cells: int) -> Iterator[list[StockCount]]:
    for first in range(0, cells, CHUNK):
        numbers = range(first, min(first + CHUNK, cells))
        yield [StockCount(sku=f"s{n // WAREHOUSES}", warehouse=f"w{n % WAREHOUSES}", on_hand=ON_HAND) for n in numbers]


@contextlib.asynccontextmanager
async def _store(cells: int, partitions: int) -> AsyncIterator[tuple[str, Settings]]:
    """A store with the catalogue alone."""
    chosen = choose_store(None)
    assert not isinstance(chosen, str)
    with tempfile.TemporaryDirectory() as folder:
        async with EmbeddedServer(chosen, Path(folder)) as server:
            settings = Settings(redis_url=server.url, partitions=partitions, store_timeout_ms=60_000)
            async with open_engine(settings, background=False) as engine:
                places = range(WAREHOUSES)
                await engine.put_warehouses([Warehouse(id=f"w{n}", lat=20 + n / 2, lon=100 + n / 2) for n in places])
                numbers = range(-(-cells // WAREHOUSES))
                skus = [Sku(sku=f"s{n}", purchase_limit=None if n % LIMITED_EVERY else 50) for n in numbers]
                for first in range(0, len(skus), CHUNK):
                    await engine.put_skus(skus[first : first + CHUNK])
            yield server.url, settings


@contextlib.asynccontextmanager
async def _timed(step: str, url: str, runs: list[Took]) -> AsyncIterator[None]:
    """Time what this process does in the block."""
    load, store_cpu_s = os.getloadavg()[0], await _store_cpu_s(url)
    start, cpu_start_s = time.perf_counter(), time.process_time()
    yield
    seconds, cpu_s = time.perf_counter() - start, time.process_time() - cpu_start_s
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    runs.append(Took(step, seconds, cpu_s, await _store_cpu_s(url) - store_cpu_s, peak_mib, load))


async def _command(step: str, url: str, settings: Settings, *command: str) -> Took:
    """Run `stockade` with a command, from its start to its end."""
    environment = {**os.environ, "REDIS_URL": url, "STOCKADE_PARTITIONS": str(settings.partitions)}
    environment["STOCKADE_STORE_TIMEOUT_MS"] = str(settings.store_timeout_ms)
    load, store_cpu_s, start = os.getloadavg()[0], await _store_cpu_s(url), time.perf_counter()
    code, cpu_s, peak_mib = await asyncio.to_thread(_run, command, environment)
    assert code == 0, f"stockade {step} ended with {code}"
    return Took(step, time.perf_counter() - start, cpu_s, await _store_cpu_s(url) - store_cpu_s, peak_mib, load)


def _run(command: tuple[str, ...], environment: dict[str, str]) -> tuple[int, float, float]:
    """The exit code, the seconds of CPU, the largest memory that it had in MiB."""
    argv = [sys.executable, "-m", "api.cli", *command]
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    pid = os.posix_spawn(sys.executable, argv, environment, file_actions=quiet)
    peak_mib = 0.0
    while True:
        # By looking: what wait4 tells has our own memory in it, from before the child was another program.
        status = Path(f"/proc/{pid}/status").read_text()
        peak_mib = max([peak_mib, *(int(kib) / 1024 for kib in re.findall(r"VmHWM:\s+(\d+)", status))])
        ended, code, usage = os.wait4(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(code), usage.ru_utime + usage.ru_stime, peak_mib
        time.sleep(POLL_S)


async def _store_cpu_s(url: str) -> float:
    async with Redis.from_url(url) as client:
        used = await client.info("cpu")
    return float(used["used_cpu_user"]) + float(used["used_cpu_sys"])


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
