"""Keeps a store for other processes: whoever opens it here owns it, and an embedded one lives as long as this block."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import structlog

from engine.config import Settings
from engine.errors import StockadeError
from engine.store import EmbeddedServer, choose_store
from engine.tasks import end_task

LOOK_S = 0.1
"""How soon it is seen that the embedded store has ended."""

log = structlog.get_logger(__name__)


@contextlib.asynccontextmanager
async def keep_store(settings: Settings) -> AsyncIterator[str]:
    """The URL of the store that the settings name, or of an embedded one, which is started again when it ends.

    Enter it on the main thread. Raises StoreUnavailable or DataDirInUse.
    """
    chosen = choose_store(settings.redis_url)
    if isinstance(chosen, str):
        yield chosen
        return
    async with EmbeddedServer(chosen, settings.data_dir, ready_timeout_s=settings.store_ready_s) as server:
        keeper = asyncio.create_task(_keep(server))
        try:
            yield server.url
        finally:
            await end_task(keeper)


async def _keep(server: EmbeddedServer) -> None:
    said = ""
    while True:
        await asyncio.sleep(LOOK_S)
        try:
            await server.revive()
            said = ""
        except (StockadeError, OSError) as error:
            # A full disk may last: said once, tried on.
            if str(error) != said:
                log.error("the store cannot be started again", error=str(error))
            said = str(error)
