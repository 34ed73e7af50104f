"""kill -9 of the service and of its store in mid-sale: what was acknowledged stays, and nothing is held twice."""

import asyncio
import os
import signal
from functools import partial
from random import Random

import pytest

from loadtest.client import Client
from tests.conftest import Service
from tests.e2e.sale import CONNECTIONS, Sale, eventually, fill, run_together

KILLS = int(os.environ.get("STOCKADE_CRASH_KILLS", "3"))
"""How often each process is killed; a short run is the default."""
ORDERS_PER_KILL = 1_000
SEED = 20_261_111
RETRY_WAIT_S = 0.05


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service takes every STOCKADE_ variable for a setting of its own."""
    for name in ("STOCKADE_CRASH_KILLS", "STOCKADE_TEST_REDIS_URL"):
        monkeypatch.delenv(name, raising=False)


async def test_a_service_killed_in_mid_sale_loses_and_doubles_nothing(service: Service) -> None:
    """The instant is random: before the commit, in it, between the store's reply and ours, after it."""
    random = Random(SEED)
    sale = Sale(ORDERS_PER_KILL * (KILLS + 1), SEED)
    await fill(service.data_dir, len(sale.orders), SEED)
    for _ in range(KILLS):
        url = await asyncio.to_thread(service.start)
        async with Client(url, connections=CONNECTIONS) as client:
            selling = asyncio.create_task(run_together(partial(sale.sell_until_lost, client)))
            await until(selling, sale, random)
            service.kill()
            await selling
    assert sale.lost
    url = await asyncio.to_thread(service.start)
    async with Client(url, connections=CONNECTIONS) as client:
        await run_together(partial(sale.sell_until_lost, client))
        assert not sale.todo
        await sale.check_promises(client)
    assert sale.promised
    assert sale.promised.keys() | sale.refused == sale.orders.keys()
    await sale.check_books(service.data_dir)


async def test_a_store_killed_in_mid_sale_is_started_again_and_loses_nothing(service: Service) -> None:
    """The service outlives its store: it starts it again on the same file, and whoever waited is answered."""
    random = Random(SEED + 1)
    sale = Sale(ORDERS_PER_KILL * (KILLS + 1), SEED + 1)
    await fill(service.data_dir, len(sale.orders), SEED + 1)
    url = await asyncio.to_thread(service.start)
    pids = [store_pid(service)]
    async with Client(url, connections=CONNECTIONS) as client:

        async def sell() -> None:
            while sale.todo:
                answer = await sale.send(client, sale.todo.popleft())
                assert answer is not None, "the service hung up"
                if answer.status == 503:
                    await asyncio.sleep(RETRY_WAIT_S)

        async def another_store() -> bool:
            return store_pid(service) not in (0, *pids)

        async def ready() -> bool:
            return (await client.call("GET", "/readyz")).status == 200

        selling = asyncio.create_task(run_together(sell))
        for _ in range(KILLS):
            await until(selling, sale, random)
            os.kill(pids[-1], signal.SIGKILL)
            await eventually(another_store, 15)
            pids.append(store_pid(service))
        await asyncio.wait_for(selling, 30)
        await sale.check_promises(client)
        await eventually(ready, 10)
    assert len(set(pids)) == KILLS + 1
    assert sale.promised
    assert sale.promised.keys() | sale.refused == sale.orders.keys()
    await sale.check_books(service.data_dir)


async def until(selling: asyncio.Task[None], sale: Sale, random: Random) -> None:
    """A random instant of the sale."""
    reached = asyncio.create_task(sale.reaches(sale.sent + random.randrange(100, ORDERS_PER_KILL)))
    await asyncio.wait({selling, reached}, return_when=asyncio.FIRST_COMPLETED)
    reached.cancel()
    await asyncio.sleep(random.random() / 100)


def store_pid(service: Service) -> int:
    """The store's process: it holds the lock on the data directory, and its launcher wrote the pid there."""
    text = (service.data_dir / "lock").read_text()
    return int(text) if text.endswith("\n") else 0
