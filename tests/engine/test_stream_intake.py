"""Orders by a stream: each message one result, each order held once, whatever is sent twice, broken, or left behind."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from api.http.bulk_lines import result_line
from engine import Engine, Settings, open_engine
from engine.store.stream import GROUP
from engine.stream_handful import DELIVERIES_MAX
from engine.stream_intake import StreamIntake
from tests.engine.small_network import assert_balanced, put_network

WAIT_S = 20.0
CLAIM_MS = 1_000

Fields = dict[bytes, bytes]


class Queue:
    """The streams as a connector sees them."""

    def __init__(self, client: "Redis[bytes]", namespace: str = "stockade") -> None:
        self.client = client
        self.orders, self.results, self.dead = (
            f"{namespace}:{{intake}}:{name}" for name in ("orders", "results", "dead")
        )

    async def put(self, *orders: bytes) -> list[bytes]:
        """Append orders; returns the ids of the messages."""
        return [await self.client.xadd(self.orders, {"order": order}) for order in orders]

    async def finished(self, count: int) -> dict[bytes, Fields]:
        """The results by message, once there are so many."""
        async with asyncio.timeout(WAIT_S):
            after, found = b"0", {}
            while len(found) < count:
                reply: Any = await self.client.xread({self.results: after}, block=1_000)
                for result, fields in reply[0][1] if reply else ():
                    after = result
                    assert fields[b"message"] not in found, "one result a message"
                    found[fields[b"message"]] = fields
        return found

    async def dead_letters(self) -> dict[bytes, Fields]:
        """Dead letters by message."""
        return {fields[b"message"]: fields for _, fields in await self.client.xrange(self.dead)}


def order(order_id: str, quantity: int = 1, **fields: Any) -> bytes:
    """One message's order."""
    lines = [{"sku": "x", "quantity": quantity}]
    return json.dumps({"order_id": order_id, "ship_to": {"lat": 30, "lon": 120}, "lines": lines, **fields}).encode()


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
    """It may be the one that ends its consumers: it must not do so for ever."""
    async with StreamIntake(engine, line_of=result_line):
        (message,) = await queue.put(order("first"))
        await queue.finished(1)
    (message,) = await queue.put(order("a"))
    await queue.client.xreadgroup(GROUP, "dead", {queue.orders: ">"})
    await queue.client.xclaim(queue.orders, GROUP, "dead", 0, [message], retrycount=DELIVERIES_MAX, idle=CLAIM_MS * 2)
    async with StreamIntake(engine, line_of=result_line):
        found = await queue.finished(2)
    assert found[message][b"outcome"] == b"unknown"
    assert (await queue.dead_letters())[message][b"order"] == order("a")
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
