"""Reads what stands in this process: its engine, its connections, its memory."""

import os
import resource
from typing import TYPE_CHECKING

from api.metrics.counts import Counts
from api.metrics.snapshot import Histogram, Snapshot, exact
from engine import Engine, State
from engine.intake.spread import Spread

if TYPE_CHECKING:
    from api.http.fast import Door

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def snapshot_of(counts: Counts, engine: Engine, door: "Door | None", *, draining: bool) -> Snapshot:
    """This worker's numbers, as far as they can be had without asking the store."""
    status, stages, usage = engine.status, engine.intake.stages, resource.getrusage(resource.RUSAGE_SELF)
    singles = engine.intake.queued_singles
    counters = {
        "stockade_batches": engine.intake.batches,
        "stockade_replans": engine.intake.replans,
        "stockade_abandoned_orders": engine.intake.abandoned,
        "stockade_lost_orders": status.lost_orders,
        "stockade_cpu_seconds": exact(usage.ru_utime + usage.ru_stime),
    }
    gauges = {
        "stockade_ready": status.state is State.READY and not draining,
        "stockade_workers_wanted": engine.settings.workers,
        "stockade_queue_orders": singles,
        "stockade_queue_orders_max": engine.intake.patience.limit,
        "stockade_queue_bulk_orders": status.queued - singles,
        "stockade_queue_wait_seconds": engine.intake.wait_s,
        "stockade_queue_standing": engine.intake.patience.standing,
        "stockade_view_lag_seconds": status.view_lag_ms / 1000,
        "stockade_view_events_behind": status.events_behind,
        "stockade_policies_error": status.policies_error is not None,
        "stockade_cells": status.cells,
        "stockade_skus": status.skus,
        "stockade_warehouses": status.warehouses,
        "stockade_resident_memory_bytes": _resident_bytes(),
    }
    prices = None if engine.prices is None else engine.prices.status
    counters["stockade_price_refreshes"] = prices.refreshes if prices else 0
    counters["stockade_price_failures"] = prices.failures if prices else 0
    gauges["stockade_price_age_seconds"] = (prices.age_s or 0.0) if prices else 0.0
    gauges["stockade_price_solve_seconds"] = prices.took_s if prices else 0.0
    gauges["stockade_priced_cells"] = prices.cells if prices else 0
    turned_away: dict[str, int] = dict(engine.intake.patience.turned_away.items())
    turned_away["quote"] = engine.quote_looks.turned_away
    if door is not None:
        turned_away["rate-limited"] = door.gate.limiter.refused
        counters["stockade_connections_refused"] = door.refused
        counters["stockade_connections_timed_out"] = door.timed_out
        gauges["stockade_connections"] = door.connections
        gauges["stockade_connections_max"] = engine.settings.connections_max
    return Snapshot(
        requests=[(series, [*row[:-1], exact(row[-1])]) for series, row in counts.requests.items()],
        orders=[(via, outcome, count) for (via, outcome), count in counts.orders.items()],
        counters={name: float(value) for name, value in counters.items()},
        turned_away={reason: float(count) for reason, count in turned_away.items()},
        histograms={
            "stockade_batch_orders": _histogram(stages.orders),
            "stockade_batch_plan_seconds": _histogram(stages.plan_s),
            "stockade_batch_commit_seconds": _histogram(stages.commit_s),
        },
        gauges={name: float(value) for name, value in gauges.items()},
    )


def _histogram(spread: Spread) -> Histogram:
    return Histogram(tuple(spread.bounds), [float(count) for count in spread.counts], exact(spread.total))


def _resident_bytes() -> int:
    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[1]) * _PAGE_BYTES
