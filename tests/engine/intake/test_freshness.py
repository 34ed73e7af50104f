"""The age of a view: measured by the store's clock, seen while it grows, and none once all is quiet."""

import asyncio
from time import time

import pytest
import redis

from engine import Engine, Settings, open_engine
from engine.intake import Reserved
from engine.intake.freshness import Freshness
from engine.planner import canonical_bytes
from tests.engine.feeds import CELLS, opened, quiet, true_levels
from tests.engine.small_network import SKUS, another, order, put_network, put_stock, reserved

WAIT_S = 20.0
NEAR_MS = 50.0


async def caught_up(*engines: Engine) -> None:
    """Wait until every view has every event that there is now."""
    async with asyncio.timeout(WAIT_S):
        for engine in engines:
            newest = [await partition.feed.position() for partition in engine.store.partitions]
            while engine.replica.positions != newest:
                await asyncio.sleep(0.01)


@pytest.mark.parametrize("offset_ms", [-3_600_000, 0, 3_600_000])
async def test_clocks_that_differ_make_no_view_look_old_or_young(offset_ms: int) -> None:
    """The stream's times are the store's, which may be on another machine."""
    freshness = Freshness()
    freshness.loaded([5])
    now = time()
    store_ms = int(now * 1000) + offset_ms
    freshness.saw_clock(0, sent=now - 0.001, received=now + 0.001, now_ms=store_ms, newest=5)
    # A later look that took long says less, and is not believed.
    freshness.saw_clock(0, sent=now - 3, received=now, now_ms=store_ms, newest=5)
    freshness.applied(0, 6, oldest_of_others=b"%d-0" % (store_ms - 200))
    assert 150 < freshness.lag_ms < 200 + 10 * NEAR_MS


async def test_what_is_not_in_the_view_yet_counts_with_every_moment() -> None:
    """A view that follows no more has no event to measure its age by."""
    freshness = Freshness()
    freshness.loaded([5])
    now = time()
    freshness.saw_clock(0, sent=now, received=now, now_ms=int(now * 1000), newest=7)
    assert freshness.events_behind == 2
    await asyncio.sleep(0.02)
    assert freshness.lag_ms >= 20
    freshness.applied(0, 7, oldest_of_others=None)
    assert (freshness.events_behind, freshness.lag_ms) == (0, 0)


async def test_status_tells_how_old_the_view_is(engine: Engine) -> None:
    """Only changes by others can be late: our own are in the view before they are in the store."""
    await put_network(engine, {("x", "A"): 50})
    async with another(engine) as second:
        # Until the clocks were compared, nothing is measured.
        async with asyncio.timeout(WAIT_S):
            while not second.replica.freshness.lags:
                await put_stock(engine, {("x", "A"): 50})
                await asyncio.sleep(0.05)
        await caught_up(engine, second)
        assert 0 < second.status.view_lag_ms < WAIT_S * 1_000
        assert second.status.events_behind == 0


@pytest.mark.parametrize("partitions", [1, 3])
async def test_views_of_several_engines_are_the_store_once_it_is_quiet(empty_store_url: str, partitions: int) -> None:
    """After a sale through all of them for the same units: by the view's own word, without a look at the store."""
    async with opened(empty_store_url, partitions) as engine, another(engine) as second, another(engine) as third:
        engines = (engine, second, third)
        # What one of them counted a moment ago is not in the views of the others yet.
        await caught_up(*engines)
        offers = [
            order(f"o{number}", (SKUS[number % 3].sku, 3), (SKUS[(number + 1) % 3].sku, 2)) for number in range(150)
        ]
        outcomes = await asyncio.gather(*(engines[place % 3].reserve(offer) for place, offer in enumerate(offers)))
        await quiet(engine)
        await caught_up(*engines)
        free = {name: level for name, (level, _) in (await true_levels(engine)).items()}
        assert min(free.values()) >= 0
        assert 0 < sum(isinstance(outcome, Reserved) for outcome in outcomes) <= 90
        for one in engines:
            for sku, warehouse in CELLS:
                if sku == "few":
                    continue
                left = free[sku, warehouse]
                for units, word in ((left, "quoted"), (left + 1, "short")):
                    if units:
                        wish = order("wish", (sku, units), warehouses=(warehouse,))
                        assert one.planner.core.quote(canonical_bytes(wish))[0] == word


async def test_a_view_that_was_held_up_says_so_and_catches_up(empty_store_url: str) -> None:
    """While the store answers nobody, what others changed waits: it is the age of the view when it comes."""
    async with opened(empty_store_url) as engine, open_engine(Settings(redis_url=empty_store_url)) as second:
        async with asyncio.timeout(WAIT_S):
            while not second.replica.freshness.lags:
                await put_stock(engine, {("x", "A"): 50})
                await asyncio.sleep(0.05)
        await caught_up(second)
        # The event is made at once; no process of ours reads before this blocks the loop no more.
        with redis.Redis.from_url(empty_store_url) as client:
            script = """
            local n = redis.call('HINCRBY', KEYS[2], 'sequence', 1)
            return redis.call('XADD', KEYS[1], '*', 'n', n, 't', 'count', 'w', 'x', 'c', '\\144', 'd', '\\144')
            """
            client.eval(script, 2, "stockade:{p0}:events", "stockade:{p0}:meta")
            client.blpop("nothing", timeout=1)
        await caught_up(second)
        assert second.status.view_lag_ms >= 900
        reserved(await second.reserve(order("one", ("x", 1))))
