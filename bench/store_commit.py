"""What the batch commit costs the store, per order: processor time, memory, bytes on disk; beside a bare script's.

`python -m bench.store_commit` commits two-line orders in batches of 50, 200 and 1,000 on an embedded store, by turns
with a script that does the least that any such commit must do (limit.lua: check ids, take units, keep ids, one event).
Processor time is the server's own (INFO), so what else the machine does distorts it less than time would.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from redis.asyncio import Redis
from rich.console import Console
from rich.table import Table

from bench.network import make_orders, open_filled
from engine.planner import Batch, Planner, canonical_bytes

SIZES = (50, 200, 1000)
LIMIT_LUA = Path(__file__).with_name("limit.lua")


class Cost(msgspec.Struct, frozen=True):
    """Of one kind of commit at one batch size, an order's share: medians over the rounds."""

    kind: str
    size: int
    store_cpu_us: float
    memory_bytes: float
    disk_bytes: float


async def measure(orders: int, rounds: int, *, append_only: bool) -> list[Cost]:
    """Costs of both kinds, each size, by turns."""
    seen: dict[tuple[str, int], list[tuple[float, float, float]]] = {}
    with tempfile.TemporaryDirectory(prefix="stockade-bench-") as folder:
        async with open_filled(Path(folder) / "store") as engine, Redis.from_url(engine.store.url) as client:
            if not append_only:
                await client.config_set("appendonly", "no")
            limit = await client.script_load(LIMIT_LUA.read_text("utf-8"))
            for _ in range(rounds):
                for size in SIZES:
                    for kind in ("limit", "commit"):
                        batches = _batches(engine.planner, orders, size)
                        before = await _usage(client)
                        if kind == "commit":
                            for batch in batches:
                                reply = await engine.store.partitions[0].orders.commit(
                                    batch.commit_args(0, 1_700_000_000_000)
                                )
                                assert reply.outcomes == b"", "every order must be taken"
                        else:
                            for batch in batches:
                                args = batch.commit_args(0, 1_700_000_000_000)
                                await client.evalsha(
                                    limit, 3, "limit:free", "limit:ids", "limit:events", *args[:2], args[3]
                                )
                        after = await _usage(client)
                        for batch in batches:
                            engine.planner.core.abandon(batch)
                        cpu_us, memory, disk = (
                            (late - early) / orders for early, late in zip(before, after, strict=True)
                        )
                        seen.setdefault((kind, size), []).append((cpu_us, memory, disk))
    return [
        Cost(kind, size, *(statistics.median(column) for column in zip(*rows, strict=True)))
        for (kind, size), rows in seen.items()
    ]


def _batches(planner: Planner, orders: int, size: int) -> list[Batch]:
    made = []
    for _ in range(orders // size):
        batch, decided = planner.core.plan([(canonical_bytes(order), 0, 0, False) for order in make_orders(size)])
        assert not decided, "every order must be planned"
        made.append(batch)
    return made


async def _usage(client: Redis) -> tuple[float, float, float]:
    info: dict[str, Any] = await client.info("everything")
    cpu_s = info["used_cpu_user_main_thread"] + info["used_cpu_sys_main_thread"]
    return cpu_s * 1e6, info["used_memory"], info.get("aof_current_size", 0)


def print_costs(costs: Sequence[Cost], *, append_only: bool) -> None:
    """A table for people."""
    table = Table(title=f"append-only file {'on, fsync always' if append_only else 'off'}", title_justify="left")
    for column in ("orders a batch", "limit us", "commit us", "ratio", "memory B", "disk B"):
        table.add_column(column, justify="right")
    for size in SIZES:
        limit, commit = (
            next(cost for cost in costs if (cost.kind, cost.size) == (kind, size)) for kind in ("limit", "commit")
        )
        table.add_row(
            f"{size:,}",
            f"{limit.store_cpu_us:.2f}",
            f"{commit.store_cpu_us:.2f}",
            f"{commit.store_cpu_us / limit.store_cpu_us:.2f}",
            f"{commit.memory_bytes:,.0f}",
            f"{commit.disk_bytes:,.0f}" if append_only else "-",
        )
    Console().print(table)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=10_000, help="orders of each size and round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--append-only", action="store_true", help="with the file on and an fsync for every batch")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    costs = asyncio.run(measure(options.orders, options.rounds, append_only=options.append_only))
    if options.json:
        print(json.dumps([msgspec.to_builtins(cost) for cost in costs], indent=2))
    else:
        print_costs(costs, append_only=options.append_only)


if __name__ == "__main__":
    main()
