"""A service that is offered a share of what it can do, and three times as much: waits, refusals, memory, recovery.

`python -m bench.offered --help`. The peak is a closed loop; then comes a share of it in open loop, where orders come
at random times and have waited since they were due; then several times the peak, for a minute; then a share of it
again, second by second. The service has a core to itself where there are two; its store and the generator share the
other.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bench.http_ratio import PAUSE_S, Service, last_core, service
from bench.load_agreement import BODY, PLACES, ROUTE, SKUS
from bench.pauses import pauses
from loadtest.load import run_load
from loadtest.load_plan import Arrivals, Closed, Kind, LoadPlan, Poisson, Table
from loadtest.load_result import LoadResult, Second

P50_MS_MAX, P99_MS_MAX = 3.0, 15.0
"""Of a share of the peak, from when an order was due."""
P99_TIMES_MAX = 2.0
"""Of orders that are accepted in an overload, from when they were sent, of the same at the peak."""
MEMORY_TIMES_MAX = 1.1
RECOVERED_S = 2
AFTER_S = 5
PAUSES_S = 6.0
WARM_S = 1
"""Before a load is measured: its connections are there, as those of shops that keep theirs."""


@dataclass(frozen=True)
class Run:
    """What one load came to. Waits are of accepted orders."""

    name: str
    offered_per_s: float
    """Of an open loop, what was to be sent; of a closed one, what was."""
    accepted_per_s: float
    turned_away: int
    """Answered with 429 or 503."""
    never_sent: int
    other_ends: int
    """Other answers, or none."""
    p50_ms: float
    p99_ms: float
    sent_p50_ms: float
    """From when it was sent: without the wait for a connection."""
    sent_p99_ms: float
    memory_mib: float
    bound_by: list[str]
    """What of the generator itself limited the run."""
    recovered_s: float | None = None
    """From its start until the second since which all was accepted, of the run after an overload."""


def main() -> int:
    """Run it all; exit 1 when a promise is not kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="of the peak and the share of it, in alternation")
    parser.add_argument("--seconds", type=int, default=6, help="of each closed loop")
    parser.add_argument("--share-seconds", type=int, default=20, help="of each share of it")
    parser.add_argument("--share", type=float, default=0.7, help="of the peak just before")
    parser.add_argument("--times", type=float, default=3.0, help="the peak, in the overload")
    parser.add_argument("--overload-seconds", type=int, default=60)
    parser.add_argument("--connections", type=int, default=256, help="of the peak and its share")
    parser.add_argument("--overload-connections", type=int, default=1_024)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    runs: list[Run] = []
    alone = pauses(PAUSES_S, sorted(os.sched_getaffinity(0)))
    print(alone, file=sys.stderr)

    def did(measured: Service, name: str, arrivals: Arrivals, seconds: int, **others: int) -> LoadResult:
        result = loaded(measured, arrivals, seconds, **{"connections": options.connections, **others})
        runs.append(told(name, result, measured))
        show(runs[-1])
        return result

    for _ in range(options.rounds):
        with fresh_service() as measured:
            peak = did(measured, "peak", Closed(), options.seconds).goodput_per_s
            did(measured, "share", Poisson(options.share * peak), options.share_seconds)
    peak = median(runs, "peak", "accepted_per_s")
    many = options.overload_connections
    with fresh_service() as measured:
        # What the service may be asked at the most without being asked too much: as many connections as come later.
        did(measured, "full", Closed(), options.seconds, connections=many)
        offered = Poisson(options.times * peak)
        did(measured, "overload", offered, options.overload_seconds, connections=many, warm_s=0)
        after = did(measured, "after", Poisson(0.5 * peak), AFTER_S, warm_s=0)
        runs[-1] = replace(runs[-1], recovered_s=recovered_s(after.timeline))
    broken = broken_promises(runs)
    if options.json:
        print(json.dumps({"pauses": asdict(alone), "runs": [asdict(run) for run in runs], "broken": broken}, indent=2))
    else:
        for field in ("accepted_per_s", "p50_ms", "p99_ms"):
            print(f"{field:16} medians: peak {median(runs, 'peak', field):10,.1f}", end="")
            print(f"  share of it {median(runs, 'share', field):10,.1f}")
    for one in broken:
        print(one, file=sys.stderr)
    return 1 if broken else 0


@contextmanager
def fresh_service() -> Iterator[Service]:
    """One on an empty store, so that no run has to do with the file of the runs before it; keeps to the last core."""
    cores = os.sched_getaffinity(0)
    try:
        with tempfile.TemporaryDirectory(prefix="stockade-bench-") as home, service(Path(home)) as measured:
            last_core()
            yield measured
    finally:
        os.sched_setaffinity(0, cores)


def median(runs: list[Run], name: str, field: str) -> float:
    """Of all runs of a load."""
    return float(statistics.median(getattr(run, field) for run in runs if run.name == name))


def broken_promises(runs: list[Run]) -> list[str]:
    """What is not as it is to be, in words."""
    (full,) = (run for run in runs if run.name == "full")
    (overload,) = (run for run in runs if run.name == "overload")
    (after,) = (run for run in runs if run.name == "after")
    idle = next(run for run in runs if run.name == "share")
    broken = []
    for field, most in (("p50_ms", P50_MS_MAX), ("p99_ms", P99_MS_MAX)):
        if (value := median(runs, "share", field)) > most:
            broken.append(f"share of the peak: {field} {value:.1f}, at most {most:g} is promised")
    if overload.sent_p99_ms > P99_TIMES_MAX * full.sent_p99_ms:
        broken.append(
            f"overload: p99 of accepted orders {overload.sent_p99_ms:.1f} ms,"
            f" beyond {P99_TIMES_MAX:g} times the {full.sent_p99_ms:.1f} ms of a closed loop of as many connections"
        )
    if odd := sum(run.other_ends for run in runs):
        broken.append(f"{odd} requests ended neither accepted nor turned away")
    if overload.memory_mib > MEMORY_TIMES_MAX * idle.memory_mib:
        broken.append(f"memory rose from {idle.memory_mib:.0f} to {overload.memory_mib:.0f} MiB")
    if after.recovered_s is None or after.recovered_s > RECOVERED_S:
        broken.append(f"not recovered within {RECOVERED_S} s")
    return broken


def recovered_s(timeline: Sequence[Second]) -> float | None:
    """When the first second began since which everything was accepted; None: not in the last one."""
    since: float | None = None
    for one in timeline:
        bad = one.refused + one.overloaded + one.other + one.failed + one.dropped
        if bad:
            since = None
        elif since is None:
            since = float(one.second)
    return since


def show(run: Run) -> None:
    """One line."""
    print(
        f"{run.name:9} {run.offered_per_s:8,.0f}/s offered {run.accepted_per_s:8,.0f}/s accepted"
        f"  p50 {run.p50_ms:7.2f} p99 {run.p99_ms:8.2f} ms, from the send {run.sent_p50_ms:7.2f} {run.sent_p99_ms:8.2f}"
        f"  {run.turned_away:9,} turned away {run.never_sent:9,} never sent {run.other_ends} other"
        f"  {run.memory_mib:5.0f} MiB  {'bound by ' + ', '.join(run.bound_by) if run.bound_by else ''}",
        file=sys.stderr,
    )


def loaded(measured: Service, arrivals: Arrivals, seconds: int, connections: int, warm_s: int = WARM_S) -> LoadResult:
    """Orders of two lines, on sample stock that does not end."""
    time.sleep(PAUSE_S)
    return run_load(
        LoadPlan(
            url=measured.url,
            arrivals=arrivals,
            seconds=warm_s + seconds,
            warmup_s=warm_s,
            connections=connections,
            id_prefix=f"o-{time.time_ns()}",
            kinds=[Kind(name="order", path=ROUTE, body=BODY)],
            tables={
                "sku": Table(SKUS, distinct=True),
                "place": Table([f'{{"lat":{lat},"lon":{lon},"country":"CN"}}' for lat, lon in PLACES], raw=True),
            },
        )
    )


def told(name: str, result: LoadResult, measured: Service) -> Run:
    """The run, in short."""
    taken, away = result.classes["ok"], result.statuses.get(503, 0) + result.statuses.get(429, 0)
    return Run(
        name=name,
        offered_per_s=result.offered / (result.seconds - result.warmup_s),
        accepted_per_s=result.goodput_per_s,
        turned_away=away,
        never_sent=result.dropped,
        other_ends=result.offered - taken.count - away - result.dropped,
        p50_ms=taken.from_intended.p50_ms,
        p99_ms=taken.from_intended.p99_ms,
        sent_p50_ms=taken.from_sent.p50_ms,
        sent_p99_ms=taken.from_sent.p99_ms,
        memory_mib=memory_mib(measured.pids[0]),
        bound_by=result.generator.bound_by,
    )


def memory_mib(pid: int) -> float:
    """Resident memory of a process."""
    (line,) = (one for one in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines() if one.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    sys.exit(main())
