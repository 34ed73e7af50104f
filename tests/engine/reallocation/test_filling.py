"""Orders that wait are filled when stock comes, where the settings say so, by one of several processes."""

import asyncio
from collections.abc import AsyncIterator, Callable

import msgspec
import pytest

from engine import Engine, Settings, open_engine
from engine.errors import StoreUnavailable
from engine.reallocation import Reallocation, ReallocationRequest, filling
from engine.reallocation.planning import Planning
from engine.reallocation.room import ReallocationRoom
from tests.engine.small_network import another, assert_balanced, order, put_network, put_stock, reserved


@pytest.fixture
async def filled(empty_store_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Engine]:
    """An engine that fills orders, without the pauses."""
    monkeypatch.setattr(filling, "PAUSE_S_MIN", 0.05)
    monkeypatch.setattr(filling, "POLL_S", 0.02)
    monkeypatch.setattr(filling, "PAUSE_TIMES", 0.0)
    async with open_engine(Settings(redis_url=empty_store_url, fill_backorders=True)) as engine:
        await put_network(engine, {("x", "A"): 1})
        yield engine
        await assert_balanced(engine)


async def statuses(engine: Engine, *names: str) -> list[str]:
    """Of orders."""
    found = [await engine.order(name) for name in names]
    return [one.status for one in found if one is not None]


async def until(engine: Engine, wanted: dict[str, str]) -> None:
    """Wait until orders have these statuses."""
    async with asyncio.timeout(20):
        while await statuses(engine, *wanted) != list(wanted.values()):
            await asyncio.sleep(0.02)


async def is_filled(engine: Engine, name: str, sku: str) -> None:
    """An order that waits, once its stock has come."""
    reserved(await engine.reserve(order(name, (sku, 2), allow_backorder=True)))
    await put_stock(engine, {(sku, "B"): 5})
    await until(engine, {name: "confirmed"})


async def no_run_is_left(engine: Engine) -> None:
    """Wait until no run that fills orders is kept."""
    async with asyncio.timeout(20):
        while await engine.reallocations():
            await asyncio.sleep(0.02)


async def test_stock_that_comes_goes_to_who_waits_first(filled: Engine) -> None:
    """Two processes with the setting fill each order once; what is not enough is left for the next arrival."""
    names = ("a", "b", "c")
    for name in names:
        reserved(await filled.reserve(order(name, ("y", 2), allow_backorder=True)))
    async with another(filled, fill_backorders=True):
        await put_stock(filled, {("y", "B"): 5})
        await until(filled, {"a": "confirmed", "b": "confirmed", "c": "backordered"})
        await put_stock(filled, {("y", "B"): 6})
        await until(filled, dict.fromkeys(names, "confirmed"))
    for name in names:
        found = await filled.order(name)
        assert found is not None
        assert found.version == 2
    # Cancelled stock is stock that comes.
    reserved(await filled.reserve(order("d", ("y", 2), allow_backorder=True)))
    await filled.cancel("a")
    await until(filled, {"d": "confirmed"})


async def test_a_run_whose_end_failed_is_ended_with_the_next_one(
    filled: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody else would: the process that began it has the duty still."""
    forget = ReallocationRoom.forget

    async def failing(_room: ReallocationRoom, _run_id: str) -> None:
        monkeypatch.setattr(ReallocationRoom, "forget", forget)
        raise StoreUnavailable("killed")

    monkeypatch.setattr(ReallocationRoom, "forget", failing)
    await is_filled(filled, "a", "y")
    await is_filled(filled, "b", "z")
    await no_run_is_left(filled)


async def test_a_run_whose_beginning_had_no_reply_is_ended(filled: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be there all the same."""
    begin = ReallocationRoom.begin

    async def unheard(room: ReallocationRoom, request: ReallocationRequest) -> Reallocation:
        monkeypatch.setattr(ReallocationRoom, "begin", begin)
        await begin(room, request)
        raise StoreUnavailable("the line went dead")

    monkeypatch.setattr(ReallocationRoom, "begin", unheard)
    await is_filled(filled, "a", "y")
    await no_run_is_left(filled)


async def test_what_a_dead_process_began_is_ended_though_its_duty_ran_out_while_another_filled(
    filled: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who fills takes the duty again and again: from a dead one, too."""
    monkeypatch.setattr(filling, "DUTY_MS", 300)
    work_out = Planning.work_out

    async def beside_a_dead_one(
        planning: Planning, request: ReallocationRequest, going_on: Callable[[], bool]
    ) -> object:
        monkeypatch.setattr(Planning, "work_out", work_out)
        await filled.reallocate(id=f"{filling.PREFIX}dead", backordered=True, dry_run=True)
        await filled.store.partitions[0].plans.put({filling.DUTY: msgspec.msgpack.encode(("dead", 0))})
        await asyncio.sleep(1)
        return await work_out(planning, request, going_on)

    monkeypatch.setattr(Planning, "work_out", beside_a_dead_one)
    await is_filled(filled, "a", "y")
    await is_filled(filled, "b", "z")
    await no_run_is_left(filled)


async def test_who_fills_for_long_keeps_the_duty(filled: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process would else begin the same, and end what this one has begun."""
    monkeypatch.setattr(filling, "DUTY_MS", 300)
    work_out, planned = Planning.work_out, list[str]()

    async def slow(planning: Planning, request: ReallocationRequest, going_on: Callable[[], bool]) -> object:
        planned.append(planning._store.writer)
        await asyncio.sleep(1.5)
        return await work_out(planning, request, going_on)

    monkeypatch.setattr(Planning, "work_out", slow)
    reserved(await filled.reserve(order("a", ("y", 2), allow_backorder=True)))
    async with another(filled, fill_backorders=True):
        await put_stock(filled, {("y", "B"): 5})
        await until(filled, {"a": "confirmed"})
    assert set(planned) == {filled.store.writer}


async def test_without_the_setting_orders_wait(engine: Engine) -> None:
    """Until somebody asks."""
    await put_network(engine, {("x", "A"): 1})
    reserved(await engine.reserve(order("a", ("y", 2), allow_backorder=True)))
    await put_stock(engine, {("y", "B"): 5})
    assert await statuses(engine, "a") == ["backordered"]
    assert (await engine.reallocate(backordered=True)).status.applied == 1
    assert await statuses(engine, "a") == ["confirmed"]


async def test_an_order_beyond_its_customers_limit_keeps_no_stock_from_others(filled: Engine) -> None:
    """Though it comes first: it waits until its customer has fewer."""
    reserved(await filled.reserve(order("beyond", ("few", 2), allow_backorder=True, customer="c")))
    reserved(await filled.reserve(order("other", ("few", 2), allow_backorder=True, customer="d")))
    await put_stock(filled, {("few", "A"): 2})
    await until(filled, {"beyond": "confirmed", "other": "backordered"})
    reserved(await filled.reserve(order("again", ("few", 2), allow_backorder=True, customer="d")))
    await put_stock(filled, {("few", "A"): 4})
    await until(filled, {"other": "confirmed", "again": "backordered"})
    reserved(await filled.reserve(order("last", ("few", 1), allow_backorder=True, customer="e")))
    await put_stock(filled, {("few", "A"): 6})
    await until(filled, {"again": "backordered", "last": "confirmed"})
    run = await filled.reallocate(backordered=True, dry_run=True)
    assert run.plan is not None
    assert [(told.why, told.orders) for told in run.plan.left_out] == [("purchase_limit", 1)]
    await filled.cancel("other")
    await until(filled, {"again": "confirmed"})
