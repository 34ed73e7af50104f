"""How long a worker that keeps dying is left down: twice as long each time, up to a bound."""

FIRST_S = 0.1
MAX_S = 30.0
STABLE_S = 60.0
"""Who lived that long has made up for earlier deaths."""


class Backoff:
    """Of one worker."""

    def __init__(self) -> None:
        self._next_s = FIRST_S

    def after(self, lived_s: float) -> float:
        """How long to wait after a death, before the next start."""
        if lived_s >= STABLE_S:
            self._next_s = FIRST_S
        wait_s = self._next_s
        self._next_s = min(MAX_S, 2 * wait_s)
        return wait_s
