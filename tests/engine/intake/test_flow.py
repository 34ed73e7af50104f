"""The flow under races: one effect an order, no unit sold twice, no refusal that is not true, nobody left waiting."""

import asyncio
from collections.abc import Sequence

import msgspec
import pytest
from redis.asyncio import Redis

from engine import Engine, Settings, State, open_engine
from engine.errors import EngineClosed, StoreUnavailable
from engine.intake import Conflict, InsufficientStock, Overloaded, PurchaseLimit, Reserved, Shortage, Unavailable
from engine.intake.flow import Intake
from engine.store.orders import CommitReply, OrderCalls
from tests.engine.small_network import another, assert_balanced, change_unseen, order, put_network, put_stock, reserved

ANSWER_S = 10.0


async def test_one_unit_goes_to_one_of_64_buyers(engine: Engine) -> None:
    """The flash sale in small: one winner, the truth for all others, and nobody waits for ever."""
    await put_network(engine, {("x", "A"): 1, ("x", "B"): 0})
    buyers = (engine.reserve(order(f"o{number}", ("x", 1))) for number in range(64))
    outcomes = await asyncio.wait_for(asyncio.gather(*buyers), ANSWER_S)
    assert sum(isinstance(outcome, Reserved) for outcome in outcomes) == 1
    short = InsufficientStock((Shortage("x", 1, 0),), spread=False)
    assert [outcome for outcome in outcomes if not isinstance(outcome, Reserved)] == [short] * 63
    await assert_balanced(engine, units_reserved=1)


async def test_one_unit_goes_to_one_buyer_of_four_engines(engine: Engine) -> None:
    """The engines' views know nothing of each other at that moment: only the store can tell."""
    await put_network(engine, {("x", "A"): 1})
    async with another(engine) as second, another(engine) as third, another(engine) as fourth:
        engines = (engine, second, third, fourth)
        buyers = (engines[number % 4].reserve(order(f"o{number}", ("x", 1))) for number in range(64))
        outcomes = await asyncio.wait_for(asyncio.gather(*buyers), ANSWER_S)
        assert sum(isinstance(outcome, Reserved) for outcome in outcomes) == 1
        assert sum(isinstance(outcome, InsufficientStock) for outcome in outcomes) == 63
    await assert_balanced(engine, units_reserved=1)


async def test_two_lines_of_one_sku_are_summed(engine: Engine) -> None:
    """Either line alone could be had."""
    await put_network(engine, {("x", "A"): 5})
    assert await engine.reserve(order("much", ("x", 3), ("x", 3))) == InsufficientStock((Shortage("x", 6, 5),), False)
    fits = reserved(await engine.reserve(order("fits", ("x", 3), ("x", 2)))).allocation
    assert [(line.sku, line.quantity) for line in fits.shipments[0].lines] == [("x", 5)]
    await assert_balanced(engine, units_reserved=5)


@pytest.mark.parametrize("on_hand", [1, 100])
async def test_twins_in_flight_take_once_and_hear_the_same(engine: Engine, on_hand: int) -> None:
    """A double click, and a client that retries while its first try is on the way; also where it took the last unit."""
    await put_network(engine, {("x", "A"): on_hand})
    twins = (engine.reserve(order("one", ("x", 1))) for _ in range(20))
    outcomes = [reserved(outcome) for outcome in await asyncio.wait_for(asyncio.gather(*twins), ANSWER_S)]
    assert sorted(outcome.replayed for outcome in outcomes) == [False] + [True] * 19
    assert len({outcome.json for outcome in outcomes}) == 1
    await assert_balanced(engine, units_reserved=1)


async def test_twins_at_two_engines_take_once(engine: Engine) -> None:
    """A load balancer sends the retry elsewhere."""
    await put_network(engine, {("x", "A"): 1})
    async with another(engine) as second:
        twins = (one.reserve(order("one", ("x", 1))) for one in (engine, second) * 10)
        outcomes = [reserved(outcome) for outcome in await asyncio.wait_for(asyncio.gather(*twins), ANSWER_S)]
    assert sorted(outcome.replayed for outcome in outcomes) == [False] + [True] * 19
    assert len({outcome.json for outcome in outcomes}) == 1
    await assert_balanced(engine, units_reserved=1)


@pytest.mark.parametrize("on_hand", [1, 100])
async def test_one_id_with_two_contents_is_one_order_and_a_conflict(engine: Engine, on_hand: int) -> None:
    """Whoever comes first has the id; the other must not be told of stock, which it would not get anyway."""
    await put_network(engine, {("x", "A"): on_hand})
    both = (engine.reserve(order("one", ("x", units))) for units in (1, 2))
    first, second = await asyncio.wait_for(asyncio.gather(*both), ANSWER_S)
    assert (reserved(first).replayed, second) == (False, Conflict())
    assert await engine.reserve(order("one", ("x", 1), channel="other")) == Conflict()
    await assert_balanced(engine, units_reserved=1)


async def test_a_retry_finds_its_order_when_all_is_sold(engine: Engine) -> None:
    """The commonest retry of a sale: its own order took the last unit, so the shelf is empty, and it is still held."""
    await put_network(engine, {("few", "A"): 3})
    first = reserved(await engine.reserve(order("one", ("few", 3), customer="ann")))
    again = reserved(await engine.reserve(order("one", ("few", 3), customer="ann")))
    assert (again.json, again.replayed) == (first.json, True)
    await engine.put_skus([msgspec.structs.replace(engine.planner.skus["few"], purchase_limit=1)])
    assert reserved(await engine.reserve(order("one", ("few", 3), customer="ann"))).json == first.json
    beyond = await engine.reserve(order("two", ("few", 2), customer="bob"))
    assert isinstance(beyond, PurchaseLimit)
    await assert_balanced(engine, units_reserved=3)


async def test_a_sale_that_the_view_missed_is_planned_anew(engine: Engine) -> None:
    """The cheapest warehouse is empty and the view does not know: the next one has it, and the order gets it."""
    await put_network(engine, {("x", "A"): 5, ("x", "B"): 5})
    await change_unseen(engine, "x", "A", -5)
    allocation = reserved(await engine.reserve(order("one", ("x", 5)))).allocation
    assert [shipment.warehouse for shipment in allocation.shipments] == ["B"]
    assert isinstance(await engine.reserve(order("two", ("x", 1))), InsufficientStock)
    await assert_balanced(engine, units_reserved=5)


@pytest.mark.parametrize("warehouse", ["A", "C"])
async def test_a_restock_that_the_view_missed_is_sold(engine: Engine, warehouse: str) -> None:
    """A refusal from memory would turn a customer away from a full shelf; C has never held the SKU before."""
    await put_network(engine, {("x", "A"): 0})
    await change_unseen(engine, "x", warehouse, 7)
    allocation = reserved(await engine.reserve(order("one", ("x", 7)))).allocation
    assert allocation.shipments[0].warehouse == warehouse


async def test_a_refusal_is_true_though_another_engine_restocks_and_sells(engine: Engine) -> None:
    """Each restock is followed at once by an order elsewhere, before any event can have arrived."""
    await put_network(engine, {("x", "A"): 0})
    async with another(engine) as second:
        for number in range(1, 31):
            seller, buyer = (engine, second) if number % 2 else (second, engine)
            await put_stock(seller, {("x", "A"): number})
            reserved(await buyer.reserve(order(f"o{number}", ("x", 1))))
            assert isinstance(await seller.reserve(order(f"late{number}", ("x", 1))), InsufficientStock)
        await assert_balanced(second, units_reserved=30)


async def test_another_engines_news_arrive_by_themselves(engine: Engine) -> None:
    """New names, stock and sales reach a view that asks for nothing, so that its plans are good at once."""
    await put_network(engine, {("x", "A"): 5})
    async with another(engine) as second:
        await put_stock(second, {("x", "B"): 50})
        await second.reserve(order("one", ("x", 5)))
        for _ in range(200):
            if (await engine.quote(order("q", ("x", 50)))).json and engine.planner.core.cell_count == 2:
                break
            await asyncio.sleep(0.01)
        replans = engine.intake.replans
        allocation = reserved(await engine.reserve(order("two", ("x", 50)))).allocation
        assert [shipment.warehouse for shipment in allocation.shipments] == ["B"]
        assert engine.intake.replans == replans


async def test_a_store_timeout_shorter_than_the_wait_for_news_loses_no_news(
    empty_store_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A quiet store is no broken store: waiting for events has a time of its own."""
    async with open_engine(Settings(redis_url=empty_store_url, store_timeout_ms=50)):
        await asyncio.sleep(0.8)
    assert capsys.readouterr() == ("", "")


async def test_one_order_too_many_for_the_queue_is_told_at_once(empty_store_url: str) -> None:
    """A queue without end is a wait without end."""
    async with open_engine(Settings(redis_url=empty_store_url, queue_orders_max=5)) as engine:
        await put_network(engine, {("x", "A"): 100})
        answers = [engine.submit(order(f"o{number}", ("x", 1))) for number in range(8)]
        assert [answer.done() for answer in answers] == [False] * 5 + [True] * 3
        outcomes = await asyncio.gather(*answers)
        assert outcomes[5:] == [Overloaded(1)] * 3
        assert all(isinstance(outcome, Reserved) for outcome in outcomes[:5])
        reserved(await engine.reserve(order("o7", ("x", 1))))
        await assert_balanced(engine, units_reserved=6)


async def test_no_batch_is_larger_than_allowed(empty_store_url: str) -> None:
    """A batch's size is the time for which the store serves nobody else."""
    async with open_engine(Settings(redis_url=empty_store_url, batch_orders_max=10)) as engine:
        await put_network(engine, {("x", "A"): 20})
        await asyncio.gather(*(engine.reserve(order(f"o{number % 40}", ("x", 1))) for number in range(60)))
        async with Redis.from_url(empty_store_url) as client:
            entries = await client.xrange("stockade:{p0}:events")
        sizes = [len(msgspec.msgpack.decode(fields[b"i"])) for _, fields in entries if fields[b"t"] == b"commit"]
        assert sizes == [10, 10]
        await assert_balanced(engine, units_reserved=20)


async def test_a_stopping_engine_answers_everybody_who_waits(empty_store_url: str) -> None:
    """Whoever was let in gets its outcome; whoever comes later is sent elsewhere."""
    async with open_engine(Settings(redis_url=empty_store_url, batch_orders_max=20)) as engine:
        await put_network(engine, {("x", "A"): 150})
        answers = [engine.submit(order(f"o{number}", ("x", 1))) for number in range(200)]
    assert all(answer.done() for answer in answers)
    assert sum(isinstance(answer.result(), Reserved) for answer in answers) == 150
    with pytest.raises(EngineClosed):
        await engine.submit(order("late", ("x", 1)))


async def test_a_caller_that_hangs_up_leaves_a_reservation_that_its_retry_finds(engine: Engine) -> None:
    """Its commit may be done already; undoing it could undo what the retry was just told."""
    await put_network(engine, {("x", "A"): 3})
    gone = [engine.submit(order(f"o{number}", ("x", 1))) for number in range(3)]
    await asyncio.sleep(0)
    for answer in gone:
        answer.cancel()
    retries = await asyncio.gather(*(engine.reserve(order(f"o{number}", ("x", 1))) for number in range(3)))
    assert [reserved(outcome).replayed for outcome in retries] == [True] * 3
    await assert_balanced(engine, units_reserved=3)


async def test_a_store_that_refuses_is_reported_as_certain_and_costs_no_stock(engine: Engine) -> None:
    """Out of memory: the caller may go elsewhere with this order, and the view gets back what it gave."""
    await put_network(engine, {("x", "A"): 1})
    async with Redis.from_url(engine.store.url) as client:
        await client.config_set("maxmemory", "1mb")
        try:
            refused = await engine.reserve(order("one", ("x", 1)))
        finally:
            await client.config_set("maxmemory", "0")
    assert isinstance(refused, Unavailable)
    assert refused.certain
    assert "raise maxmemory" in refused.detail
    assert not reserved(await engine.reserve(order("one", ("x", 1)))).replayed
    await assert_balanced(engine, units_reserved=1)


async def test_an_exchanged_store_is_loaded_anew_in_mid_sale(engine: Engine) -> None:
    """FLUSHALL under a running engine: nothing may be written with the numbers of the store that is gone."""
    await put_network(engine, {("x", "A"): 5, ("y", "A"): 5})
    async with Redis.from_url(engine.store.url) as client:
        await client.flushall()
    await engine.reserve(order("one", ("x", 1)))
    await engine.put_warehouses(list(engine.planner.warehouses.values()))
    await put_network(engine, {("y", "B"): 5})
    allocation = reserved(await engine.reserve(order("two", ("y", 5)))).allocation
    assert [shipment.warehouse for shipment in allocation.shipments] == ["B"]
    assert isinstance(await engine.reserve(order("three", ("x", 1))), InsufficientStock)
    await assert_balanced(engine, units_reserved=5)


async def test_a_record_that_cannot_be_read_stops_no_other_order(engine: Engine, empty_store_url: str) -> None:
    """One torn record is one order's trouble: its retry is told so, and the sale goes on."""
    await put_network(engine, {("x", "A"): 5})
    torn = order("torn", ("x", 1))
    reserved(await engine.reserve(torn))
    async with Redis.from_url(empty_store_url) as client:
        whole = await client.hget("stockade:{p0}:orders", "torn")
        await client.hset("stockade:{p0}:orders", "torn", whole[:38] + b"\xff")
    both = await asyncio.gather(engine.reserve(torn), engine.reserve(order("other", ("x", 1))))
    assert isinstance(both[0], Unavailable)
    assert "record" in both[0].detail
    reserved(both[1])
    reserved(await engine.reserve(order("later", ("x", 1))))


async def test_a_partial_order_is_filled_from_stock_that_the_view_does_not_know(engine: Engine) -> None:
    """To leave a part out is to refuse that part: the store is looked at first."""
    await put_network(engine, {("x", "A"): 1})
    async with another(engine) as second:
        await put_stock(second, {("x", "A"): 10})
        partial = msgspec.structs.replace(order("part", ("x", 5)), allow_partial=True)
        allocation = reserved(await engine.reserve(partial)).allocation
    assert allocation.unfilled == ()
    assert [(line.sku, line.quantity) for line in allocation.shipments[0].lines] == [("x", 5)]


async def test_an_engine_that_failed_stays_failed_and_says_so(engine: Engine) -> None:
    """Whatever else breaks after it: /readyz must not turn green, nor may the caller hear of an orderly stop."""
    await put_network(engine, {("x", "A"): 5})
    engine.intake.fail()
    engine.intake.fail()
    assert engine.state is State.FAILED
    with pytest.raises(EngineClosed, match="restart"):
        await engine.reserve(order("one", ("x", 1)))


@pytest.mark.parametrize("in_lots", [False, True])
async def test_a_true_answer_is_given_though_the_rest_of_the_order_is_in_demand(engine: Engine, in_lots: bool) -> None:
    """Every batch takes of what it wants, too: that keeps nobody from hearing no, nor from the part that there is."""
    await put_network(engine, {("x", "A"): 1_000_000, ("y", "A"): 0})
    sold_out = InsufficientStock((Shortage("y", 1, 0),), spread=False)
    done = asyncio.Event()

    async def buy(buyer: int) -> None:
        count = 0
        while not done.is_set():
            # Not all at once: some are always there when a reply comes.
            await asyncio.sleep(0.0005 * (buyer % 20))
            if in_lots:
                ids = (f"hot-{buyer}-{count + number}" for number in range(20))
                await (await engine.submit_lot(b"\n".join(line(order_id) for order_id in ids))).done
                count += 20
            else:
                reserved(await engine.reserve(order(f"hot-{buyer}-{count}", ("x", 1))))
                count += 1

    def line(order_id: str) -> bytes:
        return msgspec.json.encode(order(order_id, ("x", 1)))

    buyers = [asyncio.create_task(buy(number)) for number in range(4 if in_lots else 100)]
    try:
        for number in range(30):
            both = (("x", 1), ("y", 1))
            assert await engine.reserve(order(f"all-{number}", *both)) == sold_out
            part = reserved(await engine.reserve(order(f"part-{number}", *both, allow_partial=True))).allocation
            assert [(one.sku, one.quantity) for one in part.unfilled] == [("y", 1)]
    finally:
        done.set()
        await asyncio.wait_for(asyncio.gather(*buyers), ANSWER_S)
    await assert_balanced(engine)


async def test_nothing_is_sent_after_a_commit_that_broke_off(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the store was looked at again: what it did of that one nobody knows, and it may be another store."""
    await put_network(engine, {("x", "A"): 10})
    told: list[str] = []
    commit, run = OrderCalls.commit, Intake._run

    async def broken_once(calls: OrderCalls, args: Sequence[bytes]) -> CommitReply:
        told.append("commit")
        if told == ["run", "commit"]:
            # Meanwhile another order comes.
            await asyncio.sleep(0.1)
            raise StoreUnavailable("the line went dead")
        return await commit(calls, args)

    async def told_run(intake: Intake) -> str | None:
        told.append("run")
        return await run(intake)

    monkeypatch.setattr(OrderCalls, "commit", broken_once)
    monkeypatch.setattr(Intake, "_run", told_run)
    first = asyncio.create_task(engine.reserve(order("first", ("x", 1))))
    await asyncio.sleep(0.05)
    second = asyncio.create_task(engine.reserve(order("second", ("x", 1))))
    for outcome in await asyncio.wait_for(asyncio.gather(first, second), ANSWER_S):
        reserved(outcome)
    assert told[:4] == ["run", "commit", "run", "commit"]
    await assert_balanced(engine, units_reserved=2)
