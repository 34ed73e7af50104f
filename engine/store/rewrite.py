"""Has the store's rewriting of its file step aside for the store's own work, where both want the same processor.

The server forks a child for it, which takes a processor for a second or more, and has no setting for how much of one.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path

LOOK_S = 0.1

NICENESS = 10
"""About a tenth of a processor that others want, too: it must come to its end, for the file grows meanwhile."""


async def keep_rewrites_aside(pid: Callable[[], int | None]) -> None:
    """Lower the priority of the server's children, until cancelled. `pid` is the server's, None while there is none.

    Does nothing where the system does not tell of children.
    """
    lowered: set[int] = set()
    while True:
        server = pid()
        children = set() if server is None else _children(server)
        for child in children - lowered:
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, child, NICENESS)
        lowered = children
        await asyncio.sleep(LOOK_S)


def _children(server: int) -> set[int]:
    try:
        return set(map(int, Path(f"/proc/{server}/task/{server}/children").read_bytes().split()))
    except OSError:
        return set()
