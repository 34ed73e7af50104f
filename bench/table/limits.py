"""Orders beside what the machine does at best: HTTP that does nothing, decoding alone, a bare script of the store."""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from bench import bulk_intake, http_ratio, store_commit
from bench.http_ratio import Service, cpu_s, service
from bench.load_agreement import BODY, PLACES, SKUS
from bench.store_commit import Cost
from loadtest.load import run_load
from loadtest.load_plan import Closed, Kind, LoadPlan, Table

CONNECTIONS, BULK_CONNECTIONS, BULK_LINES = 256, 8, 500
PAUSE_S = 0.5
WARM_S = 1.0
COMMITS = 4_000
"""Orders of each size, kind and round of the store's own cost."""


class Way(msgspec.Struct, frozen=True):
    """One route: what it does, and the limit it is held against (itself, where it is one)."""

    name: str
    route: str
    limit: str
    bare: bool
    lines: int | None = None


NOOP, DECODE = "HTTP that does nothing: aiohttp, decode, encode", "in bulk, decoding alone"
WAYS = (
    Way(NOOP, http_ratio.NOOP_ROUTE, NOOP, bare=True),
    Way("single orders, durable", http_ratio.ORDERS_ROUTE, NOOP, bare=False),
    Way(DECODE, bulk_intake.NOOP_ROUTE, DECODE, bare=True, lines=BULK_LINES),
    Way("orders in bulk, durable", bulk_intake.ORDERS_ROUTE, DECODE, bare=False, lines=BULK_LINES),
)


class Rate(msgspec.Struct, frozen=True):
    """Of one way: medians of its rounds."""

    per_s: float
    service_cpu_us: float
    store_cpu_us: float
    others: int
    """Requests of all rounds that were answered otherwise."""


def measure_http(rounds: int, seconds: float, tell: Callable[[str], None]) -> dict[str, Rate]:
    """By the way's name; the ways by turns. The service has the first core, store and load the last one."""
    seen: dict[str, list[Rate]] = {}
    cores = os.sched_getaffinity(0)
    try:
        with tempfile.TemporaryDirectory(prefix="stockade-bench-") as home, service(Path(home)) as measured:
            os.sched_setaffinity(0, {max(cores)})
            for way in WAYS:
                _run(measured, way, WARM_S)
            for number in range(rounds):
                for way in WAYS if number % 2 == 0 else WAYS[::-1]:
                    seen.setdefault(way.name, []).append(one := _run(measured, way, seconds))
                    tell(
                        f"round {number + 1}  {way.name:50} {one.per_s:10,.0f}/s  service {one.service_cpu_us:6.2f} us"
                    )
    finally:
        os.sched_setaffinity(0, cores)
    return {name: _median(rates) for name, rates in seen.items()}


def _run(measured: Service, way: Way, seconds: float) -> Rate:
    time.sleep(PAUSE_S)
    kind = Kind(
        name="one",
        path=way.route,
        body=BODY,
        bulk_lines=way.lines,
        content_type="application/x-ndjson" if way.lines else "application/json",
    )
    plan = LoadPlan(
        url=measured.bare_url if way.bare else measured.url,
        arrivals=Closed(),
        seconds=seconds,
        connections=BULK_CONNECTIONS if way.lines else CONNECTIONS,
        id_prefix=f"t-{time.time_ns()}",
        kinds=[kind],
        tables={
            "sku": Table(SKUS, distinct=True),
            "place": Table([f'{{"lat":{lat},"lon":{lon},"country":"CN"}}' for lat, lon in PLACES], raw=True),
        },
    )
    before = [cpu_s(pid) for pid in measured.pids]
    result = run_load(plan)
    orders = max(1, result.classes["ok"].count * (way.lines or 1))
    used = [(cpu_s(pid) - was) / orders * 1e6 for pid, was in zip(measured.pids, before, strict=True)]
    return Rate(orders / result.wall_s, used[0], used[1], result.offered - result.classes["ok"].count)


def _median(rates: list[Rate]) -> Rate:
    def of(field: str) -> float:
        return float(statistics.median(getattr(rate, field) for rate in rates))

    return Rate(of("per_s"), of("service_cpu_us"), of("store_cpu_us"), sum(rate.others for rate in rates))


async def measure_store(rounds: int) -> list[Cost]:
    """The commit's and the bare script's cost to the store, by batch size, the append-only file off."""
    return await store_commit.measure(COMMITS, rounds, append_only=False)
