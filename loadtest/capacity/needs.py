"""What a peak needs of processors, partitions, memory and disk, by what an order took; what a restart costs. Pure."""

import math
from collections.abc import Sequence

from loadtest.capacity.answer import Answer, Wanted, far, mark, unknown
from loadtest.capacity.point import Point, Role
from loadtest.capacity.result import CapacityResult
from loadtest.capacity.spread import median

STORE_CORES_MAX = 0.7
"""Of a processor, for one partition's store: it does its commands one after the other, and a queue needs room."""
MILLION = 1_000_000


def per_order(points: Sequence[Point], roles: tuple[Role, ...]) -> float | None:
    """Seconds of processor time."""
    took = [
        sum(one.cpu_cores for one in point.processes if one.role in roles) / point.goodput_per_s
        for point in points
        if any(one.role in roles for one in point.processes)
    ]
    return median(took) if took else None


def processors(points: Sequence[Point], roles: tuple[Role, ...], what: str, needed: float) -> Answer:
    each = per_order(points, roles)
    if each is None:
        return unknown(what, "processors", "the processor time of these processes was not seen")
    load = median([point.goodput_per_s for point in points])
    how = f"{each * 1e6:,.0f} µs an order, as at {load:,.0f} a second"
    return Answer(what=what, value=needed * each, unit="processors", **mark(needed, load), how=how)


def partitions(points: Sequence[Point], needed: float) -> Answer:
    what = "partitions of the store"
    each = per_order(points, ("store",))
    if each is None:
        return unknown(what, "", "the store's processor time was not seen")
    load = median([point.goodput_per_s for point in points])
    count = max(1, math.ceil(needed * each / STORE_CORES_MAX))
    how = (
        f"the store took {each * 1e6:,.0f} µs an order at {load:,.0f} a second; each partition on a server of its own,"
        f" at {STORE_CORES_MAX:.0%} of a processor; orders that span partitions take more, which was not measured"
    )
    marked = mark(needed, load)
    if count > 1:
        # Only one was there.
        marked = mark(max(needed, load * 1.01), load)
    return Answer(what=what, value=count, unit="", **marked, how=how)


def memory(result: CapacityResult, wanted: Wanted, processes: int | None) -> list[Answer]:
    growth = result.growth
    cost = None if growth is None else growth.cells
    million = 0.0 if wanted.cells is None else wanted.cells / MILLION
    cells_more = {"service": 0.0, "store": 0.0}
    marks = []
    if wanted.cells is not None and cost is not None:
        marks.append(wanted.cells / cost.cells)
        cells_more["service"] = (cost.service_bytes or 0) / cost.cells * wanted.cells
        cells_more["store"] = (cost.store_bytes or 0) / cost.cells * wanted.cells
    lacks_cells = wanted.cells is not None and cost is None
    each, all_, store = "memory of a process", "memory of all processes", "memory of the store"
    if growth is None or growth.service_bytes is None or lacks_cells:
        answers = [unknown(each, "bytes", "it was not seen")]
    else:
        how = f"{_mb(growth.service_bytes)} at the end of the run"
        how += f", and {_mb(cells_more['service'])} for {million:,.2g} million cells" if million else ""
        value = growth.service_bytes + cells_more["service"]
        answers = [Answer(what=each, value=value, unit="bytes", **far(marks), how=how)]
        if processes is not None:
            # One of the service that had the fewest was looked at.
            marked = far([*marks, processes / min(session.workers for session in result.sessions)])
            answers.append(
                Answer(what=all_, value=value * processes, unit="bytes", **marked, how=f"{processes} of these")
            )
    if growth is None or growth.store_bytes is None or growth.store_bytes_per_order is None or lacks_cells:
        answers.append(unknown(store, "bytes", "it was not seen, or too few orders were kept to tell what one takes"))
        return answers
    more = max(0.0, wanted.orders_kept - growth.orders)
    value = growth.store_bytes + more * growth.store_bytes_per_order + cells_more["store"]
    how = (
        f"{_mb(growth.store_bytes)} with {growth.orders:,} orders, {growth.store_bytes_per_order:,.0f} bytes for each"
        f" of {wanted.orders_kept:,.0f} kept"
    )
    marked = far([*marks, wanted.orders_kept / max(1, growth.orders)])
    return [*answers, Answer(what=store, value=value, unit="bytes", **marked, how=how)]


def disk(result: CapacityResult, points: Sequence[Point], wanted: Wanted) -> list[Answer]:
    rate_what, size_what = "disk, written a second", "disk, append-only files"
    written = [
        point.disk.written_bytes / orders
        for point in points
        if point.disk is not None and point.disk.written_bytes and (orders := point.orders_on_disk)
    ]
    each = None if result.growth is None else result.growth.file_bytes_per_order
    if written or each is not None:
        load = median([point.goodput_per_s for point in points]) if points else 0.0
        per_order = median(written) if written else each or 0.0
        what = "whole pages, as the system counts" if written else "of the files alone: the system does not count pages"
        how = f"{per_order:,.0f} bytes an order at {load:,.0f} a second, {what}"
        needed = wanted.needed_per_s
        rate = Answer(what=rate_what, value=needed * per_order, unit="bytes/s", **mark(needed, load), how=how)
    else:
        rate = unknown(rate_what, "bytes/s", "the store's disk was not seen")
    if each is None or result.growth is None:
        return [rate, unknown(size_what, "bytes", "the store's files were not seen")]
    how = f"{each:,.0f} bytes for each of {wanted.orders_kept:,.0f} orders; twice that while they are rewritten"
    marked = far([wanted.orders_kept / max(1, result.growth.orders)])
    return [rate, Answer(what=size_what, value=each * wanted.orders_kept, unit="bytes", **marked, how=how)]


def fail_over(result: CapacityResult, wanted: Wanted) -> list[Answer]:
    what, told = "a store that is killed is missed for", "orders that come meanwhile"
    replica = unknown(
        "a replica that takes over is missed for", "s", "there was none: try store-failover of the load test"
    )
    if result.restart is None:
        return [unknown(what, "s", "no store was killed"), replica]
    restart = result.restart
    times = wanted.orders_kept / max(1, restart.orders)
    seconds = restart.seconds * max(1.0, times)
    how = f"it took {restart.seconds:.2f} s with {restart.orders:,} orders to load, as if all of that grew with them"
    late = f"at {wanted.peak_per_s:,.0f} a second; what does not fit into the wait is told to come again (503)"
    marked = far([times])
    return [
        Answer(what=what, value=seconds, unit="s", **marked, how=how),
        Answer(what=told, value=seconds * wanted.peak_per_s, unit="orders", **marked, how=late),
        replica,
    ]


def _mb(size: float) -> str:
    return f"{size / 1e6:,.0f} MB"
