"""Traces, as a collector receives them over HTTP."""

import gzip
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.api.conftest import Door, Shop
from tests.conftest import Service
from tests.waiting import until

SENT_S = 15.0
TRACE = "0af7651916cd43dd8448eb211c80319c"


class Collector:
    """Takes traces by OTLP."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        spans = self.spans

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                    for scope in resource.scope_spans:
                        spans.extend(scope.spans)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1/traces"
        self._thread = threading.Thread(target=self.server.serve_forever)
        self._thread.start()

    def stop(self) -> None:
        """No more."""
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    """One that listens."""
    one = Collector()
    yield one
    one.stop()


def test_a_callers_trace_goes_on_to_plan_and_commit(collector: Collector, tmp_path: Path) -> None:
    """Whoever follows an order from the shop sees where its time went here; what nobody asked for is not sent."""
    service = Service(tmp_path / "store", STOCKADE_TRACE_ENDPOINT=collector.url, STOCKADE_TRACE_SAMPLE="0")
    service.start()
    try:
        door = Door(service.url)
        shop = Shop(door, "T")
        sku = shop.sku(on_hand={shop.warehouse(): 5})
        headers = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
        assert door.call("POST", "/v1/orders", shop.order((sku, 1)), headers).status == 201
        shop.reserve((sku, 1))
    finally:
        service.stop()
    spans = until(SENT_S, lambda: list(collector.spans), lambda found: len(found) >= 5)
    assert {span.trace_id.hex() for span in spans} == {TRACE}
    names = {span.span_id: span.name for span in spans}
    parents = {span.name: names.get(span.parent_span_id) for span in spans}
    request = "POST /v1/orders"
    assert parents == {request: None, "wait": request, "batch": request, "plan": "batch", "commit": "batch"}
    times = {span.name: (span.start_time_unix_nano, span.end_time_unix_nano) for span in spans}
    began, ended = times[request]
    assert all(began <= start <= end <= ended for start, end in times.values())
    assert times["wait"][1] <= times["plan"][0] <= times["plan"][1] <= times["commit"][1]


def test_nothing_of_it_is_imported_without_an_endpoint() -> None:
    """What is off costs nothing, not even memory."""
    # redis-py imports what it finds of OpenTelemetry by itself, but neither spans nor exporters.
    program = (
        "import sys, api.http\n"
        "unwanted = ('opentelemetry.sdk.trace.export', 'opentelemetry.exporter', 'opentelemetry.proto')\n"
        "assert not [name for name in sys.modules if name.startswith(unwanted)]"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
