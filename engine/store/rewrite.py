"""Has the store's rewriting of its file stay out of the way of the store's own work.

The server forks a child for it that takes a processor for seconds, while every page that the server then writes on is
copied first. By itself it begins only where the file is large; before that we have it begun when little is written. The
child's priority, for which the server has no setting, is lowered.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct
from redis.asyncio import Redis
from redis.exceptions import RedisError

from engine.store.address import APPEND_ONLY_DIR, socket_url

LOOK_S = 0.1

NICENESS = 10
"""About a tenth of a processor that others want, too: it must come to its end, for the file grows meanwhile."""

WAIT_S = 5.0
"""For the answer of a server that is asked to begin."""


class Calm(Struct, frozen=True, kw_only=True):
    """When the file is rewritten though it is not large: it has doubled since it was, and little is added to it."""

    grown_bytes_min: int = 64 * 1024 * 1024
    """What was added since is this at the least: it loads in less than a second."""
    growth_bytes_per_s: int = 1024 * 1024
    """No more than this is little: some 2,500 orders a second."""
    window_s: float = 5.0
    """For so long."""
    again_after_s: float = 60.0
    """Between two that we have begun: one that fails, as on a full disk, would else be tried on and on."""


CALM = Calm()


async def keep_rewrites_aside(
    pid: Callable[[], int | None], data_dir: Path, socket: Path, *, calm: Calm = CALM
) -> None:
    """Have the file of a server rewritten in calm times, and lower the priority of its children, until cancelled.

    `pid` is the server's, None while there is none. Nothing is lowered where the system does not tell of children.
    """
    loop = asyncio.get_running_loop()
    lowered: set[int] = set()
    size, window_ends_s, next_s = 0, loop.time() + calm.window_s, 0.0
    while True:
        server, now_s = pid(), loop.time()
        children = set() if server is None else _children(server)
        for child in children - lowered:
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, child, NICENESS)
        lowered = children
        if now_s >= window_ends_s:
            rewritten, added = append_only_bytes(data_dir)
            little = rewritten + added - size <= calm.growth_bytes_per_s * calm.window_s
            size, window_ends_s = rewritten + added, now_s + calm.window_s
            if little and added >= max(rewritten, calm.grown_bytes_min) and not children and now_s >= next_s:
                next_s = now_s + calm.again_after_s
                await _begin(socket)
        await asyncio.sleep(LOOK_S)


async def _begin(socket: Path) -> None:
    # One that runs already, or a server that is just ending: there is a next time.
    with contextlib.suppress(RedisError, OSError):
        async with Redis.from_url(socket_url(socket), socket_timeout=WAIT_S) as client:
            await client.bgrewriteaof()


def append_only_bytes(data_dir: Path) -> tuple[int, int]:
    """The bytes of the file that were there when it was last rewritten, and those that were added since."""
    rewritten = added = 0
    # A file that is replaced just now counts when it is looked at again.
    with contextlib.suppress(OSError):
        for file in (data_dir / APPEND_ONLY_DIR).iterdir():
            if ".incr." in file.name:
                added += file.stat().st_size
            elif ".base." in file.name:
                rewritten += file.stat().st_size
    return rewritten, added


def _children(server: int) -> set[int]:
    try:
        return set(map(int, Path(f"/proc/{server}/task/{server}/children").read_bytes().split()))
    except OSError:
        return set()
