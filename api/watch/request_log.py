"""Writes a line of the log about a request. It names the route and not the path, no header, no body: no secrets."""

from time import monotonic

import structlog

from api.metrics import Meter

LINES_PER_S_MAX = 200
"""More, as when every request fails, would make a slow log of a broken service; they are counted."""


class RequestLog:
    """A line a request, not more than LINES_PER_S_MAX."""

    def __init__(self, meter: Meter) -> None:
        """`meter` is told of lines that were dropped."""
        self._meter = meter
        self._second = 0
        self._lines = 0
        # Bound once: a logger that binds itself for each line takes as long as the line.
        self._log = structlog.get_logger("stockade.requests").bind()

    def write(self, route: str, status: int, outcome: str, seconds: float, request_id: str) -> None:
        """Write a line, unless there were too many in this second."""
        second = int(monotonic())
        if second != self._second:
            self._second, self._lines = second, 0
        self._lines += 1
        if self._lines > LINES_PER_S_MAX:
            self._meter.dropped_lines += 1
            return
        method, _, path = route.rpartition(" ")
        write = self._log.info if status < 500 else self._log.warning if status == 503 else self._log.error
        write(
            "request",
            request_id=request_id,
            method=method,
            route=path,
            status=status,
            outcome=outcome,
            ms=round(seconds * 1000, 3),
        )
