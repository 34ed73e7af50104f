"""Durable single-order intake against the same process answering the same bodies with decode and encode only.

`make bench-http`, or `python -m bench.http_ratio --help`. Drives both routes with wrk (Debian: apt-get install wrk), in
alternation, so that a noisy machine disturbs both alike. With two cores or more the service has one to itself; wrk and
the store share the other.
"""

import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

ORDERS_ROUTE = "/v1/orders"
NOOP_ROUTE = "/bench/noop"
SCRIPT = Path(__file__).with_name("orders.lua")
PAUSE_S = 1.5
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Round:
    """One run of wrk on one route."""

    route: str
    requests_per_second: float
    p50_ms: float
    p99_ms: float
    service_cpu_us: float
    """Microseconds of the service's CPU per request."""
    store_cpu_us: float
    other_answers: int
    """Answers that were neither 200 nor 201, and socket errors: a run with any is not a result."""


def main() -> int:
    """Run the comparison; exit 1 when the ratio is below --target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5, help="of each run")
    parser.add_argument("--connections", type=int, default=256)
    parser.add_argument("--target", type=float, default=0.0, help="least ratio of orders to no-op")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        print("wrk is not on PATH. On Debian: apt-get install wrk", file=sys.stderr)
        return 2
    rounds: list[Round] = []
    with tempfile.TemporaryDirectory(prefix="stockade-bench-") as home, service(Path(home)) as measured:
        urls = {NOOP_ROUTE: measured.bare_url, ORDERS_ROUTE: measured.url}
        for route in (NOOP_ROUTE, ORDERS_ROUTE):
            _run(
                urls[route],
                route,
                measured.pids,
                seconds=2,
                connections=arguments.connections,
                prefix=f"warm{len(route)}",
            )
        for number in range(arguments.rounds):
            for route in (NOOP_ROUTE, ORDERS_ROUTE):
                one = _run(
                    urls[route],
                    route,
                    measured.pids,
                    seconds=arguments.seconds,
                    connections=arguments.connections,
                    prefix=f"r{number}",
                )
                rounds.append(one)
                print(
                    f"round {number + 1} {route:12} {one.requests_per_second:9,.0f}/s"
                    f"  p50 {one.p50_ms:6.2f} ms  p99 {one.p99_ms:6.2f} ms"
                    f"  service {one.service_cpu_us:5.1f} us  store {one.store_cpu_us:5.1f} us"
                    f"{f'  {one.other_answers} other answers' if one.other_answers else ''}",
                    file=sys.stderr,
                )
    return _report(rounds, arguments)


def _report(rounds: list[Round], arguments: argparse.Namespace) -> int:
    def median(route: str, field: str) -> float:
        return float(statistics.median(getattr(one, field) for one in rounds if one.route == route))

    ratio = median(ORDERS_ROUTE, "requests_per_second") / median(NOOP_ROUTE, "requests_per_second")
    bad = sum(one.other_answers for one in rounds)
    fields = ("requests_per_second", "p50_ms", "p99_ms", "service_cpu_us", "store_cpu_us")
    result = {
        "ratio": ratio,
        "connections": arguments.connections,
        "noop": {field: median(NOOP_ROUTE, field) for field in fields},
        "orders": {field: median(ORDERS_ROUTE, field) for field in fields},
        "other_answers": bad,
        "rounds": [asdict(one) for one in rounds],
    }
    if arguments.json:
        print(json.dumps(result, indent=2))
    else:
        print(f"\nmedians of {arguments.rounds} rounds, {arguments.connections} connections")
        print(f"{'':28}{'no-op':>12}{'orders':>12}")
        for field in fields:
            print(f"{field:28}{median(NOOP_ROUTE, field):12,.2f}{median(ORDERS_ROUTE, field):12,.2f}")
        print(f"durable orders / no-op = {ratio:.3f}")
    if bad:
        print(f"{bad} answers were not 200 or 201: this is no result.", file=sys.stderr)
        return 1
    return 1 if ratio < arguments.target else 0


def _run(url: str, route: str, pids: tuple[int, int], *, seconds: int, connections: int, prefix: str) -> Round:
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(SCRIPT), url + route]
    command += ["--", f"{prefix}-{time.time_ns()}"]
    # The connections of the run before must be gone, or their closing is counted here.
    time.sleep(PAUSE_S)
    before = [cpu_s(pid) for pid in pids]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=seconds + 60, preexec_fn=last_core
    )
    used = [cpu_s(pid) - cpu for pid, cpu in zip(pids, before, strict=True)]
    text = done.stdout
    requests = int(_find(r"(\d+) requests in", text))
    socket_errors = sum(map(int, re.findall(r"(?:connect|read|write|timeout) (\d+)", text)))
    return Round(
        route=route,
        requests_per_second=float(_find(r"Requests/sec:\s+([\d.]+)", text)),
        p50_ms=_ms(_find(r"\n\s+50%\s+(\S+)", text)),
        p99_ms=_ms(_find(r"\n\s+99%\s+(\S+)", text)),
        service_cpu_us=used[0] / requests * 1e6,
        store_cpu_us=used[1] / requests * 1e6,
        other_answers=int(_find(r"Non-2xx or 3xx responses: (\d+)", text, "0")) + socket_errors,
    )


def _find(pattern: str, text: str, otherwise: str | None = None) -> str:
    found = re.search(pattern, text)
    if found is None:
        if otherwise is None:
            raise ValueError(f"wrk printed no {pattern}:\n{text}")
        return otherwise
    return found.group(1)


def _ms(text: str) -> float:
    for unit, factor in (("us", 1e-3), ("ms", 1.0), ("s", 1e3)):
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * factor
    raise ValueError(f"not a duration: {text}")


def cpu_s(pid: int) -> float:
    """Processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


def last_core() -> None:
    """Keep to the last core from here on."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[-1:])


@dataclass(frozen=True)
class Service:
    """The service under measurement."""

    url: str
    bare_url: str
    """Of the application beside it that only decodes and encodes."""
    pids: tuple[int, int]
    """The service's own, and the store's."""


@contextmanager
def service(home: Path) -> Iterator[Service]:
    """Start it on a store of its own, and end it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.noop_service", str(home / "store")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline().split()
        if len(line) != 3:
            raise RuntimeError("the service did not start; its message is above")
        yield Service(line[0], line[1], (process.pid, int(line[2])))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


if __name__ == "__main__":
    sys.exit(main())
