"""Makes results of known curves, for tests: points of a service that is what its numbers say."""

import msgspec

from loadtest.audit.finding import RunAudit
from loadtest.capacity.knee import knee_of
from loadtest.capacity.point import Disk, Point, ProcessUse, SecondSeen
from loadtest.capacity.ramp import peak_of
from loadtest.capacity.result import (
    FORMAT,
    VERSION,
    Asked,
    CapacityResult,
    CellsCost,
    Growth,
    Machine,
    Restart,
    Session,
)
from loadtest.capacity.scaling import fit_of

LOADS = (0.25, 0.55, 0.8, 1.0, 1.2)
SERVICE_US, STORE_US = 200.0, 80.0
SECONDS = 4.0


def point(
    *,
    offered: float,
    p99_ms: float,
    share: float | None = 0.5,
    repeat: int = 0,
    number: int = 0,
    goodput: float | None = None,
    **more: object,
) -> Point:
    """One of the sweep; without a `share` one of the ramp."""
    accepted = offered if goodput is None else goodput
    base = Point(
        number=number,
        at_s=number * (SECONDS + 1),
        loop="open" if share is not None else "closed",
        repeat=repeat,
        share=share,
        connections=64,
        seconds=SECONDS,
        requests=int(accepted * SECONDS),
        orders=int(accepted * (SECONDS + 1)),
        requests_per_s=accepted,
        offered_per_s=offered,
        goodput_per_s=accepted,
        p50_ms=p99_ms / 3,
        p90_ms=p99_ms / 2,
        p99_ms=p99_ms,
        p999_ms=p99_ms * 2,
        max_ms=p99_ms * 3,
        refused_share=0.0,
        overloaded_share=0.0,
        failed_share=0.0,
        behind=False,
        generator_bound=[],
        processes=[
            ProcessUse(role="service", name="service", cpu_cores=accepted * SERVICE_US / 1e6, rss_bytes=100_000_000),
            ProcessUse(role="store", name="store", cpu_cores=accepted * STORE_US / 1e6, rss_bytes=50_000_000 + number),
            ProcessUse(role="generator", name="generator", cpu_cores=0.2, rss_bytes=60_000_000),
        ],
        others_cores=0.05,
        queue_mean=3.0,
        queue_max=9.0,
        batch_orders=12.5,
        commit_ms=1.25,
        disk=Disk(
            file_bytes_before=1_000_000,
            file_bytes_after=1_000_000 + int(400 * accepted * SECONDS),
            written_bytes=int(1_000 * accepted * SECONDS),
        ),
        timeline=[SecondSeen(number * (SECONDS + 1) + at, offered, accepted, p99_ms) for at in range(int(SECONDS))],
    )
    return msgspec.structs.replace(base, **more)


def session(workers: int, peak: float, *, repeats: int = 3, p99_ms: float = 50.0, noise: float = 0.01) -> Session:
    """A service whose p99 is 10 ms at no load and rises as queues do, and which turns away what is beyond its peak."""
    ramp = [point(offered=peak * part, p99_ms=5.0, share=None, repeat=0) for part in (0.5, 0.9)]
    ramp += [
        point(offered=peak * (1 + noise * at), p99_ms=8.0, share=None, repeat=at, connections=128)
        for at in range(repeats)
    ]
    sweep = []
    for repeat in range(repeats):
        for load in LOADS:
            wobble = 1 + noise * (repeat - 1)
            waits = 10.0 / max(0.02, 1 - load) * wobble
            away = max(0.0, 1 - 1 / load)
            number = len(ramp) + len(sweep)
            sweep.append(
                point(
                    offered=peak * load,
                    p99_ms=waits,
                    share=load,
                    repeat=repeat,
                    number=number,
                    goodput=min(load, 1.0) * peak,
                    overloaded_share=away,
                )
            )
    return Session(
        workers=workers,
        ramp=ramp,
        sweep=sweep,
        peak=peak_of(ramp, 1),
        knee=knee_of(sweep, p99_ms, 1),
        audit=RunAudit(acknowledged=1_000, read=1_000, cells=10, store=True),
    )


def result(*sessions: Session, **more: object) -> CapacityResult:
    """A run of these."""
    machine = Machine(
        cpu_model="Test 9000",
        cores=8,
        memory_bytes=2**34,
        kernel="Linux 6.1 x86_64",
        python="3.11.7",
        stockade="0.1.0",
        store="valkey 9.1",
        durable="always",
        service="own",
    )
    made = CapacityResult(
        format=FORMAT,
        version=VERSION,
        started_at="2026-11-22T10:00:00+00:00",
        seconds=300.0,
        command="stockade capacity run --minutes 10",
        asked=Asked(
            minutes=10,
            workers=[one.workers for one in sessions] or [1],
            loads=list(LOADS),
            repeats=3,
            p99_ms=50.0,
            connections=256,
            threads=1,
            scenario="canonical",
            seed=1,
        ),
        machine=machine,
        load="canonical: 300 SKUs.",
        incomplete=None,
        sessions=list(sessions),
        fit=fit_of(sessions, 1, machine),
        growth=Growth(
            orders=100_000,
            store_bytes_per_order=600.0,
            file_bytes_per_order=400.0,
            service_bytes=120_000_000,
            store_bytes=90_000_000,
            cells=CellsCost(cells=100_000, service_bytes=8_000_000, store_bytes=20_000_000, file_bytes=6_000_000),
        ),
        restart=Restart(seconds=1.5, orders=100_000, file_bytes=40_000_000),
        notes=[],
    )
    return msgspec.structs.replace(made, **more)
