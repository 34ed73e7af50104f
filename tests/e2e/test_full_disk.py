"""The disk is full in mid-sale: the store, which syncs before it replies, ends at the write that fails, and again.

A limit on the size of files stands for the full disk: to the store both are a write that fails, and it needs no rights.
"""

import asyncio
import resource
from functools import partial
from pathlib import Path

from loadtest.client import Client
from tests.e2e.forked_service import ForkedService, forked_service
from tests.e2e.sale import CONNECTIONS, POLL_S, Sale, fill, run_together

SEED = 20_261_112
ORDERS = 1_000
FREE_BYTES = 100_000
"""What the disk still takes: some dozens of orders."""
RECOVERY_MS = 500
READY_S = 20.0


async def test_a_full_disk_loses_nothing_and_is_recovered_from(tmp_path: Path) -> None:
    """Orders are told 503, and only those that are certainly not held that they are not; space brings the sale back."""
    data_dir = tmp_path / "store"
    await fill(data_dir, ORDERS, SEED)
    sale = Sale(SEED)
    with forked_service(data_dir, store_recovery_ms=RECOVERY_MS) as service:
        service.launch()
        url = await asyncio.to_thread(service.ready)
        async with Client(url, connections=CONNECTIONS) as client:
            end = asyncio.Event()
            selling = asyncio.create_task(run_together(partial(sale.sell, client, end)))
            async with asyncio.timeout(READY_S):
                while len(sale.promised) < ORDERS / 4:
                    await asyncio.sleep(POLL_S)
            limit_files(service, largest_file(data_dir) + FREE_BYTES)
            # None before the limit: so each of these is of the full disk.
            assert not sale.unavailable
            async with asyncio.timeout(READY_S):
                while not sale.unavailable:
                    await asyncio.sleep(POLL_S)
            async with asyncio.timeout(READY_S):
                # The last bytes of a disk may be enough to open the store once more, but not to sell.
                while not (sale.doubtful and sale.denied) or (await client.call("GET", "/readyz")).status != 503:
                    await asyncio.sleep(POLL_S)
            assert (await client.call("GET", "/livez")).status == 200
            end.set()
            await selling
            limit_files(service, resource.RLIM_INFINITY)
            async with asyncio.timeout(READY_S):
                while (await client.call("GET", "/readyz")).status != 200:
                    await asyncio.sleep(POLL_S)
            assert sale.denied
            await sale.check_denials(client)
            await run_together(partial(sale.settle, client))
            await sale.check_promises(client)
        assert not sale.unanswered
        (await sale.check_books(data_dir)).check()


def largest_file(data_dir: Path) -> int:
    """Bytes of the file that grows."""
    return max(path.stat().st_size for path in (data_dir / "appendonlydir").glob("*.incr.aof"))


def limit_files(service: ForkedService, size: int) -> None:
    """For the service, whose next stores inherit it, and for the store that it has."""
    for pid in (service.pid, service.store_pid):
        if pid:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
