"""Keeps requests under way for as long as a test likes, and knows that they are: by the store, and by the system."""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import redis

from engine.store import running_at
from tests.api.conftest import Door

HELD_MS = 60_000
_REMOTE, _QUEUES, _INODE = 2, 4, 9
"""Columns of /proc/net/tcp."""


@contextlib.contextmanager
def writes_held(data_dir: Path) -> Iterator[None]:
    """The embedded store takes changes, and does them at the end of this block."""
    url = running_at(data_dir)
    assert url is not None
    with redis.Redis.from_url(url) as store:
        store.execute_command("CLIENT", "PAUSE", HELD_MS, "WRITE")
        try:
            yield
        finally:
            store.execute_command("CLIENT", "UNPAUSE")


def is_read(client: socket.socket) -> bool:
    """Whether the process at the other end, on this machine, has accepted the connection and read all that was sent."""
    ours = f"0100007F:{client.getsockname()[1]:04X}"
    for row in map(str.split, Path("/proc/net/tcp").read_text().splitlines()[1:]):
        if row[_REMOTE] == ours:
            return row[_INODE] != "0" and int(row[_QUEUES].partition(":")[2], 16) == 0
    return False


def is_refused(door: Door) -> bool:
    """Whether nobody listens at a service's address."""
    host, port = door.address.split(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except (ConnectionRefusedError, ConnectionResetError):
        return True
    except TimeoutError:
        return False
    return False
