"""Traces have a bound, whoever asks for them."""

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from api.watch import traces
from engine.intake.stages import Stages


def test_callers_cannot_have_more_traces_made_than_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each says that its request is sampled; beyond the bound of a second it is not, and in the next one it is."""
    seconds = [100.0]
    monkeypatch.setattr(traces, "monotonic", lambda: seconds[0])
    monkeypatch.setattr(traces, "TRACES_PER_S_MAX", 3)
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    told = traces.Traces(provider, Stages())
    for number in range(10):
        parent = f"00-{number + 1:032x}-{number + 1:016x}-01"
        told.request("GET /livez", 200, "ok", 0.001, f"r-{number}", {"traceparent": parent})
    assert len(exporter.get_finished_spans()) == 3
    seconds[0] += 1
    told.request("GET /livez", 200, "ok", 0.001, "r", {})
    assert len(exporter.get_finished_spans()) == 4
    told.close()
