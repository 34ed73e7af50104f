"""Durable bulk intake over HTTP, beside the same process only decoding the same lines; and where an order's time goes.

`python -m bench.bulk_intake --help`. The service has one core to itself; the store and the client share the other.
"""

import argparse
import asyncio
import json
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec

from bench.http_ratio import cpu_s, last_core, service
from bench.network import make_orders, open_filled
from engine.planner import CoreLot
from engine.store.wire import Wire

T = TypeVar("T")

ORDERS_ROUTE = "/v1/orders:bulk"
NOOP_ROUTE = "/bench/bulk-noop"
RESERVED = b'"outcome":"reserved"'
PIECE_BYTES = 256 * 1024
WAIT_S = 60


class Round(msgspec.Struct, frozen=True):
    """One body to one route."""

    route: str
    orders_per_second: float
    service_cpu_us: float
    store_cpu_us: float
    others: int
    """Lines that were not reserved: a round with any is no result."""


class Stage(msgspec.Struct, frozen=True):
    """What one stage costs an order, in microseconds of one core."""

    name: str
    cpu_us: float


def body_of(orders: int, prefix: str) -> bytes:
    """Lines of two-line orders with ids of their own."""
    encode = msgspec.json.Encoder().encode
    return b"".join(
        encode(msgspec.structs.replace(order, order_id=f"{prefix}-{order.order_id}")) + b"\n"
        for order in make_orders(orders)
    )


def run_round(url: str, route: str, pids: tuple[int, int], bodies: list[bytes], orders: int) -> Round:
    """Send bodies over as many connections at once; until the last line of the answers."""
    before = [cpu_s(pid) for pid in pids]
    counts = [0] * len(bodies)

    def one(place: int) -> None:
        counts[place] = _exchange(url, route, bodies[place])

    threads = [threading.Thread(target=one, args=(place,)) for place in range(len(bodies))]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - start
    service_us, store_us = ((cpu_s(pid) - was) / orders * 1e6 for pid, was in zip(pids, before, strict=True))
    return Round(route, orders / seconds, service_us, store_us, orders - sum(counts))


def _exchange(url: str, route: str, body: bytes) -> int:
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=WAIT_S) as connection:
        head = f"POST {route} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/x-ndjson\r\n"
        head += f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode())
        sender = threading.Thread(target=connection.sendall, args=(body,))
        sender.start()
        found, tail = 0, b""
        while data := connection.recv(PIECE_BYTES):
            # A word that is cut in two is found with the tail of what came before.
            text = tail + data
            found += text.count(RESERVED)
            tail = text[-len(RESERVED) + 1 :]
        sender.join()
    return found


async def measure_stages(size: int, rounds: int) -> list[Stage]:
    """The stages of one batch after the other, in this process: medians of processor time."""
    seen: dict[str, list[float]] = {}

    def timed(name: str, work: Callable[[], T]) -> T:
        start = time.process_time()
        value = work()
        seen.setdefault(name, []).append((time.process_time() - start) / size * 1e6)
        return value

    with tempfile.TemporaryDirectory(prefix="stockade-bench-") as folder:
        async with open_filled(Path(folder) / "store") as engine:
            core, partition = engine.planner.core, engine.store.partitions[0]
            wire = engine.store.wire
            for number in range(rounds):
                lines = body_of(size, f"s{number}")
                lot = timed("decode", partial(CoreLot, lines, 1))
                assert not lot.declined(), "common orders are read in one go"
                share = [(lot, 0, size)]
                batch, decided = timed("plan", partial(core.plan, [], None, None, None, share))
                assert not decided, "every order must be planned"
                args = timed("pack", partial(batch.commit_args, 0, 1_700_000_000_000))
                was, start = await _store_cpu_s(wire), time.process_time()
                reply = await partition.orders.commit(args)
                seen.setdefault("send and receive", []).append((time.process_time() - start) / size * 1e6)
                seen.setdefault("store", []).append((await _store_cpu_s(wire) - was) / size * 1e6)
                row = (0, reply.now_ms, reply.event, reply.outcomes, reply.levels, reply.records)
                timed("encode", partial(core.settle, batch, [row], 0, share))
                timed("join", partial(lot.answers, []))
    return [Stage(name, statistics.median(values)) for name, values in seen.items()]


async def _store_cpu_s(wire: Wire) -> float:
    info: dict[str, float] = await wire.command("INFO", "cpu")
    return info["used_cpu_user"] + info["used_cpu_sys"]


def main() -> int:
    """Measure and print; exit 1 when fewer than --target orders a second are accepted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=200_000, help="of each round")
    parser.add_argument("--connections", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=2_000, help="orders a batch, of the stages")
    parser.add_argument("--target", type=float, default=0.0, help="least accepted orders a second")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    stages = asyncio.run(measure_stages(options.batch, 30))
    rounds: list[Round] = []
    with tempfile.TemporaryDirectory(prefix="stockade-bench-") as home, service(Path(home)) as measured:
        urls = {NOOP_ROUTE: measured.bare_url, ORDERS_ROUTE: measured.url}
        last_core()
        for number in range(options.rounds):
            each = options.orders // options.connections
            bodies = [body_of(each, f"r{number}-{one}") for one in range(options.connections)]
            for route in (NOOP_ROUTE, ORDERS_ROUTE):
                one = run_round(urls[route], route, measured.pids, bodies, each * options.connections)
                rounds.append(one)
                odd = f"  {one.others} others" if one.others else ""
                cpu = f"service {one.service_cpu_us:5.2f} us  store {one.store_cpu_us:5.2f} us"
                print(
                    f"round {number + 1} {route:16} {one.orders_per_second:10,.0f}/s  {cpu}{odd}",
                    file=sys.stderr,
                )
    return report(stages, rounds, options)


def report(stages: list[Stage], rounds: list[Round], options: argparse.Namespace) -> int:
    """Print medians; the exit code."""

    def median(route: str) -> float:
        return statistics.median(one.orders_per_second for one in rounds if one.route == route)

    accepted, limit = median(ORDERS_ROUTE), median(NOOP_ROUTE)
    others = sum(one.others for one in rounds)
    if options.json:
        result = {"orders_per_second": accepted, "decode_only": limit, "others": others}
        print(json.dumps(result | {"stages": msgspec.to_builtins(stages), "rounds": msgspec.to_builtins(rounds)}))
    else:
        for stage in stages:
            print(f"{stage.name:20} {stage.cpu_us:6.2f} us an order")
        print(f"accepted and durable {accepted:10,.0f} orders/s; decode only {limit:10,.0f}; {accepted / limit:.2f}")
    if others:
        print(f"{others} lines were not reserved: this is no result.", file=sys.stderr)
        return 1
    return 1 if accepted < options.target else 0


if __name__ == "__main__":
    sys.exit(main())
