"""The audit: no false finding while orders flow, no verdict where it cannot have one, and a report of bounded size."""

import asyncio

import pytest
from redis.asyncio import Redis

from engine import Engine, Settings, open_engine
from engine.audit import DIFFERENCES_MAX
from engine.errors import StoreUnavailable
from engine.store.wire import Lane
from tests.engine.audit_case import count_everywhere, put_everywhere, small_sale
from tests.engine.small_network import order, put_network, reserved


@pytest.mark.parametrize("partitions", [1, 3])
async def test_the_report_says_what_it_counted(empty_store_url: str, partitions: int) -> None:
    """A balance over nothing is worth nothing."""
    async with small_sale(empty_store_url, partitions=partitions) as sale:
        report = await sale.engine.audit()
    assert (report.orders, report.holding, report.cells, report.partitions) == (2, 2, 2, partitions)
    assert (report.units_on_hand, report.units_reserved) == (8, 5)


async def test_an_engine_that_loaded_nothing_can_audit(empty_store_url: str) -> None:
    """An audit of a large store waits for no view that it does not use; what differs has its name all the same."""
    async with small_sale(empty_store_url) as sale:
        await sale.client.hincrby(sale.key("free"), sale.cell("x", "B"), 1)
        expected = await sale.audit()
        async with open_engine(sale.engine.settings, background=False, load=False) as bare:
            assert bare.planner.core.cell_count == 0
            report = await bare.audit()
    assert [(one.kind, one.where, one.expected, one.found) for one in report.differences] == expected
    assert "x at B" in {one.where for one in report.differences}


@pytest.mark.parametrize(("batch_orders_max", "partitions"), [(1, 1), (500, 1), (20, 3), (500, 3)])
async def test_a_sale_under_way_gives_no_false_finding(
    empty_store_url: str, batch_orders_max: int, partitions: int
) -> None:
    """It is run when somebody is worried, which is in mid-sale; a false alarm then costs more than none."""
    settings = Settings(redis_url=empty_store_url, batch_orders_max=batch_orders_max, partitions=partitions)
    async with open_engine(settings) as engine, open_engine(settings) as second, open_engine(settings) as third:
        await put_everywhere(engine, {(sku, name): 400 for sku in ("x", "y", "z", "few") for name in "ABC"})
        sale = asyncio.create_task(_sell((engine, second)))
        reports = []
        while not sale.done():
            reports.append(await third.audit())
            assert reports[-1].differences == ()
        await sale
        reports.append(await engine.audit())
        assert reports[-1].differences == ()
        seen = [report.orders for report in reports]
        assert seen == sorted(seen)
        assert len(set(seen)) > 3, "no audit met the sale under way"


async def _sell(engines: tuple[Engine, ...]) -> None:
    """Orders, retries, counts, limits, steps and holds that end, from 24 callers."""
    numbers = iter(range(600))

    async def buy(engine: Engine) -> None:
        for number in numbers:
            lines = [("x", 2), ("y", 1)] if number % 3 else [("few", 2), ("z", 1)]
            name = f"o{number}"
            one = order(name, *lines, customer=f"c{number % 40}", payment="pending" if number % 5 else "paid")
            await engine.reserve(one)
            if number % 7 == 0:
                await engine.reserve(one)
            if number % 50 == 0:
                await count_everywhere(engine, {("x", "A"): 5_000 + number})
            home = engine.store.home(name).orders
            if number % 4 == 0:
                await home.step("extend", name, "short", version=None, detail=1)
                await home.expire(100)
            elif number % 4 == 1:
                await home.step("cancel", name, "no", version=None, detail=[])
            elif number % 4 == 2:
                await home.step("confirm", name, "yes", version=None, detail=[])
                await home.step("ship", name, "go", version=None, detail=[])

    await asyncio.gather(*(buy(engine) for engine in engines * 12))


async def test_a_report_lists_so_many_differences_and_counts_all(empty_store_url: str) -> None:
    """A lost table must not become a report of a gigabyte."""
    async with small_sale(empty_store_url) as sale:
        await sale.client.hset(
            sale.key("counters"), mapping={f"9:c{number}": 1 for number in range(DIFFERENCES_MAX + 5)}
        )
        report = await sale.engine.audit()
    assert (report.difference_count, len(report.differences)) == (DIFFERENCES_MAX + 5, DIFFERENCES_MAX)


async def test_an_audit_that_lost_events_says_so_and_accuses_nobody(engine: Engine, empty_store_url: str) -> None:
    """What was dropped from the stream cannot be repaired in the books: no verdict is better than a false one."""
    await put_network(engine, {("x", "A"): 10_000})
    over = asyncio.Event()

    async def sell_and_forget() -> None:
        async with Redis.from_url(empty_store_url) as client:
            number = 0
            while not over.is_set():
                number += 1
                await engine.reserve(order(f"o{number}", ("x", 1)))
                await client.xtrim("stockade:{p0}:events", maxlen=1, approximate=False)

    seller = asyncio.create_task(sell_and_forget())
    told: dict[bool, str] = {}
    # An audit that is done between two orders loses none.
    for attempt in range(400):
        repair = attempt % 2 == 1
        try:
            if repair:
                assert (await engine.repair(dry_run=False)).steps == ()
            else:
                assert (await engine.audit()).differences == ()
        except StoreUnavailable as error:
            told[repair] = str(error)
        if len(told) == 2:
            break
    over.set()
    await seller
    assert len(told) == 2
    assert all("STOCKADE_EVENTS_KEPT_MAX" in message for message in told.values())


async def test_an_order_that_others_have_yet_to_follow_is_no_difference(empty_store_url: str) -> None:
    """Its home has it on the list: whoever tends the store next will bring them to it."""
    async with small_sale(empty_store_url, partitions=3) as sale:
        await count_everywhere(sale.engine, {("y", "C"): 9, ("z", "C"): 9})
        reserved(await sale.engine.reserve(order("far", ("y", 2), ("z", 1))))
        home = sale.engine.store.home("far")
        assert (await home.orders.step("cancel", "far", "no", version=None, detail=[])).letter == "A"
        report = await sale.engine.audit()
        assert (report.differences, report.following) == ((), 1)
        await sale.engine.store.wire.command("ZREM", home.keys.outbox, "far", lane=Lane.SALE)
        assert {kind for kind, *_ in await sale.audit()} == {"part"}
