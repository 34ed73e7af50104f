"""More orders than an engine can do: who is turned away, who is not, and what becomes of those that were let in."""

import asyncio
from asyncio import Future, StreamWriter
from collections.abc import Callable, Iterable, Sequence

import msgspec
import pytest
from redis.asyncio import Redis

from engine import Engine, Settings, open_engine
from engine.intake import Conflict, Outcome, Overloaded, Reserved
from engine.intake.batches import Asked, Batches, Planned
from engine.intake.waiting import Taken
from tests.engine.overload.test_lots import lines
from tests.engine.small_network import assert_balanced, change_unseen, order, put_network, reserved

UNITS = 20_000


def submit(engine: Engine, source: str, count: int, *, start: int = 0) -> list["Future[Outcome]"]:
    """Orders of one source."""
    return [engine.submit(order(f"{source}{n}", ("x", 1)), source=source) for n in range(start, start + count)]


async def outcomes(answers: Sequence["Future[Outcome]"]) -> list[Outcome]:
    """All of them."""
    return list(await asyncio.gather(*answers))


async def test_who_floods_gives_way_to_who_does_not(empty_store_url: str) -> None:
    """Every order of the second key is taken, before most of the first one's; the first loses its newest."""
    settings = Settings(redis_url=empty_store_url, queue_orders_max=100, batch_orders_max=10)
    async with open_engine(settings) as engine:
        await put_network(engine, {("x", "A"): UNITS})
        done: list[str] = []
        async with engine.intake.exclusive:
            flood = submit(engine, "flood", 300)
            second = submit(engine, "second", 40)
            late = submit(engine, "flood", 1, start=300)
            for name, answers in (("flood", flood), ("second", second)):
                for answer in answers:
                    answer.add_done_callback(lambda _, name=name: done.append(name))  # type: ignore[misc]
            told = [answer.result() for answer in (*flood[60:], *late) if answer.done()]
            assert len(told) == 241
            assert {(type(one), one.reason) for one in told if isinstance(one, Overloaded)} == {
                (Overloaded, "queue-full")
            }
        assert all(isinstance(one, Reserved) for one in await outcomes([*second, *flood[:60]]))
        # Those of the flood that were refused were so before; then both took turns.
        last = len(done) - done[::-1].index("second")
        assert done[:last].count("flood") <= 240 + 40 + 10
        await assert_balanced(engine, units_reserved=100)


async def test_one_source_alone_may_fill_the_queue(empty_store_url: str) -> None:
    """Sharing costs nothing where nobody else is there."""
    async with open_engine(Settings(redis_url=empty_store_url, queue_orders_max=50)) as engine:
        await put_network(engine, {("x", "A"): UNITS})
        async with engine.intake.exclusive:
            answers = submit(engine, "one", 60)
            assert sum(answer.done() for answer in answers) == 10
            assert engine.turned_away("one") == Overloaded(1, "queue-full")
            assert engine.turned_away("two") is None
        await outcomes(answers)


async def test_what_a_batch_takes_of_a_lot_in_several_turns_is_served(empty_store_url: str) -> None:
    """Where the other source has little, the first one has two turns in a batch; so it has after it was put back."""
    async with open_engine(Settings(redis_url=empty_store_url)) as engine:
        await put_network(engine, {("x", "A"): UNITS})
        for number in range(3):
            async with engine.intake.exclusive:
                single = submit(engine, "single", 1, start=number)
                lots = [
                    await engine.submit_lot(lines(f"{source}{number}-", count), source=source)
                    for source, count in (("many", 500), ("few", 10))
                ]
            # Who wants the view has the batch that is planned ahead put back.
            looks = [asyncio.create_task(engine.set_prices(None)) for _ in range(3)]
            for lot in lots:
                await lot.done
                assert lot.core.reserved == len(lot)
            reserved((await outcomes(single))[0])
            await asyncio.gather(*looks)
        assert not engine.intake.failed
        await assert_balanced(engine, units_reserved=3 * 511)


async def test_an_order_whose_time_is_over_is_not_begun(empty_store_url: str) -> None:
    """Its caller has gone; whoever has time left, and whoever comes anew, is served."""
    async with open_engine(Settings(redis_url=empty_store_url, order_wait_ms_max=60_000)) as engine:
        await put_network(engine, {("x", "A"): UNITS})
        loop = asyncio.get_running_loop()
        async with engine.intake.exclusive:
            late = engine.submit(order("late", ("x", 1)), deadline_s=loop.time() + 0.02)
            patient = engine.submit(order("patient", ("x", 1)))
            over_s = loop.time() + 0.05
            while loop.time() < over_s:
                await asyncio.sleep(0.01)
            assert not late.done()
        assert await late == Overloaded(1, "deadline")
        reserved(await patient)
        assert await engine.order("late") is None
        assert engine.submit(order("past", ("x", 1)), deadline_s=loop.time() - 1).result() == Overloaded(1, "deadline")
        reserved(await engine.reserve(order("late", ("x", 1))))
        await assert_balanced(engine, units_reserved=2)


async def test_by_default_an_order_waits_as_long_as_is_set(empty_store_url: str) -> None:
    """A queue that does not move ends for those in it."""
    async with open_engine(Settings(redis_url=empty_store_url, order_wait_ms_max=30)) as engine:
        await put_network(engine, {("x", "A"): UNITS})
        async with engine.intake.exclusive:
            answer = engine.submit(order("one", ("x", 1)))
            await asyncio.sleep(0.06)
        assert await answer == Overloaded(1, "deadline")


async def test_an_order_that_is_with_the_store_gets_its_true_answer(empty_store_url: str) -> None:
    """However late, and however often it is planned: a deadline that lies about a held order sells it twice."""
    async with open_engine(Settings(redis_url=empty_store_url)) as engine:
        await put_network(engine, {("x", "A"): 5, ("x", "B"): 5})
        # The first plan takes what is not there, so that it is planned again, after its time.
        await change_unseen(engine, "x", "A", -5)
        async with Redis.from_url(empty_store_url) as client:
            await client.execute_command("CLIENT", "PAUSE", 150, "ALL")
            deadline_s = asyncio.get_running_loop().time() + 0.05
            answer = engine.submit(order("one", ("x", 5)), deadline_s=deadline_s)
            assert [s.warehouse for s in reserved(await answer).allocation.shipments] == ["B"]
        assert asyncio.get_running_loop().time() > deadline_s
        assert engine.intake.replans > 0


async def test_one_that_would_wait_too_long_is_told_at_once(empty_store_url: str) -> None:
    """By the rate that the service has shown; of another source that has nothing here it may be begun in time."""
    async with open_engine(Settings(redis_url=empty_store_url, batch_orders_max=20)) as engine:
        await put_network(engine, {("x", "A"): UNITS})
        await outcomes(submit(engine, "learn", 2_000))
        assert engine.intake.wait_s == 0
        loop = asyncio.get_running_loop()
        async with engine.intake.exclusive:
            waiting = submit(engine, "flood", 400)
            assert engine.intake.wait_s > 0
            hasty = [
                engine.submit(order(f"hasty{source}", ("x", 1)), source=source, deadline_s=loop.time() + 0.001)
                for source in ("flood", "other")
            ]
            assert [answer.done() for answer in hasty] == [True, False]
            refused = hasty[0].result()
            assert isinstance(refused, Overloaded)
            assert refused.reason == "deadline"
        await outcomes([*waiting, *hasty])


async def test_a_standing_queue_lets_in_what_it_can_serve_soon(empty_store_url: str) -> None:
    """Three times what it can do for a while: who is let in waits a short time, and soon after all may come again."""
    settings = Settings(redis_url=empty_store_url, batch_orders_max=4, queue_standing_ms=20)
    async with open_engine(settings) as engine:
        await put_network(engine, {("x", "A"): UNITS})
        loop = asyncio.get_running_loop()
        began = loop.time()
        await outcomes(submit(engine, "learn", 500))
        rate = 500 / (loop.time() - began)
        waited: list[float] = []
        answers: list[Future[Outcome]] = []
        began = loop.time()
        while (now := loop.time()) < began + 2:
            for number in range(len(answers), int(3 * rate * (now - began))):
                answer = engine.submit(order(f"o{number}", ("x", 1)))
                if not answer.done() and now > began + 1:
                    answer.add_done_callback(lambda _, now=now: waited.append(loop.time() - now))  # type: ignore[misc]
                answers.append(answer)
            await asyncio.sleep(0.002)
        assert engine.intake.patience.standing
        found = await outcomes(answers)
        refused = [one for one in found if isinstance(one, Overloaded)]
        taken = [one for one in found if isinstance(one, Reserved)]
        assert len(refused) + len(taken) == len(found)
        assert {one.reason for one in refused[-10:]} == {"queue-standing"}
        assert all(1 <= one.retry_after_s <= 10 for one in refused)
        assert sorted(waited)[len(waited) // 2] < 0.25, "half of those let in while it stood waited for much longer"
        while engine.intake.patience.standing:
            assert loop.time() < began + 2 + 10
            await asyncio.sleep(0.01)
        await outcomes(submit(engine, "burst", 200))
        await assert_balanced(engine)


async def test_one_order_sent_by_many_at_once_is_planned_once(empty_store_url: str) -> None:
    """All get the one answer, and other keys do not wait for it; also where who sent it first has hung up."""
    settings = Settings(redis_url=empty_store_url, queue_orders_max=400, batch_orders_max=20)
    async with open_engine(settings) as engine:
        await put_network(engine, {("x", "A"): UNITS})
        async with engine.intake.exclusive:
            twins = [engine.submit(order("same", ("x", 1)), source="many") for _ in range(300)]
            others = submit(engine, "other", 15)
        first = reserved(await twins[0])
        assert all(other.done() for other in others), "they were in the same batch"
        found = await outcomes(twins)
        assert found == [first, *[Reserved(first.json, replayed=True)] * 299]
        assert engine.intake.batches == 1
        async with engine.intake.exclusive:
            gone, *rest = [engine.submit(order("again", ("x", 1)), source="many") for _ in range(5)]
            gone.cancel()
        assert {reserved(one).allocation.order_id for one in await outcomes(rest)} == {"again"}
        await assert_balanced(engine, units_reserved=17)


async def test_orders_that_share_an_id_keep_no_other_key_waiting(empty_store_url: str) -> None:
    """Each has to wait for the one before; they do so among the orders of their own key."""
    settings = Settings(redis_url=empty_store_url, queue_orders_max=400, batch_orders_max=20)
    async with open_engine(settings) as engine:
        await put_network(engine, {("x", "A"): UNITS})
        async with engine.intake.exclusive:
            same = [engine.submit(order("same", ("x", n)), source="many") for n in range(1, 301)]
            others = submit(engine, "other", 100)
        assert all(isinstance(one, Reserved) for one in await outcomes(others))
        assert engine.intake.batches <= 100 // (20 // 2) + 1
        found = await outcomes(same)
        assert isinstance(found[0], Reserved)
        assert {type(one) for one in found[1:]} <= {Conflict, Overloaded}
        await assert_balanced(engine, units_reserved=101)


async def test_orders_that_are_planned_again_are_not_served_yet(empty_store_url: str) -> None:
    """A sold-out order takes two batches: the rate is that of answers, not of plans."""
    async with open_engine(Settings(redis_url=empty_store_url, batch_orders_max=50)) as engine:
        await put_network(engine, {("x", "A"): 0})
        await outcomes(submit(engine, "gone", 500))
        patience = engine.intake.patience
        # Who is refused is told before its batch is settled.
        reserved_none = await engine.reserve(order("last", ("x", 1)))
        assert not isinstance(reserved_none, Reserved)
        async with asyncio.timeout(10):
            while patience.served < 501:
                await asyncio.sleep(0.01)
        assert patience.served == 501
        assert engine.intake.replans >= 500


async def test_an_outage_is_no_measure_of_the_service(empty_store_url: str) -> None:
    """Who is turned away after it is not told to stay away for as long as it lasted."""
    async with open_engine(Settings(redis_url=empty_store_url, batch_orders_max=20)) as engine:
        await put_network(engine, {("x", "A"): UNITS})
        await outcomes(submit(engine, "learn", 2_000))
        before_s = engine.intake.patience.s_per_order
        async with Redis.from_url(empty_store_url) as client:
            answers = submit(engine, "during", 200)
            # Cut off in mid-sale, and then silent: the service gets no connection before it is over.
            await client.execute_command("CLIENT", "PAUSE", 1_000, "ALL")
            await client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        assert all(isinstance(one, Reserved) for one in await outcomes(answers))
        assert engine.intake.patience.s_per_order < 10 * before_s


async def test_lots_have_their_part_of_every_batch(empty_store_url: str) -> None:
    """However many orders wait one by one, and however long these are."""
    settings = Settings(redis_url=empty_store_url, batch_orders_max=32)
    async with open_engine(settings) as engine:
        await put_network(engine, {("x", "A"): UNITS})
        lines = b"\n".join(msgspec.json.encode(order(f"lot{n}", ("x", 1))) for n in range(20))
        async with engine.intake.exclusive:
            singles = submit(engine, "one", 32 * 20)
            lot = await engine.submit_lot(lines, source="two")
        waiting = asyncio.gather(*singles)
        await lot.done
        assert not waiting.done()
        assert lot.core.reserved == 20
        await waiting
        long = {f"k{at}": "x" * 2_000 for at in range(6)}
        async with engine.intake.exclusive:
            singles = [engine.submit(order(f"long{n}", ("x", 1), metadata=long), source="one") for n in range(300)]
            lot = await engine.submit_lot(lines.replace(b'"lot', b'"lote'), source="two")
        waiting = asyncio.gather(*singles)
        await lot.done
        assert not waiting.done()
        await waiting
        await assert_balanced(engine, units_reserved=32 * 20 + 300 + 40)


async def test_the_store_has_a_batch_before_the_next_one_is_planned(
    empty_store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else neither works while the other does."""
    written, asked, early = [0], [0], list[int]()
    write, plan, ask = StreamWriter.writelines, Batches.plan, Batches.ask

    def writelines(writer: StreamWriter, data: Iterable[bytes]) -> None:
        chunks = list(data)
        written[0] += sum(b"\r\nstockade_commit\r\n" in chunk for chunk in chunks)
        write(writer, chunks)

    def planned(batches: Batches, taken: Taken, *, other: Planned | None) -> Planned:
        if other is not None:
            early.append(asked[0] - written[0])
        return plan(batches, taken, other=other)

    async def counted(batches: Batches, one: Planned, beside: Callable[[], Planned | None]) -> Asked:
        asked[0] += 1
        return await ask(batches, one, beside)

    monkeypatch.setattr(StreamWriter, "writelines", writelines)
    monkeypatch.setattr(Batches, "plan", planned)
    monkeypatch.setattr(Batches, "ask", counted)
    async with open_engine(Settings(redis_url=empty_store_url, bulk_batch_orders_max=100)) as engine:
        await put_network(engine, {("x", "A"): UNITS})
        lines = [msgspec.json.encode(order(f"lot{n}", ("x", 1))) for n in range(2_000)]
        lots = [await engine.submit_lot(b"\n".join(lines[at : at + 200])) for at in range(0, 2_000, 200)]
        await asyncio.gather(*(lot.done for lot in lots))
        await assert_balanced(engine, units_reserved=2_000)
    assert len(early) >= 10
    # When a call is on its way can only be guessed from here: a wrong guess costs time, and nothing else.
    assert early.count(0) >= len(early) * 3 // 4, early
