"""Whether the load generator tells what another tool tells: against wrk on the same service at equal load.

`python -m bench.load_agreement --help`. Both drive the service with the same number of connections in a closed loop, in
alternation; what wrk adds to its waits after a run is added to the generator's before p99 is compared. Then the service
is stopped for a second in mid-run: by the generator's closed loop that is one slow request a connection, at a fixed
rate whoever was due has waited. Needs wrk.
"""

import argparse
import json
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.agreement import corrected_ms, disagreements
from bench.http_ratio import PAUSE_S, SCRIPT, Service, last_core, service
from bench.wrk import Wrk, run_wrk
from loadtest.load import run_load
from loadtest.load_plan import Arrivals, Closed, Constant, Kind, LoadPlan, Table

ROUTE = "/v1/orders"
STALL_S = 1.0
STALL_RUN_S = 8
STALL_CONNECTIONS = 8
"""Of the closed loop: so few that one slow request each is far less than a hundredth of all."""
BODY = (
    '{"order_id":"${id}","channel":"app","customer":"c-${number:50000}","ship_to":${place},"lines":['
    '{"sku":"${sku}","quantity":1,"unit_price":19900},{"sku":"${sku}","quantity":2,"unit_price":4900}],"payment":"paid"}'
)
SKUS = ["PHN-256", "EAR-PRO", "MSK-20", "BJ-500", "SNK-RUN", "DIA-L60", "AFR-5L", "DWN-MEN", "PWB-20K", "LAU-52"]
PLACES = ((31.22222, 121.45806), (39.9075, 116.39723), (23.11667, 113.25), (30.66667, 104.06667), (43.80096, 87.60046))


@dataclass(frozen=True)
class Run:
    """What one tool told of one run."""

    tool: str
    requests_per_second: float
    p50_ms: float
    p99_ms: float
    p99_as_wrk_ms: float | None
    """With what wrk adds, of a closed loop."""
    cpu_us: float
    """Microseconds of the tool's CPU per request."""
    other_answers: int
    """Neither 200, 201 nor 503; of wrk, all but the first two."""
    turned_away: int = 0
    """Answered with 503."""
    generator_bound: bool = False
    late: int = 0


def main() -> int:
    """Run the comparison; exit 1 when rate, p50 or p99 differ by more than their target, or the stall is not told."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5, help="of each run")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--delay-ms", type=float, help="drive a server that does nothing but wait so long, instead")
    parser.add_argument("--open-share", type=float, default=0.5, help="the fixed rate, of what wrk reached")
    parser.add_argument("--target", type=float, default=0.1, help="the greatest difference of medians, rate and p50")
    parser.add_argument("--p99-target", type=float, default=0.2, help="the same of p99")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        print("wrk is not on PATH. On Debian: apt-get install wrk", file=sys.stderr)
        return 2
    runs: list[Run] = []
    with (
        tempfile.TemporaryDirectory(prefix="stockade-bench-") as home,
        serving(Path(home), options.delay_ms) as measured,
    ):
        last_core()
        tools: tuple[Callable[[], Run], ...] = (
            lambda: by_wrk(measured, options.seconds, options.connections),
            lambda: by_generator(measured, Closed(), options.seconds, options.connections),
        )
        for tool in tools:
            tool()
        for number in range(options.rounds):
            for tool in tools[:: 1 if number % 2 else -1]:
                runs.append(tool())
                show(runs[-1])
        rate = options.open_share * median(runs, "wrk", "requests_per_second")
        runs.append(by_generator(measured, Constant(round(rate)), options.seconds, options.connections))
        show(runs[-1])
        stalled = []
        # The fixed rate needs as many connections as it was taken from.
        for arrivals, connections in ((Closed(), STALL_CONNECTIONS), (Constant(round(rate)), options.connections)):
            with stopped(measured.pids[0], after_s=PAUSE_S + STALL_RUN_S / 2):
                stalled.append(by_generator(measured, arrivals, STALL_RUN_S, connections))
            show(stalled[-1], f"stopped for {STALL_S:g} s")
    differences = {
        field: median(runs, "generator, closed", field) / median(runs, "wrk", field) - 1
        for field in ("requests_per_second", "p50_ms", "p99_as_wrk_ms")
    }
    if options.json:
        told = {"differences": differences, "runs": [asdict(run) for run in runs + stalled]}
        print(json.dumps(told, indent=2))
    else:
        for field, difference in differences.items():
            print(f"{field:24} generator against wrk, medians: {difference:+.1%}")
        print(f"p99 with the service stopped for {STALL_S:g} s: closed loop {stalled[0].p99_ms:,.1f} ms, ", end="")
        print(f"at a fixed rate {stalled[1].p99_ms:,.1f} ms, {stalled[1].turned_away:,} turned away")
    # Who comes on time while the service is stopped may have waited too long when it goes on: that is its overload.
    odd = sum(run.other_answers + run.turned_away for run in [*runs, stalled[0]]) + stalled[1].other_answers
    if odd:
        print(f"{odd} answers were not 200 or 201: this is no result.", file=sys.stderr)
    targets = {"requests_per_second": options.target, "p50_ms": options.target, "p99_as_wrk_ms": options.p99_target}
    for one in (apart := disagreements(differences, targets)):
        print(one, file=sys.stderr)
    return 0 if not apart and not odd and stalled[1].p99_ms > 0.5 * STALL_S * 1_000 else 1


def median(runs: list[Run], tool: str, field: str) -> float:
    """Of all runs of a tool."""
    return float(statistics.median(getattr(run, field) for run in runs if run.tool == tool))


def show(run: Run, more: str = "") -> None:
    """One line."""
    print(
        f"{run.tool:18} {run.requests_per_second:9,.0f}/s  p50 {run.p50_ms:7.2f} ms  p99 {run.p99_ms:8.2f} ms"
        f"  own CPU {run.cpu_us:5.1f} us  {run.late:6,} late"
        f"{'  generator-bound' if run.generator_bound else ''}  {more}",
        file=sys.stderr,
    )


def by_wrk(measured: Service, seconds: int, connections: int) -> Run:
    """A closed loop of wrk."""
    time.sleep(PAUSE_S)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    found: Wrk = run_wrk(measured.url + ROUTE, SCRIPT, f"w-{time.time_ns()}", seconds=seconds, connections=connections)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(
        tool="wrk",
        requests_per_second=found.requests_per_second,
        p50_ms=found.p50_ms,
        p99_ms=found.p99_ms,
        p99_as_wrk_ms=found.p99_ms,
        cpu_us=cpu_s / max(1, found.requests) * 1e6,
        other_answers=found.other_answers,
    )


def by_generator(measured: Service, arrivals: Arrivals, seconds: int, connections: int) -> Run:
    """The same by the generator: of a closed loop waits from the send, as wrk tells them, else from when due."""
    time.sleep(PAUSE_S)
    result = run_load(
        LoadPlan(
            url=measured.url,
            arrivals=arrivals,
            seconds=seconds,
            connections=connections,
            id_prefix=f"g-{time.time_ns()}",
            kinds=[Kind(name="order", path=ROUTE, body=BODY)],
            tables={
                "sku": Table(SKUS, distinct=True),
                "place": Table([f'{{"lat":{lat},"lon":{lon},"country":"CN"}}' for lat, lon in PLACES], raw=True),
            },
        )
    )
    closed = result.loop == "closed"
    waits = result.from_sent if closed else result.from_intended
    interval_ms = result.seconds * 1_000 * connections / max(1, result.classes["ok"].count)
    return Run(
        tool="generator, closed" if closed else "generator, open",
        requests_per_second=result.goodput_per_s,
        p50_ms=waits.p50_ms,
        p99_ms=waits.p99_ms,
        # A closed loop's requests are due when they are sent.
        p99_as_wrk_ms=corrected_ms(result.curve, 0.99, interval_ms) if closed else None,
        cpu_us=result.generator.cpu_us_per_request,
        other_answers=result.offered - result.classes["ok"].count - result.statuses.get(503, 0),
        turned_away=result.statuses.get(503, 0),
        generator_bound=result.generator_bound,
        late=result.late_generator + result.late_connection,
    )


@contextmanager
def serving(home: Path, delay_ms: float | None) -> Iterator[Service]:
    """What is driven: the service on a store of its own, or a server of a fixed delay."""
    if delay_ms is None:
        with service(home) as measured:
            yield measured
        return
    command = [sys.executable, "-m", "bench.delayed_service", str(delay_ms)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        yield Service(url, url, (process.pid, process.pid))
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait(30)


@contextmanager
def stopped(pid: int, *, after_s: float) -> Iterator[None]:
    """The process is stopped for STALL_S, after so many seconds of this block."""

    def stall() -> None:
        os.kill(pid, signal.SIGSTOP)
        time.sleep(STALL_S)
        os.kill(pid, signal.SIGCONT)

    timer = threading.Timer(after_s, stall)
    timer.start()
    yield
    timer.join()


if __name__ == "__main__":
    sys.exit(main())
