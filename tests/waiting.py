"""Waits for what another process does."""

from collections.abc import Callable
from time import monotonic, sleep
from typing import TypeVar

T = TypeVar("T")

POLL_S = 0.1


def until(seconds: float, look: Callable[[], T], enough: Callable[[T], bool]) -> T:
    """What `look` sees, as soon as it is `enough`. Fails after so many seconds."""
    deadline = monotonic() + seconds
    while True:
        seen = look()
        if enough(seen):
            return seen
        assert monotonic() < deadline, f"not in {seconds} s: {str(seen)[:2_000]}"
        sleep(POLL_S)
