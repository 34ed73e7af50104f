"""`stockade doctor`: which store, how durable, which limits, what to do."""

import platform

import msgspec
from rich.text import Text

from api.cli.console import EXIT_FINDING, StoreOptions, out, print_json
from api.cli.opening import open_store
from api.cli.table import print_table
from api.http.access.start import access_advice, access_of
from engine import Settings, __version__
from engine.access.signing import SigningRoot
from engine.errors import NoStoreThere, StoreUnavailable


async def doctor(*, json: bool = False, store: StoreOptions = StoreOptions()) -> int:  # noqa: B008 - frozen
    """Look at the store and the settings, and say what to do; exit 1 when there is something to do."""
    loaded = store.loaded()
    settings = loaded.settings
    try:
        seen, advice = await _look(settings)
    except NoStoreThere as error:
        if settings.data_dir.exists() and not settings.data_dir.is_dir():
            # No store can be made there either.
            raise
        # The settings need none, and are what one looks at before the first start.
        seen, advice = _without_store(settings, error)
    except StoreUnavailable as error:
        if not settings.redis_url:
            raise
        # They may be what is wrong.
        seen, advice = {"store": "REDIS_URL, out of reach", "url": without_password(settings.redis_url)}, (str(error),)
    found = {"stockade": __version__, "python": platform.python_version(), **seen}
    limits = {
        name: _shown(name, value)
        for name, value in msgspec.structs.asdict(settings).items()
        if name != "redis_url" or value is not None
    }
    sources = {name: loaded.sources.get(name, "default") for name in limits}
    if json:
        print_json({"found": found, "settings": limits, "sources": sources, "advice": advice})
    else:
        print_table(("what", "found"), [(name, str(value)) for name, value in found.items()])
        out.print()
        rows = [(f"STOCKADE_{name.upper()}", str(value), sources[name]) for name, value in limits.items()]
        print_table(("setting", "value", "from"), rows)
        out.print()
        for one in advice:
            out.print("[yellow]To do:[/]", Text(one))
        if not advice:
            out.print("[green]Nothing to do:[/] an acknowledged order survives a crash of service and store.")
    return EXIT_FINDING if advice else 0


async def _look(settings: Settings) -> tuple[dict[str, object], tuple[str, ...]]:
    """What the store is, and what to do about it."""
    async with open_store(settings) as engine:
        description = await engine.describe_store()
        closed, keys, _ = engine.access.keyring.closed, await engine.keys(), engine.access.root
        advice = (*description.advice, *access_advice(settings, keys, closed=closed))
        policies = engine.policies
        seen = {
            "store": "REDIS_URL" if settings.redis_url else f"embedded, in {settings.data_dir}",
            "url": without_password(engine.store.url),
            **{name: value for name, value in msgspec.structs.asdict(description).items() if name != "advice"},
            "partitions": len(engine.store.partitions),
            "warehouses": len(engine.planner.warehouses),
            "skus": len(engine.planner.skus),
            "cells": engine.planner.core.cell_count,
            "policies": f"version {policies.book.version} ({policies.book.fingerprint})",
            "served": access_of(settings, closed=closed),
            "keys": sum(key.state == "live" for key in keys),
        }
    return seen, (*advice, policies.error) if policies.error else advice


def _without_store(settings: Settings, error: NoStoreThere) -> tuple[dict[str, object], tuple[str, ...]]:
    if settings.signing_key_file is not None:
        SigningRoot.read(settings.signing_key_file)
    seen = {"store": f"none yet, in {settings.data_dir}", "served": access_of(settings, closed=False), "keys": 0}
    return seen, (str(error), *access_advice(settings, (), closed=False))


def _shown(name: str, value: object) -> object:
    if name == "redis_url":
        return without_password(str(value))
    return value if isinstance(value, int | float) else str(value)


def without_password(url: str) -> str:
    """A store's URL as it may be shown."""
    scheme, separator, rest = url.partition("://")
    credentials, at, address = rest.rpartition("@")
    return f"{scheme}{separator}***@{address}" if at and credentials else url
