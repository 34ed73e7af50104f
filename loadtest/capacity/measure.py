"""Measures one point: load from the generator, and meanwhile looks at processes and /metrics."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Struct

from engine.tasks import end_task
from loadtest.audit.orders import is_acknowledged
from loadtest.capacity.exposed import Metrics, Told
from loadtest.capacity.point import Disk, Point, ProcessUse, SecondSeen
from loadtest.capacity.watch import Watch, Watched
from loadtest.client import Client
from loadtest.load import Recorded, recorded_load
from loadtest.load_plan import LoadPlan
from loadtest.load_result import LoadResult, Second
from loadtest.verdict import WAITING_MAX, failed_share


class Rig(Struct, frozen=True, kw_only=True):
    """What is measured, and what can be seen of it. `watched` is empty where the service is not this machine's own."""

    url: str
    client: Client
    watched: Sequence[Watched] = ()
    store_folder: Path | None = None
    """Of its append-only files."""
    generator_pid: int = 0


class Where(NamedTuple):
    """A point's place in the run."""

    number: int
    at_s: float
    repeat: int
    share: float | None
    orders_per_request: float


class Measured(NamedTuple):
    """A point, and what its orders were told. One that was interrupted is no result; its orders are audited."""

    point: Point
    recorded: Recorded
    interrupted: bool


async def measure(rig: Rig, plan: LoadPlan, where: Where) -> Measured:
    """A point. Whoever cancels this task gets it within a second or so, as far as it came. Raises NoRun."""
    generator = Watched("generator", "generator", rig.generator_pid)
    watch, metrics = Watch([*rig.watched, generator], rig.store_folder), Metrics(rig.client)
    async with _beside(watch.run(), metrics.run()):
        begun_s = asyncio.get_running_loop().time()
        recorded, interrupted = await _until_stopped(plan)
    window = (begun_s + plan.warmup_s, begun_s + plan.seconds)
    processes, others, disk = watch.between(*window)
    told = metrics.between(*window)
    if not rig.watched:
        processes, others = _from_outside(processes, told), None
    orders = sum(int(is_acknowledged(told.entries).sum()) for told in recorded.ledger.orders())
    point = _point(recorded.result, where, orders, processes, others, disk, told)
    return Measured(point, recorded, interrupted)


async def _until_stopped(plan: LoadPlan) -> tuple[Recorded, bool]:
    """The run, and whether it was cut short by a cancellation, which ends with it."""
    stopped = False

    def on_second(_: Second) -> None:
        if stopped:
            raise StopIteration

    work = asyncio.create_task(recorded_load(plan, on_second))
    try:
        return await asyncio.shield(work), False
    except asyncio.CancelledError:
        stopped = True
        if (task := asyncio.current_task()) is not None:
            task.uncancel()
        return await work, True


@contextlib.asynccontextmanager
async def _beside(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Other work for as long as this block lasts."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        await asyncio.gather(*(end_task(task) for task in tasks))


def _from_outside(processes: list[ProcessUse], told: Told) -> list[ProcessUse]:
    if told.cpu_cores is None:
        return processes
    whole = ProcessUse(
        role="service", name="service, all processes", cpu_cores=told.cpu_cores, rss_bytes=told.rss_bytes or 0
    )
    return [whole, *processes]


def _point(
    result: LoadResult,
    where: Where,
    orders: int,
    processes: list[ProcessUse],
    others: float | None,
    disk: Disk | None,
    told: Told,
) -> Point:
    seconds = result.seconds - result.warmup_s
    accepted = result.classes["ok"]
    waits = accepted.from_intended if result.loop == "open" else accepted.from_sent
    due = max(1, result.dropped + sum(result.orders.values()))
    accepted_ever = sum(second.ok for second in result.timeline) * where.orders_per_request
    return Point(
        number=where.number,
        at_s=where.at_s,
        loop=result.loop,
        repeat=where.repeat,
        share=where.share,
        connections=result.connections,
        seconds=seconds,
        requests=accepted.count,
        orders=orders,
        new_share=min(1.0, orders / max(1.0, accepted_ever)),
        requests_per_s=accepted.count / seconds,
        offered_per_s=result.offered / seconds * where.orders_per_request,
        goodput_per_s=result.goodput_per_s,
        p50_ms=waits.p50_ms,
        p90_ms=waits.p90_ms,
        p99_ms=waits.p99_ms,
        p999_ms=waits.p999_ms,
        max_ms=waits.max_ms,
        refused_share=result.orders["refused"] / due,
        overloaded_share=result.orders["overloaded"] / due,
        failed_share=failed_share(result),
        behind=result.waiting_at_end > max(WAITING_MAX * result.offered, result.connections),
        generator_bound=list(result.generator.bound_by),
        processes=processes,
        others_cores=others,
        queue_mean=told.queue_mean,
        queue_max=told.queue_max,
        batch_orders=told.batch_orders,
        commit_ms=told.commit_ms,
        disk=disk,
        timeline=[
            SecondSeen(
                where.at_s + second.second,
                second.offered * where.orders_per_request,
                second.ok * where.orders_per_request,
                second.p99_ms,
            )
            for second in result.timeline
            # The last one may be a part of a second, which is no rate.
            if second.second + 1 <= result.seconds
        ],
    )
