"""Traces of requests for OpenTelemetry, where they are wanted: else nothing of it is even imported.

A trace is made when its request is answered, from the times that were measured anyhow. An order's has spans for its
wait, its batch, and of that the plan and the commit: of the last batch where it was planned more than once.
"""

import time
from collections.abc import Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any

from api.metrics.counts import ORDERS_ROUTE
from engine import Settings, __version__
from engine.errors import FieldError, InvalidInput
from engine.intake.stages import BatchTimes, Stages

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

NO_BATCH = frozenset({"invalid-order", "broken-json", "too-large", "too-slow", "overloaded", "shutting-down"})
"""Outcomes of orders that never came into a batch."""
CLOSE_WAIT_MS = 2_000
TRACES_PER_S_MAX = 200
"""A caller's `traceparent` may ask for a trace of each of its requests: what is beyond goes without."""


def open_traces(settings: Settings, stages: Stages) -> "Traces | None":
    """Traces to where the settings say; None where they say nothing. Raises InvalidInput where the extra is missing."""
    if settings.trace_endpoint is None:
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
    except ImportError:
        message = "traces need the extra: pip install 'stockade[otel]'"
        raise InvalidInput((FieldError("STOCKADE_TRACE_ENDPOINT", message),)) from None
    provider = TracerProvider(
        resource=Resource.create({"service.name": "stockade", "service.version": __version__}),
        sampler=ParentBased(TraceIdRatioBased(settings.trace_sample)),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=settings.trace_endpoint)))
    return Traces(provider, stages)


class Traces:
    """Makes spans of requests, and sends them off in a thread of the exporter's."""

    def __init__(self, provider: "TracerProvider", stages: Stages) -> None:
        from opentelemetry.trace import SpanKind, StatusCode, set_span_in_context
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._provider = provider
        self._tracer: Tracer = provider.get_tracer("stockade", __version__)
        self._stages = stages
        self._kind = SpanKind.SERVER
        self._error = StatusCode.ERROR
        self._parent_of = TraceContextTextMapPropagator().extract
        self._within = set_span_in_context
        self._second = 0
        self._made = 0

    def request(
        self, route: str, status: int, outcome: str, seconds: float, request_id: str, headers: Mapping[str, str]
    ) -> None:
        """A request was answered just now. Beyond TRACES_PER_S_MAX nothing of it is made."""
        second = int(monotonic())
        if second != self._second:
            self._second, self._made = second, 0
        if self._made >= TRACES_PER_S_MAX:
            return
        parent = headers.get("traceparent")
        carrier = {} if parent is None else {"traceparent": parent, "tracestate": headers.get("tracestate", "")}
        method, _, path = route.rpartition(" ")
        ended, clock = time.time_ns(), time.perf_counter()
        span = self._tracer.start_span(
            route,
            context=self._parent_of(carrier),
            kind=self._kind,
            start_time=ended - int(seconds * 1e9),
            attributes={
                "http.request.method": method,
                "http.route": path,
                "http.response.status_code": status,
                "stockade.outcome": outcome,
                "stockade.request_id": request_id,
            },
        )
        if span.is_recording():
            self._made += 1
            batch = self._stages.last
            # One that began before the request came is not its own.
            if route == ORDERS_ROUTE and outcome not in NO_BATCH and batch and batch.began >= clock - seconds:
                self._batch(self._within(span), batch, ended, clock, came=clock - seconds)
            if status >= 500:
                span.set_status(self._error, outcome)
        span.end(ended)

    def _batch(self, within: "Context", batch: BatchTimes, now_ns: int, clock: float, *, came: float) -> None:
        def at(moment: float) -> int:
            return now_ns - int((clock - moment) * 1e9)

        def span(name: str, context: "Context", began: float, ended: float, **attributes: int) -> Any:
            made = self._tracer.start_span(name, context=context, start_time=at(began), attributes=attributes)
            made.end(at(ended))
            return made

        span("wait", within, came, max(came, batch.began))
        inside = self._within(span("batch", within, batch.began, batch.ended, orders=batch.orders))
        span("plan", inside, batch.began, batch.planned)
        span("commit", inside, batch.planned, batch.ended)

    def close(self) -> None:
        """Send what is left; CLOSE_WAIT_MS at the most."""
        self._provider.force_flush(CLOSE_WAIT_MS)
        self._provider.shutdown()
