"""Loads the function library into the store and checks that it is the one this release was written for."""

import hashlib
from importlib import resources

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from engine.errors import StoreUnsupported

LIBRARY_VERSION = 6
"""As in ledger.lua. To be raised whenever a function's arguments, reply or stored layout change."""

PARTS = (
    "ledger",
    "commit",
    "orders",
    "replace",
    "reallocate",
    "partitions",
    "movements",
    "counts",
    "moves",
    "cells",
    "feed",
    "catalogue",
    "access",
    "requests",
    "repair",
    "stream",
)
"""The files of the library, in the order in which they build on each other."""


def library_source() -> tuple[str, str]:
    """The text to load and the digest that it carries."""
    folder = resources.files("engine.store").joinpath("functions")
    text = "\n\n".join(folder.joinpath(f"{part}.lua").read_text("utf-8") for part in PARTS)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return text.replace("@DIGEST@", digest), digest


async def ensure_library(client: Redis) -> bool:
    """Load the library unless this very text is there. Returns whether it was loaded now.

    Raises StoreUnsupported when the store holds a later version: it is in use by a later release, which must win.
    """
    source, digest = library_source()
    found = await _loaded(client)
    if found is not None:
        version, found_digest = found
        if version > LIBRARY_VERSION:
            raise StoreUnsupported(
                f"The store holds version {version} of Stockade's function library; this release knows version"
                f" {LIBRARY_VERSION}. Upgrade this service."
            )
        if (version, found_digest) == (LIBRARY_VERSION, digest):
            return False
    await client.execute_command("FUNCTION", "LOAD", "REPLACE", source)
    return True


async def _loaded(client: Redis) -> tuple[int, str] | None:
    try:
        version, digest = await client.execute_command("FCALL", "stockade_version", 0)
    except ResponseError as error:
        if is_missing_function(error):
            return None
        raise
    return int(version), digest.decode()


def is_missing_function(error: ResponseError) -> bool:
    """Whether a call failed because the store has no such function."""
    return "Function not found" in str(error)
