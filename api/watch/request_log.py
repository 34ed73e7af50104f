"""Writes a line of the log about a request. It names the route and not the path, no header, no body: no secrets."""

from time import monotonic

import structlog

from api.metrics import Meter

LINES_PER_S_MAX = 200
"""More, as when every request fails, would make a slow log of a broken service; they are counted."""

log = structlog.get_logger("stockade.requests")


class RequestLog:
    """A line a request, not more than LINES_PER_S_MAX."""

    def __init__(self, meter: Meter) -> None:
        """`meter` is told of lines that were dropped."""
        self._meter = meter
        self._second = 0
        self._lines = 0

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
        write = log.error if status >= 500 and status != 503 else log.warning if status >= 500 else log.info
        write(
            "request",
            request_id=request_id,
            method=method,
            route=path,
            status=status,
            outcome=outcome,
            ms=round(seconds * 1000, 3),
        )
