"""Tasks whose death by a bug is seen."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

Supervise = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
"""Begins a task that is watched."""

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
