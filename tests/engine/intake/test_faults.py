"""The flow when the connection or the store itself breaks: every order is held once, and its caller hears of it."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine import Engine, Settings, State, open_engine
from engine.intake import InsufficientStock, Outcome, Reserved, Unavailable
from engine.store import EmbeddedServer, choose_store
from engine.store.binary import find_binary
from tests.engine.intake.fault_proxy import Fault, FaultProxy
from tests.engine.small_network import assert_balanced, order, put_network, put_stock, reserved

STALL_TIMEOUT_MS = 300
CLOSE_S = 5.0


@pytest.fixture
async def proxy(empty_store_url: str, tmp_path: Path) -> AsyncIterator[FaultProxy]:
    """A proxy before an empty store."""
    async with FaultProxy(empty_store_url, tmp_path / "proxy.sock") as one:
        yield one


@pytest.fixture
async def engine(proxy: FaultProxy) -> AsyncIterator[Engine]:
    """An engine that reaches the store through the proxy only."""
    async with open_engine(Settings(redis_url=proxy.url, store_timeout_ms=STALL_TIMEOUT_MS)) as opened:
        yield opened


@pytest.mark.parametrize("on_hand", [3, 100])
@pytest.mark.parametrize(
    "faults",
    [["cut_before"], ["cut_after"], ["cut_before", "cut_after"], ["cut_after", "cut_before"]],
    ids="-".join,
)
async def test_a_connection_lost_around_a_commit_costs_no_order_and_doubles_none(
    proxy: FaultProxy, engine: Engine, faults: list[Fault], on_hand: int
) -> None:
    """Before the store saw it, or after it was done and before we heard: from here the two look the same."""
    await put_network(engine, {("x", "A"): on_hand})
    proxy.faults = list(faults)
    outcomes = await asyncio.gather(*(engine.reserve(order(f"o{number}", ("x", 1))) for number in range(3)))
    assert proxy.met == len(faults)
    assert all(reserved(outcome).replayed == ("cut_after" in faults) for outcome in outcomes)
    await assert_balanced(engine, units_reserved=3)
    assert engine.state is State.READY


async def test_a_store_that_breaks_off_every_time_is_reported_as_unknown(proxy: FaultProxy, engine: Engine) -> None:
    """There is an end to trying; the caller hears that the order may be held, and its retry learns that it is."""
    await put_network(engine, {("x", "A"): 1})
    proxy.faults = ["cut_after", "cut_after", "cut_after"]
    outcome = await engine.reserve(order("one", ("x", 1)))
    assert isinstance(outcome, Unavailable)
    assert not outcome.certain
    assert reserved(await engine.reserve(order("one", ("x", 1)))).replayed
    await assert_balanced(engine, units_reserved=1)


async def test_a_commit_that_arrives_after_its_retry_takes_nothing(proxy: FaultProxy, engine: Engine) -> None:
    """Stuck in the network beyond the timeout, sent again, done, and only then delivered."""
    await put_network(engine, {("x", "A"): 1, ("y", "A"): 5})
    proxy.faults = ["stall"]
    both = asyncio.gather(engine.reserve(order("one", ("x", 1))), engine.reserve(order("two", ("y", 1))))
    assert [reserved(outcome).replayed for outcome in await both] == [False, False]
    proxy.release.set()
    for number in range(4):
        reserved(await engine.reserve(order(f"later{number}", ("y", 1))))
    await assert_balanced(engine, units_reserved=6)


async def test_a_commit_that_arrives_after_the_caller_was_told_is_found_by_the_retry(
    proxy: FaultProxy, engine: Engine
) -> None:
    """All tries are stuck, the caller hears "unknown", and then they all arrive."""
    await put_network(engine, {("x", "A"): 2})
    proxy.faults = ["stall", "stall", "stall"]
    outcome = await engine.reserve(order("one", ("x", 2)))
    assert isinstance(outcome, Unavailable)
    assert not outcome.certain
    proxy.release.set()
    await asyncio.sleep(0.05)
    assert reserved(await engine.reserve(order("one", ("x", 2)))).replayed
    await assert_balanced(engine, units_reserved=2)


async def test_a_commit_that_was_given_up_is_fenced_when_it_arrives(
    proxy: FaultProxy, engine: Engine, empty_store_url: str
) -> None:
    """Its caller was told that there is none left, and then there is: nothing may be held for an order told no."""
    await put_network(engine, {("x", "A"): 1})
    proxy.faults = ["stall"]
    given_up = asyncio.create_task(engine.reserve(order("one", ("x", 1))))
    async with open_engine(Settings(redis_url=empty_store_url)) as other:
        async with asyncio.timeout(10):
            while not proxy.met:
                await asyncio.sleep(0.01)
        reserved(await other.reserve(order("two", ("x", 1))))
        assert isinstance(await asyncio.wait_for(given_up, 10), InsufficientStock)
        await put_stock(other, {("x", "A"): 3})
        proxy.release.set()
        async with asyncio.timeout(10):
            while not proxy.late_replies:
                await asyncio.sleep(0.01)
        assert proxy.late_replies[0].startswith(b"-FENCED")
        assert await other.order_json("one") is None
        await assert_balanced(other, units_reserved=1)
        # Only its own commits are fenced: whoever sends the order again is served.
        assert not reserved(await engine.reserve(order("one", ("x", 1)))).replayed


@pytest.mark.parametrize("down_ms", [0, 1500])
async def test_an_engine_outlives_a_killed_store(tmp_path: Path, down_ms: int) -> None:
    """kill -9 of the store in mid-sale: what was acknowledged is there, the rest is told, and nobody restarts us."""
    binary = choose_store(None)
    assert isinstance(binary, Path)
    server = EmbeddedServer(binary, tmp_path / "store")
    await server.start()
    try:
        async with open_engine(Settings(redis_url=server.url, store_recovery_ms=500)) as engine:
            await put_network(engine, {("x", "A"): 200, ("x", "B"): 200})
            sale = asyncio.create_task(_sell(engine, orders=1_000))
            await asyncio.sleep(0.05)
            assert server.pid is not None
            os.kill(server.pid, signal.SIGKILL)
            await asyncio.sleep(down_ms / 1000)
            await server.stop()
            await server.start()
            told = await asyncio.wait_for(sale, 20)
            assert any(isinstance(outcome, Unavailable) for outcome in told.values()) == (down_ms > 1_000)
            for order_id, outcome in told.items():
                if isinstance(outcome, Reserved):
                    assert await engine.order_json(order_id) == outcome.json
            # Until then every order would be told at once to come back later.
            await ready(engine)
            retried = await _sell(engine, orders=1_000)
            assert sum(isinstance(outcome, Reserved) for outcome in retried.values()) == 400
            await assert_balanced(engine, units_reserved=400)
    finally:
        await server.stop()


async def ready(engine: Engine) -> None:
    """Wait until the engine is ready again by itself: it loads once more when its event feed broke, too."""
    for _ in range(200):
        if engine.state is State.READY:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(engine.state)


async def _sell(engine: Engine, *, orders: int) -> dict[str, Outcome]:
    """Orders of one unit from 16 callers, each one after the other."""
    ids = iter([f"o{number}" for number in range(orders)])
    outcomes: dict[str, Outcome] = {}

    async def buy() -> None:
        for order_id in ids:
            outcomes[order_id] = await engine.reserve(order(order_id, ("x", 1)))
            await asyncio.sleep(0)

    await asyncio.gather(*(buy() for _ in range(16)))
    return outcomes


async def test_orders_are_refused_at_once_while_the_store_is_out_of_reach(tmp_path: Path) -> None:
    """The first callers wait as long as the store is given; those after them must not queue up behind it."""
    chosen = choose_store(None)
    assert isinstance(chosen, Path)
    server = EmbeddedServer(chosen, tmp_path / "gone")
    await server.start()
    async with open_engine(Settings(redis_url=server.url, store_recovery_ms=300)) as engine:
        await put_network(engine, {("x", "A"): 5})
        await server.stop()
        outcome = await asyncio.wait_for(engine.reserve(order("first", ("x", 1))), 10)
        assert isinstance(outcome, Unavailable)
        async with asyncio.timeout(10):
            while engine.intake.unreachable is None:
                await asyncio.sleep(0.02)
        answer = engine.submit(order("second", ("x", 1)))
        assert answer.done()
        assert isinstance(answer.result(), Unavailable)
        await server.start()
        async with asyncio.timeout(10):
            while engine.state is not State.READY:
                await asyncio.sleep(0.02)
        reserved(await engine.reserve(order("first", ("x", 1))))
    await server.stop()


@pytest.mark.parametrize("embedded", [False, True])
async def test_an_engine_whose_store_has_just_died_closes_in_time(tmp_path: Path, embedded: bool) -> None:
    """Its followers must not run for a store that nobody starts any more, and keep everybody else from running."""
    server = EmbeddedServer(find_binary(), tmp_path / "gone")
    settings = Settings(data_dir=server.data_dir)
    if not embedded:
        await server.start()
        settings = Settings(redis_url=server.url)
    for _ in range(5):
        async with open_engine(settings) as engine:
            await put_network(engine, {("x", "A"): 5})
            reserved(await engine.reserve(order("one", ("x", 1))))
            os.kill(int(server.lock.read_text()), signal.SIGKILL)
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < CLOSE_S
        if not embedded:
            await server.stop()
            await server.start()
    await server.stop()
