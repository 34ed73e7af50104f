"""`stockade orders`: what the store keeps of orders."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from api.cli.console import EXIT_FINDING, StoreOptions, counted, err, money, out, print_json
from api.cli.opening import open_store
from api.cli.table import print_table
from engine import Engine
from engine.model import Allocation, AllocationLine, Shipment

LIST_ORDERS_MAX = 100_000

_STATES = {
    ("quoted", False): "planned, nothing is held",
    ("backordered", False): "would wait for stock, nothing is held",
    ("backordered", True): "backordered, waits for stock",
}
"""By status and whether it is kept, where the status alone does not say it."""


async def orders(
    order_id: str | None = None,
    /,
    *,
    limit: Annotated[int, Parameter(help="Orders to list.", validator=Number(gte=1, lte=LIST_ORDERS_MAX))] = 50,
    json: bool = False,
    store: StoreOptions = StoreOptions(),  # noqa: B008 - frozen
) -> int:
    """List orders, newest first, or show one by its id."""
    async with open_store(store.settings()) as engine:
        if order_id is None:
            await _list(engine, limit, json)
            return 0
        allocation = await engine.order(order_id)
    if allocation is None:
        err.print(f'No order has the id "{order_id}".', markup=False)
        return EXIT_FINDING
    if json:
        print_json(allocation)
    else:
        print_allocation(allocation)
    return 0


async def _list(engine: Engine, limit: int, json: bool) -> None:
    count = 0
    newest: list[tuple[int, Allocation]] = []
    async for allocation, record in engine.orders():
        count += 1
        newest.append((record.reserved_ms, allocation))
        # Kept short on the way: a store may hold millions.
        if len(newest) >= 2 * limit + 1000:
            newest = _newest(newest, limit)
    newest = _newest(newest, limit)
    if json:
        print_json([allocation for _, allocation in newest])
        return
    rows = [
        (
            allocation.order_id,
            allocation.status,
            datetime.fromtimestamp(reserved_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S"),
            " + ".join(shipment.warehouse for shipment in allocation.shipments),
            money(allocation.cost, allocation.currency),
        )
        for reserved_ms, allocation in newest
    ]
    print_table(("order", "status", "reserved (UTC)", "ships from", "cost"), rows, numbers=("cost",))
    out.print(f"{len(newest):,} of {counted(count, 'order')}.")


def _newest(found: list[tuple[int, Allocation]], limit: int) -> list[tuple[int, Allocation]]:
    return sorted(found, key=lambda one: (-one[0], one[1].order_id))[:limit]


def print_allocation(allocation: Allocation) -> None:
    """One Allocation for people."""
    currency = allocation.currency
    held = _STATES.get((allocation.status, allocation.version > 0), allocation.status)
    version = f", version {allocation.version}" if allocation.version else ""
    out.print(f"{allocation.order_id}: {held}{version}", markup=False)
    waits = allocation.status == "backordered"
    if not waits:
        _print_shipments(allocation.shipments, currency)
    for bundle in allocation.bundles:
        out.print(f"{bundle.quantity} x {bundle.sku}: {_lines(bundle.components)}", markup=False)
    for instead in allocation.substitutions:
        out.print(f"{instead.quantity} x {instead.by} instead of {instead.sku}", markup=False)
    for line in allocation.unfilled:
        out.print(f"{'waits for' if waits else 'not filled'}: {line.quantity} x {line.sku}", markup=False)
    if waits:
        out.print(f"expected on {allocation.expected_on}" if allocation.expected_on else "no day is known")
        return
    out.print(f"cost {money(allocation.cost, currency)}" + _promise(allocation) + _until(allocation))


def _print_shipments(shipments: Sequence[Shipment], currency: str) -> None:
    """A row each; carriers and days where there are any."""
    columns: dict[str, list[str]] = {
        "ships from": [row.warehouse for row in shipments],
        "lines": [_lines(row.lines) + _left(row) for row in shipments],
        "distance": [f"{row.distance_km:,.0f} km" for row in shipments],
        "carrier": [row.carrier or "" for row in shipments],
        "promised on": [row.promised_on or "" for row in shipments],
        "cost": [money(row.cost, currency) for row in shipments],
    }
    shown = {name: column for name, column in columns.items() if any(column)}
    print_table(list(shown), zip(*shown.values(), strict=True), numbers=("distance", "promised on", "cost"))


def _lines(lines: Sequence[AllocationLine]) -> str:
    return ", ".join(f"{line.quantity} x {line.sku}" for line in lines)


def _left(shipment: Shipment) -> str:
    left = _lines(shipment.shipped)
    return f" (shipped: {left})" if left else ""


def _promise(allocation: Allocation) -> str:
    return f", promised on {allocation.promised_on}" if allocation.promised_on else ""


def _until(allocation: Allocation) -> str:
    return f", held until {allocation.expires_at}" if allocation.expires_at else ""
