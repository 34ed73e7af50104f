"""What is measured once, beside load: how long a killed store is missed, what cells cost, how the store grows."""

import asyncio
from collections.abc import Sequence

import aiohttp
import numpy as np

from loadtest.capacity.measure import Rig
from loadtest.capacity.point import Point, ProcessUse
from loadtest.capacity.result import CellsCost, Growth, Restart
from loadtest.capacity.site import Site
from loadtest.capacity.spread import median
from loadtest.capacity.watch import file_bytes, used_by
from loadtest.capacity.workload import Workload
from loadtest.client import UnexpectedAnswer
from loadtest.scenarios.document import Catalogue
from loadtest.scenarios.goods import put_goods

RESTART_S_MAX = 120.0
ASK_PAUSE_S = 0.02
SETTLE_S = 1.2
"""Until workers have followed what was put through one of them, and metrics were told."""
CELLS, CELLS_SHORT = (200, 500), (40, 250)
"""Warehouses and SKUs, each SKU at each warehouse; of a run of a minute or less."""
ORDERS_TOLD_MIN = 1_000
"""Of fewer orders growth is noise."""


async def restart_store(site: Site, workload: Workload, *, orders: int) -> Restart | None:
    """Kill the store, and order until it is accepted; that order is cancelled. None where it did not come back."""
    if site.kill_store is None:
        return None
    rig = site.rig
    before = None if rig.store_folder is None else file_bytes(rig.store_folder)
    loop = asyncio.get_running_loop()
    place = workload.goods.places[0]
    order = {
        "order_id": f"{workload.id_prefix}-restart",
        "ship_to": {"lat": place.lat, "lon": place.lon} | ({"country": place.country} if place.country else {}),
        "lines": [{"sku": workload.goods.skus[-1], "quantity": 1}],
    }
    await site.kill_store()
    begun = loop.time()
    while loop.time() - begun < RESTART_S_MAX:
        try:
            await rig.client.post("/v1/orders", order)
        except (aiohttp.ClientError, UnexpectedAnswer, TimeoutError):
            await asyncio.sleep(ASK_PAUSE_S)
            continue
        seconds = loop.time() - begun
        await rig.client.post(f"/v1/orders/{order['order_id']}/cancel", {})
        return Restart(seconds=seconds, orders=orders, file_bytes=before)
    return None


async def cells_cost(site: Site, prefix: str, *, short: bool) -> CellsCost | None:
    """Put cells into a service that has none yet. None where neither processes nor files can be looked at."""
    rig = site.rig
    if not rig.watched:
        return None
    warehouses, skus = CELLS_SHORT if short else CELLS
    # Once before, so that buffers are there.
    await put_goods(
        rig.client, Catalogue(warehouses=4, skus=50, warehouses_per_sku=4, on_hand=1), prefix=f"{prefix}-few"
    )
    await asyncio.sleep(SETTLE_S)
    before = _memory(rig)
    catalogue = Catalogue(warehouses=warehouses, skus=skus, warehouses_per_sku=warehouses, on_hand=1)
    await put_goods(rig.client, catalogue, prefix=f"{prefix}-cells")
    await asyncio.sleep(SETTLE_S)
    more = [_more(one, other) for one, other in zip(before, _memory(rig), strict=True)]
    return CellsCost(cells=warehouses * skus, service_bytes=more[0], store_bytes=more[1], file_bytes=more[2])


def _memory(rig: Rig) -> tuple[int | None, int | None, int | None]:
    """Of the largest process that serves, of the store, and of the store's files."""
    # A supervisor serves nothing.
    serving = [one for one in rig.watched if one.role == "worker"] or [
        one for one in rig.watched if one.role == "service"
    ]
    sizes = [used.rss_bytes for one in serving if (used := used_by(one.pid)) is not None]
    store = next((used for one in rig.watched if one.role == "store" and (used := used_by(one.pid))), None)
    files = None if rig.store_folder is None else file_bytes(rig.store_folder)
    return max(sizes, default=None), None if store is None else store.rss_bytes, files


def _more(before: int | None, after: int | None) -> int | None:
    return None if before is None or after is None else max(0, after - before)


def growth_of(points: Sequence[Point], *, orders: int, own: bool) -> Growth:
    """What orders left behind in the store, by the points in the order in which they were measured."""
    in_order = sorted(points, key=lambda point: point.number)
    last = in_order[-1].processes if in_order and own else []
    serving = [one.rss_bytes for one in last if one.role == "worker"] or [
        one.rss_bytes for one in last if one.role == "service"
    ]
    return Growth(
        orders=orders,
        store_bytes_per_order=_memory_slope(in_order),
        file_bytes_per_order=_file_bytes(in_order),
        service_bytes=max(serving, default=None),
        store_bytes=_store_rss(last),
    )


def _memory_slope(points: Sequence[Point]) -> float | None:
    # In the first half the feed of events still fills up to its bound.
    summed = np.cumsum([point.orders for point in points])
    known = [
        (float(total), float(rss))
        for total, point in zip(summed, points, strict=True)
        if (rss := _store_rss(point.processes)) is not None
    ]
    half = known[len(known) // 2 :]
    if len(half) < 3 or half[-1][0] - half[0][0] < ORDERS_TOLD_MIN:
        return None
    totals, sizes = np.array(half).T
    return max(0.0, float(np.polyfit(totals, sizes, 1)[0]))


def _file_bytes(points: Sequence[Point]) -> float | None:
    grown = [
        (point.disk.file_bytes_after - point.disk.file_bytes_before) / orders
        for point in points
        if point.disk is not None
        and (orders := point.orders_on_disk)
        and point.disk.file_bytes_after > point.disk.file_bytes_before
    ]
    return median(grown) if grown else None


def _store_rss(processes: Sequence[ProcessUse]) -> int | None:
    return next((one.rss_bytes for one in processes if one.role == "store"), None)
