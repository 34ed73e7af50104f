"""Opens an engine on a store, which may be one that lives as long as the engine does."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from engine.config import Settings, load_settings
from engine.engine import Engine
from engine.errors import NoStoreThere
from engine.store import EmbeddedServer, Store, choose_store, holds_store, running_at


@contextlib.asynccontextmanager
async def open_engine(
    settings: Settings, *, attach: bool = False, background: bool = True, load: bool = True, create: bool = True
) -> AsyncIterator[Engine]:
    """An engine on the store that the settings name, or on an embedded one that lives as long as this block.

    `attach` joins the embedded store of a service that runs on the same data directory, if there is one. Without
    `background` it neither follows the store nor ends holds: enough for a single look. Without `load` it knows neither
    catalogue nor stock: enough to audit and repair. Without `create` no embedded store is made where there was none.
    Raises InvalidInput, StoreUnavailable, StoreUnsupported, NoStoreThere or DataDirInUse.
    """
    async with contextlib.AsyncExitStack() as stack:
        url = running_at(settings.data_dir) if attach and not settings.redis_url else None
        revive: Callable[[], Awaitable[None]] | None = None
        if url is None:
            chosen = choose_store(settings.redis_url)
            if isinstance(chosen, str):
                url = chosen
            else:
                if not create and not holds_store(settings.data_dir):
                    raise NoStoreThere(settings.data_dir)
                server = EmbeddedServer(chosen, settings.data_dir, ready_timeout_s=settings.store_ready_s)
                url = (await stack.enter_async_context(server)).url
                revive = server.revive
        store = Store(
            url,
            namespace=settings.namespace,
            timeout_s=settings.store_timeout_ms / 1000,
            partitions=settings.partitions,
            replicas_acked_min=settings.replicas_acked_min,
            replica_wait_ms=settings.replica_wait_ms,
        )
        await stack.enter_async_context(store)
        engine = Engine(settings, store, revive=revive)
        await engine.start(background=background, load=load)
        stack.push_async_callback(engine.close)
        yield engine


def connect(redis_url: str | None = None, **settings: Any) -> contextlib.AbstractAsyncContextManager[Engine]:
    """`async with engine.connect("redis://...") as e:`; without a URL, as `stockade serve` chooses its store."""
    return open_engine(load_settings(redis_url=redis_url, **settings), attach=True)
