"""The audit: no false finding while orders flow, and no silent one when somebody changed the books by hand."""

import asyncio

import pytest
from redis.asyncio import Redis

from engine import Engine, Settings, open_engine
from engine.audit import DIFFERENCES_MAX
from engine.errors import StoreUnavailable
from tests.engine.small_network import cell, order, put_network, put_stock, reserved

FREE, ON_HAND = "stockade:{p0}:free", "stockade:{p0}:on_hand"
ORDERS, COUNTERS = "stockade:{p0}:orders", "stockade:{p0}:counters"


@pytest.fixture
async def client(engine: Engine) -> Redis:
    """A hand in the books of a small sale: 3 of `few` held for ann at A, 2 of `x` for nobody at B."""
    await put_network(engine, {("few", "A"): 3, ("x", "B"): 5})
    reserved(await engine.reserve(order("one", ("few", 3), customer="ann")))
    reserved(await engine.reserve(order("two", ("x", 2))))
    assert (await engine.audit()).balanced
    return Redis.from_url(engine.store.url)


async def findings(engine: Engine, client: Redis) -> list[tuple[str, str, int, int]]:
    await client.aclose()
    report = await engine.audit()
    assert report.difference_count == len(report.differences)
    assert not report.balanced
    return [(one.kind, one.where, one.expected, one.found) for one in report.differences]


async def test_the_report_says_what_it_counted(engine: Engine, client: Redis) -> None:
    """A balance over nothing is worth nothing."""
    await client.aclose()
    report = await engine.audit()
    assert (report.orders, report.holding, report.cells) == (2, 2, 2)
    assert (report.units_on_hand, report.units_reserved) == (8, 5)


@pytest.mark.parametrize("batch_orders_max", [1, 500])
async def test_a_sale_under_way_gives_no_false_finding(empty_store_url: str, batch_orders_max: int) -> None:
    """It is run when somebody is worried, which is in mid-sale; a false alarm then costs more than none."""
    settings = Settings(redis_url=empty_store_url, batch_orders_max=batch_orders_max)
    async with open_engine(settings) as engine, open_engine(settings) as second:
        await put_network(engine, {(sku, name): 400 for sku in ("x", "y", "few") for name in "ABC"})
        sale = asyncio.create_task(_sell((engine, second)))
        reports = []
        while not sale.done():
            reports.append(await second.audit())
            assert reports[-1].differences == ()
        await sale
        reports.append(await engine.audit())
        assert reports[-1].differences == ()
        seen = [report.orders for report in reports]
        assert seen == sorted(seen)
        assert len(set(seen)) > 3, "no audit met the sale under way"


async def _sell(engines: tuple[Engine, ...]) -> None:
    """Orders, retries, counts, limits and holds that end, from 24 callers."""
    numbers = iter(range(600))

    async def buy(engine: Engine) -> None:
        for number in numbers:
            lines = [("x", 2), ("y", 1)] if number % 3 else [("few", 2), ("x", 1)]
            one = order(f"o{number}", *lines, customer=f"c{number % 40}", payment="pending" if number % 5 else "paid")
            await engine.reserve(one)
            if number % 7 == 0:
                await engine.reserve(one)
            if number % 50 == 0:
                await put_stock(engine, {("x", "A"): 5_000 + number})
            if number % 4 == 0:
                async with Redis.from_url(engine.store.url) as client:
                    await client.zadd("stockade:{p0}:holds", {f"o{number}": 1}, xx=True)
                await engine.store.partitions[0].orders.expire(100)

    await asyncio.gather(*(buy(engine) for engine in engines * 12))


@pytest.mark.parametrize("units", [1, -1])
async def test_a_changed_cell_is_named(engine: Engine, client: Redis, units: int) -> None:
    """A unit from nowhere would be sold and could not be shipped."""
    await client.hincrby(FREE, str(cell(engine, "x", "B")), units)
    assert await findings(engine, client) == [("reserved", "x at B", 2, 2 - units)]


async def test_a_deleted_order_is_named_by_its_cell_and_its_limit(engine: Engine, client: Redis) -> None:
    """The units it held are held by nobody, and its customer may not buy again."""
    await client.hdel(ORDERS, "one")
    number = engine.planner.core.sku_number("few")
    assert await findings(engine, client) == [("reserved", "few at A", 0, 3), ("limit", f"limit {number}:ann", 0, 3)]


async def test_a_deleted_cell_is_named(engine: Engine, client: Redis) -> None:
    """What is reserved of a cell that is gone is sold without being there."""
    for key in (FREE, ON_HAND):
        await client.hdel(key, str(cell(engine, "x", "B")))
    assert await findings(engine, client) == [("reserved", "x at B", 2, 0), ("oversold", "x at B", 0, 2)]


async def test_more_reserved_than_on_hand_is_named_though_the_sums_agree(engine: Engine, client: Redis) -> None:
    """Oversold is the one thing that must never be, whatever else adds up."""
    name = str(cell(engine, "x", "B"))
    await client.hset(ON_HAND, name, 1)
    await client.hset(FREE, name, -1)
    assert await findings(engine, client) == [("oversold", "x at B", 1, 2)]


@pytest.mark.parametrize("found", [0, 4])
async def test_a_changed_counter_is_named(engine: Engine, client: Redis, found: int) -> None:
    """Too low sells beyond the limit, too high refuses a customer without reason."""
    name = f"{engine.planner.core.sku_number('few')}:ann"
    await client.hset(COUNTERS, name, found)
    assert await findings(engine, client) == [("limit", f"limit {name}", 3, found)]


@pytest.mark.parametrize("spoilt", [b"", b"torn", b"\x09" + bytes(60), b"\x01\x02" + bytes(36) + b"\xff"])
async def test_an_unreadable_record_is_named(engine: Engine, client: Redis, spoilt: bytes) -> None:
    """What it held cannot be told, so its cell is named as well; the other orders are still counted."""
    await client.hset(ORDERS, "two", spoilt)
    assert await findings(engine, client) == [("record", "order two", 0, 0), ("reserved", "x at B", 0, 2)]


async def test_an_unreadable_record_that_the_sale_touches_is_named(engine: Engine, client: Redis) -> None:
    """Read again for an event since the audit began, it is still only a finding."""
    position = await engine.store.partitions[0].cells.newest_event()
    reserved(await engine.reserve(order("three", ("x", 1))))
    await client.hset(ORDERS, "three", b"torn")
    await client.aclose()
    assert (await engine.store.partitions[0].cells.touched(position, 10)).records == {"three": b"torn"}


async def test_a_report_lists_so_many_differences_and_counts_all(engine: Engine, client: Redis) -> None:
    """A lost table must not become a report of a gigabyte."""
    await client.hset(COUNTERS, mapping={f"9:c{number}": 1 for number in range(DIFFERENCES_MAX + 5)})
    await client.aclose()
    report = await engine.audit()
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
    verdicts, told = 0, []
    for _ in range(5):
        try:
            report = await engine.audit()
            assert report.differences == ()
            verdicts += 1
        except StoreUnavailable as error:
            told.append(str(error))
    over.set()
    await seller
    assert verdicts < 5
    assert all("STOCKADE_EVENTS_KEPT_MAX" in message for message in told)
