"""Orders by a stream while the store takes none: nothing is lost, given up or read ahead, and all goes on after it."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from redis.asyncio import Redis

from api.http.bulk_lines import result_line
from engine import Engine, Settings, open_engine, stream_intake
from engine.intake import Lot
from engine.store import EmbeddedServer
from engine.store.binary import find_binary
from engine.stream_handful import DELIVERIES_MAX
from engine.stream_intake import HANDFULS_MAX, StreamIntake
from tests.engine.small_network import assert_balanced, put_network
from tests.engine.store.test_replica_wait import follow
from tests.engine.stream_case import CLAIM_MS, WAIT_S, Queue, order

MESSAGES = 50
"""Read at once."""
EMPTY_HASH = 1
"""The nameless field by which a key exists for ever."""


class Tries:
    """Counts the lots that are given to an engine, beside their way."""

    def __init__(self, engine: Engine) -> None:
        self._submit: Callable[..., Awaitable[Lot]] = engine.submit_lot
        self._count = 0
        self._more = asyncio.Condition()
        engine.submit_lot = self._counted  # type: ignore[method-assign,assignment]

    async def more(self, count: int) -> None:
        """Return when so many were given from now on."""
        async with asyncio.timeout(WAIT_S), self._more:
            wanted = self._count + count
            await self._more.wait_for(lambda: self._count >= wanted)

    async def _counted(self, lines: bytes, *, source: str) -> Lot:
        lot = await self._submit(lines, source=source)
        async with self._more:
            self._count += 1
            self._more.notify_all()
        return lot


class Pair:
    """A store that demands a replica, and one that does not follow it yet."""

    def __init__(self, primary: EmbeddedServer, first: "Redis[bytes]", second: "Redis[bytes]") -> None:
        self.settings = Settings(
            redis_url=primary.url, replicas_acked_min=1, replica_wait_ms=50, stream_claim_ms=CLAIM_MS
        )
        self.queue = Queue(first)
        self._second = second

    async def mend(self) -> None:
        """Have the replica follow."""
        await follow(self.queue.client, self._second)

    async def held(self) -> int:
        """Orders that the store keeps."""
        return int(await self.queue.client.hlen("stockade:{p0}:orders")) - EMPTY_HASH

    async def untold(self) -> bool:
        """Whether nothing was told of any message."""
        return await self.queue.client.xlen(self.queue.results) == 0 and not await self.queue.dead_letters()


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    """With a network, and much stock."""
    with tempfile.TemporaryDirectory(prefix="stockade-") as one, tempfile.TemporaryDirectory(prefix="stockade-") as two:
        async with (
            EmbeddedServer(find_binary(), Path(one)) as primary,
            EmbeddedServer(find_binary(), Path(two)) as replica,
            Redis.from_url(primary.url) as first,
            Redis.from_url(replica.url) as second,
        ):
            async with open_engine(Settings(redis_url=primary.url)) as engine:
                await put_network(engine, {("x", "A"): 10_000})
            yield Pair(primary, first, second)


async def test_while_nothing_is_decided_no_more_is_read_than_is_in_hand(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is any given up, though all in hand are held; and afterwards all are served at once, not a few each term."""
    monkeypatch.setattr(stream_intake, "MESSAGES_MAX", MESSAGES)
    in_hand, count = HANDFULS_MAX * MESSAGES, HANDFULS_MAX * MESSAGES + 200
    queue = pair.queue
    await queue.put(*(order(f"o-{number}") for number in range(count)))
    async with open_engine(pair.settings) as engine:
        tries = Tries(engine)
        async with StreamIntake(engine, line_of=result_line):
            await tries.more(HANDFULS_MAX * (DELIVERIES_MAX + 1))
            assert (len(await queue.deliveries()), await pair.held()) == (in_hand, in_hand)
            assert await pair.untold()
            await pair.mend()
            found = await queue.finished(count)
        assert {fields[b"outcome"] for fields in found.values()} <= {b"reserved", b"replayed"}
        assert await queue.dead_letters() == {}
        await assert_balanced(engine, units_reserved=count)


async def test_a_delivery_that_the_store_ended_does_not_count(pair: Pair) -> None:
    """Services that are started again and again in an outage give up nothing."""
    queue = pair.queue
    async with open_engine(pair.settings) as engine:
        tries = Tries(engine)
        async with StreamIntake(engine, line_of=result_line):
            messages = await queue.put(order("a"), order("b"))
            await tries.more(2)
        assert await queue.deliveries() == [0, 0]
        await queue.leave(*messages, deliveries=DELIVERIES_MAX - 1)
        for _ in range(3):
            async with StreamIntake(engine, line_of=result_line):
                await tries.more(2)
            assert max(await queue.deliveries()) < DELIVERIES_MAX
        assert await pair.untold()
        async with StreamIntake(engine, line_of=result_line):
            await tries.more(1)
            await pair.mend()
            found = await queue.finished(2)
        assert {found[message][b"outcome"] for message in messages} == {b"replayed"}
        assert await queue.dead_letters() == {}
