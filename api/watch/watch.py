"""Sees every answered request once."""

from collections.abc import Mapping

from api.metrics import Counts, Meter
from api.watch.request_log import RequestLog
from api.watch.traces import Traces, open_traces
from engine import Engine

SLOW_ANYHOW = frozenset({"streamed"})
"""Outcomes of requests that last as long as their client likes."""


class Watch:
    """The one place that lanes tell of requests. Counting comes first, and is all that most requests cost."""

    __slots__ = ("_counts", "_due", "_log", "_observe", "_sample", "_slow_s", "meter", "traces")

    def __init__(self, engine: Engine) -> None:
        """By the engine's settings. Raises InvalidInput where traces are wanted and cannot be had."""
        settings = engine.settings
        self._counts = Counts()
        self._observe = self._counts.observe
        self.meter = Meter(engine, self._counts)
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
        self._observe(route, status, outcome, seconds)
        self._due += self._sample
        if self._due >= 1 or status >= 500 or (seconds >= self._slow_s and outcome not in SLOW_ANYHOW):
            if self._due >= 1:
                self._due -= 1
            self._log.write(route, status, outcome, seconds, request_id)
        if self.traces is not None:
            self.traces.request(route, status, outcome, seconds, request_id, headers)
