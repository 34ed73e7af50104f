"""What waits is told beside how many may: single orders by what the service does, those in bulk apart."""

import asyncio

import msgspec

from api.metrics.counts import Counts
from api.metrics.gauges import snapshot_of
from engine import Engine, Settings, open_engine
from tests.engine.small_network import order, put_network

SINGLES = 30
LINES = 200


def gauges(engine: Engine) -> dict[str, float]:
    """As they stand."""
    return snapshot_of(Counts(), engine, None, draining=False).gauges


async def until_queued(engine: Engine, orders: int) -> None:
    """Wait until so many orders wait for their batch."""
    async with asyncio.timeout(10):
        while engine.intake.queued < orders:
            await asyncio.sleep(0.005)


async def test_orders_in_bulk_take_no_places_of_single_ones(empty_store_url: str) -> None:
    """However many lines wait, the queue of who came alone is not fuller for it."""
    async with open_engine(Settings(redis_url=empty_store_url, queue_orders_max=50)) as engine:
        await put_network(engine, {("x", "A"): 1_000})
        lines = b"\n".join(msgspec.json.encode(order(f"l-{number}", ("x", 1))) for number in range(LINES))
        async with engine.intake.exclusive:
            lot = await engine.submit_lot(lines)
            answers = [engine.submit(order(f"s-{number}", ("x", 1))) for number in range(SINGLES)]
            await until_queued(engine, LINES + SINGLES)
            told = gauges(engine)
        assert told["stockade_queue_orders"] == SINGLES
        assert told["stockade_queue_bulk_orders"] == LINES
        await asyncio.gather(*answers)
        await lot.done


async def test_the_places_are_those_that_there_are_now(empty_store_url: str) -> None:
    """Where the queue stands, few may wait: the setting's number would never be half reached."""
    async with open_engine(Settings(redis_url=empty_store_url, batch_orders_max=8)) as engine:
        await put_network(engine, {("x", "A"): 100_000})
        assert gauges(engine)["stockade_queue_orders_max"] == engine.settings.queue_orders_max
        patience = engine.intake.patience
        # As many as it does in a second, in batches that leave others behind.
        patience.begin(0.0)
        for batch in range(1, 11):
            patience.took(batch * 0.02, left=100)
            patience.settled(batch * 0.02 + 0.01, orders=8, of_lots=0, left_some=True)
        assert patience.standing
        assert gauges(engine)["stockade_queue_orders_max"] == patience.limit < 100
