"""Sees every answered request once."""

from bisect import bisect_left
from collections.abc import Mapping

from api.metrics import Counts, Meter
from api.metrics.counts import BOUNDS_S
from api.watch.request_log import RequestLog
from api.watch.traces import Traces, open_traces
from engine import Engine

SLOW_ANYHOW = frozenset({"streamed"})
"""Outcomes of requests that last as long as their client likes."""


TURNED_AWAY = frozenset({"overloaded", "deadline-exceeded"})
"""Outcomes that come by the thousand when there is too much to do: they are counted, and sampled as others are."""


class Watch:
    """The one place that lanes tell of requests. Counting comes first, and is all that most requests cost."""

    __slots__ = ("_due", "_log", "_new_row", "_requests", "_sample", "_slow_s", "meter", "observe_orders", "traces")

    def __init__(self, engine: Engine) -> None:
        """By the engine's settings. Raises InvalidInput where traces are wanted and cannot be had."""
        settings = engine.settings
        counts = Counts()
        self._requests, self._new_row = counts.requests, counts.new_row
        self.observe_orders = counts.observe_orders
        """Of orders that did not come by a request each."""
        self.meter = Meter(engine, counts)
        self.traces: Traces | None = open_traces(settings, engine.intake.stages)
        self._log = RequestLog(self.meter)
        self._sample = settings.log_sample
        self._slow_s = settings.log_slow_ms / 1000
        self._due = 0.0
        """Of the next line that the sample is to give; at 1 it is written."""

    def observe(
        self, route: str, status: int, outcome: str, seconds: float, request_id: str, headers: Mapping[str, str]
    ) -> None:
        """A request was answered: of a route as "METHOD /path", so many seconds after it had come in."""
        # All in one place, as every order passes here: half a microsecond.
        row = self._requests.get((route, status, outcome)) or self._new_row((route, status, outcome))
        row[bisect_left(BOUNDS_S, seconds)] += 1
        row[-1] += seconds
        self._due += self._sample
        if self._due >= 1 or status >= 500 or seconds >= self._slow_s:
            self._look(route, status, outcome, seconds, request_id)
        if self.traces is not None:
            self.traces.request(route, status, outcome, seconds, request_id, headers)

    def _look(self, route: str, status: int, outcome: str, seconds: float, request_id: str) -> None:
        """Write a line, unless the request was only as slow as its client wanted, or one of very many turned away."""
        if self._due >= 1:
            self._due -= 1
        elif outcome in TURNED_AWAY or (status < 500 and outcome in SLOW_ANYHOW):
            return
        self._log.write(route, status, outcome, seconds, request_id)
