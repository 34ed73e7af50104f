"""How old the views of several service processes are while all of them sell: p50, p99 and the worst.

`python -m bench.view_staleness`. Each process is an engine on one embedded store, with fsync before each reply, and
sells the sample network's orders at a fixed rate. The age of a change is the time from its event in the stream to its
place in the view of a process that did not make it, by the store's clock; each read of the stream counts with its
oldest event.
"""

import argparse
import asyncio
import json
import multiprocessing
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path

from api.cli.serve import fill_with_sample
from engine import Settings, open_engine
from engine.intake import Reserved
from engine.sample import OrderSource, load_network
from engine.store import EmbeddedServer, choose_store

WARM_S = 2.0
"""Before the clocks of store and processes were compared, nothing is measured."""


@dataclass(frozen=True)
class Measured:
    """One process's figures."""

    orders: int
    """Reserved by it."""
    reads: int
    p50_ms: float
    p99_ms: float
    max_ms: float


def main() -> int:
    """Run it and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--rate", type=int, default=300, help="orders a second of each process")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--partitions", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    chosen = choose_store(None)
    if isinstance(chosen, str):
        print("This bench starts its own store: unset REDIS_URL.", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="stockade-bench-") as home:
        server = EmbeddedServer(chosen, Path(home))
        asyncio.run(server.start())
        try:
            asyncio.run(_fill(server.url, arguments.partitions))
            measured = _run(server.url, arguments)
        finally:
            asyncio.run(server.stop())
    if arguments.json:
        print(json.dumps([asdict(one) for one in measured], indent=2))
        return 0
    print("process   orders    reads   p50 ms   p99 ms   max ms")
    for number, one in enumerate(measured, 1):
        row = f"{one.p50_ms:8.2f} {one.p99_ms:8.2f} {one.max_ms:8.2f}"
        print(f"{number:7} {one.orders:8,} {one.reads:8,} {row}")
    return 0


async def _fill(url: str, partitions: int) -> None:
    async with open_engine(Settings(redis_url=url, partitions=partitions), background=False) as engine:
        await fill_with_sample(engine)


def _run(url: str, arguments: argparse.Namespace) -> list[Measured]:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(arguments.processes)
    ends = []
    for number in range(arguments.processes):
        mine, theirs = context.Pipe(duplex=False)
        work = (url, number, arguments.rate, arguments.seconds, barrier, theirs)
        context.Process(target=_process, args=work, daemon=True).start()
        ends.append(mine)
    return [end.recv() for end in ends]


def _process(url: str, number: int, rate: int, seconds: float, barrier: Barrier, end: Connection) -> None:
    end.send(asyncio.run(_sell(url, number, rate, seconds, barrier)))


async def _sell(url: str, number: int, rate: int, seconds: float, barrier: Barrier) -> Measured:
    async with open_engine(Settings(redis_url=url)) as engine:
        orders = iter(OrderSource(load_network(), seed=number + 2, id_prefix=f"P{number}-").offers(1_000_000))
        await asyncio.to_thread(barrier.wait)
        loop = asyncio.get_running_loop()
        began, sent, warm = loop.time(), 0, False
        answers = []
        # An open loop: orders are due by the clock, whatever becomes of those before them.
        while (now := loop.time() - began) < seconds + WARM_S:
            if not warm and now >= WARM_S:
                engine.replica.freshness.lags.clear()
                warm = True
            while sent < now * rate:
                answers.append(engine.submit(next(orders).order))
                sent += 1
            await asyncio.sleep(0.001)
        outcomes = await asyncio.gather(*answers)
        lags = sorted(lag for _, lag in engine.replica.freshness.lags)
        await asyncio.to_thread(barrier.wait)
    return Measured(
        orders=sum(isinstance(outcome, Reserved) for outcome in outcomes),
        reads=len(lags),
        p50_ms=_quantile(lags, 0.5),
        p99_ms=_quantile(lags, 0.99),
        max_ms=lags[-1],
    )


def _quantile(ascending: Sequence[float], share: float) -> float:
    return ascending[min(len(ascending) - 1, int(share * len(ascending)))]


if __name__ == "__main__":
    sys.exit(main())
