"""The end of a task is sure, also where the store's client library loses its cancellation."""

import asyncio
import random

import pytest
from redis.asyncio import Redis

from engine.tasks import end_task

ROUNDS = 60
WAIT_S = 10.0


async def test_whatever_a_task_is_doing_with_the_store_it_ends(empty_store_url: str) -> None:
    """A reply that comes with the cancellation takes its place; the loop around it goes on."""
    chance = random.Random(1)
    async with Redis.from_url(empty_store_url) as client:

        async def ask_for_ever() -> None:
            while True:
                await client.ping()
                await asyncio.sleep(0)

        async with asyncio.timeout(ROUNDS):
            for _ in range(ROUNDS):
                asking = asyncio.create_task(ask_for_ever())
                for _ in range(chance.randrange(1, 12)):
                    await asyncio.sleep(0)
                await end_task(asking)
                assert asking.cancelled()


@pytest.mark.filterwarnings("error")
async def test_an_error_of_a_task_that_is_ended_is_dropped() -> None:
    """Whoever ends it has no more use for it, and a log of the loop would frighten people."""
    complained: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complained.append(context))

    async def fail_at_the_end() -> None:
        try:
            await asyncio.sleep(WAIT_S)
        finally:
            raise OSError("gone")

    failing = asyncio.create_task(fail_at_the_end())
    await asyncio.sleep(0)
    await end_task(failing)
    assert isinstance(failing.exception(), OSError)
    del failing
    await asyncio.sleep(0)
    assert complained == []
