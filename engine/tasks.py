"""Tasks whose death by a bug is seen, and whose end is sure."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

Supervise = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
"""Begins a task that is watched."""

CANCEL_POLL_S = 0.2

log = structlog.get_logger(__name__)


def supervised(work: Coroutine[Any, Any, None], failed: Callable[[], None]) -> asyncio.Task[None]:
    """Begin a task; should a bug end it, `failed` is called: nothing more may be promised."""

    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            log.error("a task of the engine died", error=repr(task.exception()))
            failed()

    task = asyncio.create_task(work)
    task.add_done_callback(ended)
    return task


async def end_task(task: asyncio.Task[Any]) -> None:
    """Cancel a task until it has ended, however it ends; its error is dropped.

    Once is not enough: where a reply comes at the same moment, the store's client library (by `asyncio.wait_for` of
    Python 3.11) loses one cancellation of three, and whoever then waits for a loop that goes on waits for ever.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=CANCEL_POLL_S)
    if not task.cancelled():
        task.exception()
