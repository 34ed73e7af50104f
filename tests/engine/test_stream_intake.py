"""Orders by a stream: each message one result, each order held once, whatever is sent twice, broken, or left behind."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from api.http.bulk_lines import result_line
from engine import Engine, Settings, open_engine
from engine.store.stream import GROUP
from engine.stream_handful import DELIVERIES_MAX
from engine.stream_intake import StreamIntake
from tests.engine.small_network import assert_balanced, put_network
from tests.engine.stream_case import CLAIM_MS, WAIT_S, Queue, order


@pytest.fixture(params=[1, 3])
async def engine(empty_store_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Engine]:
    """An engine on an empty store of one partition, and of several."""
    settings = Settings(redis_url=empty_store_url, stream_claim_ms=CLAIM_MS, partitions=request.param)
    async with open_engine(settings) as opened:
        await put_network(opened, {("x", "A"): 1_000})
        yield opened


@pytest.fixture
async def queue(engine: Engine) -> AsyncIterator[Queue]:
    """A connector's client."""
    async with Redis.from_url(engine.store.url) as client:
        yield Queue(client)


async def test_each_message_has_a_result_and_each_order_is_held_once(engine: Engine, queue: Queue) -> None:
    """Those that were there before anybody read, twins, and what cannot be had."""
    early = await queue.put(order("a", 2), order("a", 2), order("b", 5_000))
    async with StreamIntake(engine, line_of=result_line):
        late = await queue.put(order("a", 3), *(order(f"c-{number}") for number in range(500)))
        found = await queue.finished(504)
    # Of twins either may be the first: all that counts is that one is.
    outcomes = [found[message][b"outcome"] for message in (*early, *late[:2])]
    assert sorted(outcomes[:2]) == [b"replayed", b"reserved"]
    assert outcomes[2:] == [b"rejected", b"rejected", b"reserved"]
    assert [json.loads(found[message][b"result"]).get("type") for message in (early[2], late[0])] == [
        *("insufficient-stock", "order-conflict")
    ]
    held = json.loads(found[late[1]][b"result"])
    assert (found[late[1]][b"order_id"], held["order_id"], held["status"]) == (b"c-0", "c-0", "confirmed")
    assert await queue.client.xlen(queue.orders) == 0
    assert await queue.dead_letters() == {}
    await assert_balanced(engine, units_reserved=502)


async def test_poison_ends_as_a_dead_letter_with_its_reason(engine: Engine, queue: Queue) -> None:
    """And its neighbours are served. Line ends between names are no poison, those within a text are."""
    poison = await queue.put(b"", b"{", order("a", 0), order("b").replace(b'"b"', b'"b\n"'), b"\xff", b"null")
    poison.append(await queue.client.xadd(queue.orders, {"body": order("c")}))
    good = await queue.put(order("d").replace(b"{", b"{\n"), order("e", metadata={"n": 1}))
    async with StreamIntake(engine, line_of=result_line):
        found = await queue.finished(9)
    assert {found[message][b"outcome"] for message in poison} == {b"invalid"}
    assert {found[message][b"outcome"] for message in good} == {b"reserved"}
    letters = await queue.dead_letters()
    assert letters.keys() == set(poison)
    assert all(letter[b"reason"] for letter in letters.values())
    assert letters[poison[2]][b"order"] == order("a", 0)
    assert b"`order`" in letters[poison[6]][b"reason"]
    assert b"`order`" in found[poison[6]][b"result"]
    await assert_balanced(engine, units_reserved=2)


async def test_what_a_dead_consumer_left_is_taken_over(engine: Engine, queue: Queue) -> None:
    """One died before it did anything, another after its orders were held and before it could say so."""
    async with StreamIntake(engine, line_of=result_line):
        await queue.put(order("first"))
        await queue.finished(1)
    messages = await queue.put(order("a"), order("b", 2))
    await queue.client.xreadgroup(GROUP, "dead", {queue.orders: ">"})
    lot = await engine.submit_lot(order("b", 2))
    await lot.done
    async with StreamIntake(engine, line_of=result_line):
        found = await queue.finished(3)
    assert [found[message][b"outcome"] for message in messages] == [b"reserved", b"replayed"]
    await assert_balanced(engine, units_reserved=4)


async def test_two_consumers_share_a_stream_and_write_one_result_each(engine: Engine, queue: Queue) -> None:
    """Also where one of them is stopped in the midst of it."""
    async with open_engine(engine.settings) as second:
        await queue.put(*(order(f"o-{number}") for number in range(900)))
        async with StreamIntake(engine, line_of=result_line):
            async with StreamIntake(second, line_of=result_line):
                await queue.finished(100)
            found = await queue.finished(900)
    assert {fields[b"outcome"] for fields in found.values()} <= {b"reserved", b"replayed"}
    await assert_balanced(engine, units_reserved=900)


async def test_a_message_that_nobody_finishes_is_given_up(engine: Engine, queue: Queue) -> None:
    """It may be the one that ends its consumers: it must not do so for ever. What became of its order is told."""
    async with StreamIntake(engine, line_of=result_line):
        await queue.put(order("held", 2))
        await queue.finished(1)
    held, other, missing, poison = await queue.put(order("held", 2), order("held", 3), order("a"), b"{")
    await queue.leave(held, other, missing, poison, deliveries=DELIVERIES_MAX)
    async with StreamIntake(engine, line_of=result_line):
        found = await queue.finished(5)
    assert [found[message][b"outcome"] for message in (held, other, missing, poison)] == [
        *(b"replayed", b"rejected", b"unknown", b"invalid")
    ]
    assert json.loads(found[held][b"result"])["status"] == "confirmed"
    assert json.loads(found[other][b"result"])["type"] == "order-conflict"
    assert found[missing][b"order_id"] == b"a"
    letters = await queue.dead_letters()
    assert letters.keys() == {missing, poison}
    assert letters[missing][b"order"] == order("a")
    await assert_balanced(engine, units_reserved=2)


async def test_a_message_whose_last_look_ends_its_consumer_is_given_up_unseen(engine: Engine, queue: Queue) -> None:
    """Else it were looked at for ever. The id is told as far as it can be read."""
    async with StreamIntake(engine, line_of=result_line):
        await queue.put(order("first"))
        await queue.finished(1)
    named, nameless = await queue.put(order("first"), b"{")
    await queue.leave(named, nameless, deliveries=DELIVERIES_MAX + 1)
    async with StreamIntake(engine, line_of=result_line):
        found = await queue.finished(3)
    assert {found[message][b"outcome"] for message in (named, nameless)} == {b"unknown"}
    assert [found[message][b"order_id"] for message in (named, nameless)] == [b"first", b""]
    assert (await queue.dead_letters()).keys() == {named, nameless}
    await assert_balanced(engine, units_reserved=1)


async def test_results_and_dead_letters_are_bounded(empty_store_url: str) -> None:
    """Nobody need read them."""
    settings = Settings(redis_url=empty_store_url, stream_results_max=100, stream_dead_max=100)
    async with open_engine(settings) as engine, Redis.from_url(empty_store_url) as client:
        queue = Queue(client)
        await queue.put(*([b"{"] * 2_000))
        async with StreamIntake(engine, line_of=result_line):
            async with asyncio.timeout(WAIT_S):
                while await client.xlen(queue.orders):
                    # Whoever waits for news of the results is woken by each.
                    with contextlib.suppress(TimeoutError):
                        await client.xread({queue.results: "$"}, block=100)
        # Streams are cut by whole nodes of a hundred entries.
        assert await client.xlen(queue.results) <= 300
        assert await client.xlen(queue.dead) <= 300
