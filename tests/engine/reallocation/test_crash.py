"""A process that is killed while it applies a run, or takes one back, while others sell: whoever is asked goes on."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable

import pytest

from engine import Engine, Settings, open_engine
from engine.intake import InsufficientStock, Reserved
from engine.model import StockCount
from engine.reallocation import ReallocationStatus
from tests.engine.small_network import assert_balanced, order, put_network, reserved

ORDERS = 1_500
"""Sixty chunks."""

LOOK_S = 0.002


@pytest.fixture
async def busy(empty_store_url: str) -> AsyncIterator[Engine]:
    """An engine with many orders at A, which B and C could serve."""
    async with open_engine(Settings(redis_url=empty_store_url)) as engine:
        await put_network(engine, {("x", "A"): ORDERS})
        outcomes = await asyncio.gather(*(engine.reserve(order(f"o{number}", ("x", 1))) for number in range(ORDERS)))
        assert all(isinstance(outcome, Reserved) for outcome in outcomes)
        counts = [StockCount(sku="x", warehouse="B", on_hand=ORDERS), StockCount(sku="x", warehouse="C", on_hand=200)]
        await engine.set_stock(counts)
        yield engine


async def kill_in_the_midst(engine: Engine, run_id: str, step: str, done: Callable[[ReallocationStatus], int]) -> int:
    """Let another process do a step, kill -9 it once it has done something; how much it had."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.engine.reallocation.applier", engine.store.url, run_id, step
    )
    try:
        async with asyncio.timeout(60):
            while not done(status := await _status(engine, run_id)):
                assert process.returncode is None
                await asyncio.sleep(LOOK_S)
    finally:
        process.kill()
        await process.wait()
    status = await _status(engine, run_id)
    return done(status)


async def _status(engine: Engine, run_id: str) -> ReallocationStatus:
    run = await engine.reallocation(run_id)
    assert run is not None
    return run.status


async def warehouses(engine: Engine, skip: str = "late") -> Counter[str]:
    """Orders by the warehouse that serves them, but those of a kind."""
    found: Counter[str] = Counter()
    async for allocation, _ in engine.orders():
        if not allocation.order_id.startswith(skip):
            found.update(shipment.warehouse for shipment in allocation.shipments)
    return found


async def sell(engine: Engine, sold: list[str], over: asyncio.Event) -> None:
    """Sell what is at B meanwhile, one order after the other."""
    while not over.is_set():
        outcome = await engine.reserve(order(f"late{len(sold)}", ("x", 1), warehouses=("B",)))
        if isinstance(outcome, InsufficientStock):
            return
        reserved(outcome)
        sold.append(f"late{len(sold)}")
        await asyncio.sleep(LOOK_S)


async def test_a_killed_run_is_resumed_beside_sales_and_taken_back_through_another_kill(busy: Engine) -> None:
    """Every order moved once, or was told why not; the books balance all the time; then all is as before."""
    run = await busy.reallocate(warehouse_down="A", dry_run=True)
    assert run.plan is not None
    assert run.plan.orders_moved == ORDERS
    sold: list[str] = []
    over = asyncio.Event()
    selling = asyncio.create_task(sell(busy, sold, over))
    before = await kill_in_the_midst(busy, run.id, "apply", lambda status: status.chunks_done)
    assert 0 < before < run.status.chunks
    await assert_balanced(busy)
    assert (await run.refresh()).state == "applying"
    status = await run.resume()
    over.set()
    await selling
    assert sold
    assert (status.state, status.chunks_done) == ("applied", status.chunks)
    assert status.applied + status.orders_skipped == ORDERS
    assert {told.why for told in status.skipped} <= {"stock"}
    at = await warehouses(busy)
    assert at["B"] + at["C"] == status.applied
    assert at["A"] == status.orders_skipped
    versions = Counter([allocation.version async for allocation, _ in busy.orders()])
    assert versions[2] == status.applied
    await assert_balanced(busy)

    taken_back = await kill_in_the_midst(busy, run.id, "rollback", lambda status: status.rolled_back)
    assert 0 < taken_back < status.applied
    await assert_balanced(busy)
    status = await run.resume()
    assert (status.state, status.rolled_back, status.not_rolled_back) == ("rolled_back", status.applied, ())
    assert await warehouses(busy) == Counter({"A": ORDERS})
    await assert_balanced(busy)


async def test_two_processes_that_apply_one_run_do_it_once(busy: Engine) -> None:
    """They share the chunks."""
    async with open_engine(Settings(redis_url=busy.store.url)) as other:
        run = await busy.reallocate(warehouse_down="A", dry_run=True)
        same = await other.reallocation(run.id)
        assert same is not None
        first, second = await asyncio.gather(run.apply(), same.apply())
        assert (first.applied, second.applied) == (ORDERS, ORDERS)
    assert {allocation.version async for allocation, _ in busy.orders()} == {2}
    await assert_balanced(busy)


async def test_a_run_cancelled_in_the_midst_keeps_what_is_done_and_can_be_taken_back(busy: Engine) -> None:
    """What was applied is told."""
    run = await busy.reallocate(warehouse_down="A", dry_run=True)
    applying = asyncio.create_task(run.apply())
    while not (await _status(busy, run.id)).chunks_done:
        await asyncio.sleep(LOOK_S)
    same = await busy.reallocation(run.id)
    assert same is not None
    await same.cancel()
    status = await applying
    assert status.state == "cancelled"
    assert 0 < status.applied < ORDERS
    assert (await warehouses(busy))["A"] == ORDERS - status.applied
    assert (await run.rollback()).rolled_back == status.applied
    assert await warehouses(busy) == Counter({"A": ORDERS})
    await assert_balanced(busy)
