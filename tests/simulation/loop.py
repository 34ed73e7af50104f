"""An event loop that only ever does what is ready: no time, no sockets, no threads, one order of everything."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

CALLBACKS_MAX = 20_000
"""Callbacks in one go; beyond it something runs in circles without ever waiting."""


class StepLoop(asyncio.AbstractEventLoop):
    """Runs real tasks up to the point where all wait for futures that its owner resolves."""

    def __init__(self) -> None:
        self._ready: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self.failures: list[dict[str, Any]] = []
        """What tasks and callbacks raised where nobody asked."""

    def run_ready(self) -> None:
        """Run until nothing is ready."""
        ready = self._ready
        if not ready:
            return
        asyncio._set_running_loop(self)
        try:
            for _ in range(CALLBACKS_MAX):
                if not ready:
                    return
                callback, args = ready.popleft()
                callback(*args)
            raise AssertionError("tasks run in circles")
        finally:
            asyncio._set_running_loop(None)

    def call(self, make: Callable[[], T]) -> T:
        """Run something that asks for the running loop."""
        asyncio._set_running_loop(self)
        try:
            return make()
        finally:
            asyncio._set_running_loop(None)

    def forget(self) -> None:
        """Drop what is ready: whoever it was for has crashed."""
        self._ready.clear()
        self.failures.clear()

    # What asyncio itself asks of a loop.

    def call_soon(self, callback: Callable[..., object], *args: Any, context: object = None) -> None:  # type: ignore[override]
        """All callbacks share one context: nothing here has variables of its own."""
        del context
        self._ready.append((callback, args))

    def create_future(self) -> "asyncio.Future[Any]":
        """A future of this loop."""
        return asyncio.Future(loop=self)

    def create_task(self, coro: Coroutine[Any, Any, Any], **_: Any) -> "asyncio.Task[Any]":  # type: ignore[override]
        """A task of this loop."""
        return asyncio.Task(coro, loop=self)

    def get_debug(self) -> bool:
        """Never."""
        return False

    def time(self) -> float:
        """No time goes by: nothing here may wait for it."""
        return 0.0

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Keeps what went wrong, but for tasks that a crash left pending."""
        if "was destroyed but it is pending" not in context["message"]:
            self.failures.append(context)
