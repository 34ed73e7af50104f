"""Opens the store that a command works on. A mistyped directory must not become an empty store."""

import contextlib
from collections.abc import AsyncIterator

from api.cli.console import err
from engine import Engine, Settings, open_engine
from engine.store import holds_store


@contextlib.asynccontextmanager
async def open_store(settings: Settings, *, makes: bool = False, load: bool = True) -> AsyncIterator[Engine]:
    """The engine for a single look or change. `makes`: where there is no embedded store yet, one is made, and told.

    Else raises NoStoreThere; in any case what open_engine raises.
    """
    if makes:
        tell_if_made(settings)
    async with open_engine(settings, attach=True, background=False, load=load, create=makes) as engine:
        yield engine


def tell_if_made(settings: Settings) -> None:
    """Say that a store will be made, where there is none."""
    if not settings.redis_url and not holds_store(settings.data_dir):
        err.print(f"There is no store in {settings.data_dir} yet: one is made.", markup=False, soft_wrap=True)
