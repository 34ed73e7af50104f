"""Rules that every plan keeps, on networks and orders drawn by a seed."""

import random
from collections.abc import Mapping, Sequence

import pytest

from engine import Engine, Settings, open_engine
from engine.intake import Reserved
from engine.model import Allocation, Movement, MovementRow, Order, ShipTo
from engine.planner import Record
from engine.reallocation import Reallocation
from engine.store.keys import CHANNEL_CELLS
from tests.engine.small_network import assert_balanced, order, put_network, put_stock

ORDERS = 40
CHANNELS = ("app", "shop")


async def open_orders(engine: Engine) -> dict[str, Allocation]:
    """Every order by its id."""
    return {allocation.order_id: allocation async for allocation, _ in engine.orders()}


def units(allocation: Allocation) -> dict[str, int]:
    """What it gets, by SKU."""
    found: dict[str, int] = {}
    for shipment in allocation.shipments:
        for line in shipment.lines:
            found[line.sku] = found.get(line.sku, 0) + line.quantity
    return found


def drawn_order(draw: random.Random, number: int, channels: Sequence[str]) -> Order:
    """One to three lines, to somewhere along the network, with terms now and then, of some channel or of none."""
    lines = tuple((sku, draw.randint(1, 3)) for sku in draw.sample("xyz", draw.randint(1, 3)))
    more: dict[str, object] = {}
    if draw.random() < 0.2:
        more["warehouses"] = tuple(draw.sample("ABC", 2))
    if draw.random() < 0.2:
        more["allow_split"] = False
    if draw.random() < 0.2:
        more["allow_partial"] = True
    elif draw.random() < 0.3:
        more["allow_backorder"] = True
    if draw.random() < 0.2:
        more["payment"] = "pending"
    if channels:
        more["channel"] = draw.choice((None, *channels))
    made = order(f"o{number}", *lines, **more)
    fields = {name: getattr(made, name) for name in made.__struct_fields__}
    place = ShipTo(lat=draw.uniform(29.5, 32.5), lon=110.0, region=draw.choice("NS"))
    return Order(**{**fields, "ship_to": place})


def drawn_request(draw: random.Random) -> dict[str, object]:
    """What is looked at, and how."""
    fields: dict[str, object] = {}
    fields |= draw.choice(
        [{"all_open": True}, {"warehouse_down": draw.choice("ABC")}, {"skus": ("x",)}, {"backordered": True}]
    )
    if draw.random() < 0.3:
        fields["move_penalty"] = draw.choice([1, 100, 10_000])
    if draw.random() < 0.3:
        fields["excluded_warehouses"] = (draw.choice("ABC"),)
    if draw.random() < 0.3:
        fields["max_moves"] = draw.randint(1, 5)
    return fields


def check(run: Reallocation, before: dict[str, Allocation], after: dict[str, Allocation]) -> None:
    """Nobody lost units or pays more for it than must be; the plan told the truth."""
    down, excluded = run.request.warehouse_down, run.request.excluded_warehouses
    assert run.plan is not None
    moved = {name for name in before if after[name].version != before[name].version}
    assert moved == set(run.moves.order_id)
    assert len(moved) == run.plan.orders_moved == run.status.applied <= run.request.max_moves
    told = dict.fromkeys(moved, 0)
    for move in run.moves:
        told[move.order_id] += move.cost_after
        assert move.to_warehouse != down
        assert move.quantity > 0
    for name in moved:
        old, new = before[name], after[name]
        assert new.cost == told[name]
        if old.status == "backordered":
            assert new.status in ("confirmed", "reserved")
            continue
        assert units(new) == units(old) or old.unfilled
        was_down = any(shipment.warehouse == down for shipment in old.shipments)
        assert was_down or new.cost < old.cost
        kept = {shipment.warehouse for shipment in old.shipments}
        assert not (({shipment.warehouse for shipment in new.shipments} - kept) & set(excluded))
    if down is not None:
        holding = {name: one for name, one in after.items() if one.status in ("confirmed", "reserved")}
        left = {name for name, one in holding.items() if any(shipment.warehouse == down for shipment in one.shipments)}
        assert left == {name for name in run.unserved.order_id if before[name].status != "backordered"}


async def put_pools(engine: Engine, draw: random.Random, counts: Mapping[tuple[str, str], int]) -> None:
    """Set up to all of some cells apart for channels."""
    rows = [
        MovementRow(sku=sku, warehouse=warehouse, quantity=draw.randint(1, units), channel=draw.choice(CHANNELS))
        for (sku, warehouse), units in counts.items()
        if units
    ]
    await engine.move(Movement(movement_id="pools", type="allot", rows=tuple(rows)))


async def check_pools(engine: Engine, channel_of: Mapping[str, str | None]) -> None:
    """No order holds units of a pool but that of its channel."""
    names = list(channel_of)
    for name, stored in zip(names, await engine.store.read_orders(names), strict=True):
        for cell, _ in Record(stored).held if stored is not None else ():
            pool = cell // CHANNEL_CELLS
            assert pool in (0, engine.planner.core.channel_number(channel_of[name] or ""))


@pytest.mark.parametrize(("seed", "channels"), [(seed, CHANNELS if seed >= 12 else ()) for seed in range(20)])
async def test_plans_keep_the_rules(empty_store_url: str, seed: int, channels: Sequence[str]) -> None:
    """Units, terms, pools, true costs; the same again is the same plan; taken back, all is as before."""
    draw = random.Random(seed)
    async with open_engine(Settings(redis_url=empty_store_url, partitions=1 + seed % 2 * 2)) as engine:
        cells = [(sku, warehouse) for sku in "xyz" for warehouse in "ABC"]
        counts = {cell: draw.randint(0, 25) for cell in cells}
        await put_network(engine, counts)
        if channels:
            await put_pools(engine, draw, counts)
        orders = [drawn_order(draw, number, channels) for number in range(ORDERS)]
        taken = [await engine.reserve(one) for one in orders]
        assert any(isinstance(outcome, Reserved) for outcome in taken)
        for number in range(0, ORDERS, 5):
            await engine.cancel(f"o{number}")
        for cell in draw.sample(cells, 3):
            with_more = (await engine.stock(sku=cell[0], warehouse=cell[1])).cells[0].on_hand + draw.randint(1, 15)
            await put_stock(engine, {cell: with_more})
        fields = drawn_request(draw)
        before = await open_orders(engine)
        run = await engine.reallocate(dry_run=True, **fields)  # type: ignore[arg-type]
        twin = await engine.reallocate(dry_run=True, seed=0, **fields)  # type: ignore[arg-type]
        assert list(run.moves) == list(twin.moves)
        assert await open_orders(engine) == before
        await run.apply()
        assert run.status.skipped == ()
        check(run, before, await open_orders(engine))
        await check_pools(engine, {one.order_id: one.channel for one in orders})
        await assert_balanced(engine)
        await run.rollback()
        assert run.status.not_rolled_back == ()
        after = await open_orders(engine)
        for name, allocation in before.items():
            assert (after[name].shipments, after[name].unfilled) == (allocation.shipments, allocation.unfilled)
        await assert_balanced(engine)
