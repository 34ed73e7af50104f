"""What those who run the service ask it, and the document itself."""

from typing import Any

from api.http.answers import Alive, Readiness, StoreFacts, Versions
from api.http.contract import Contract, Reply

LIVEZ = Contract(summary="Whether the process answers", replies=(Reply(200, "It does.", Alive, {"alive": Alive()}),))

_READY = Readiness(
    status="ready",
    library_version=3,
    cells=4_200,
    skus=600,
    warehouses=30,
    queued=0,
    view_lag_ms=1.8,
    events_behind=0,
    lost_orders=0,
    lost_changes=0,
    policy_version="built-in",
    policy_fingerprint="7f83b1657ff1fc53",
    policies_error=None,
    prices_age_s=None,
    prices_error=None,
)
_AWAY = Readiness(
    status="store-unavailable",
    detail="The store does not answer.",
    library_version=None,
    cells=4_200,
    skus=600,
    warehouses=30,
    queued=12,
    view_lag_ms=1.8,
    events_behind=0,
    lost_orders=0,
    lost_changes=0,
    policy_version="built-in",
    policy_fingerprint="7f83b1657ff1fc53",
    policies_error=None,
    prices_age_s=None,
    prices_error=None,
)
READYZ = Contract(
    summary="Whether orders can be taken",
    replies=(
        Reply(200, "They can.", Readiness, {"ready": _READY}),
        Reply(503, "They cannot, for now or until somebody looks.", Readiness, {"no store": _AWAY}, ("Retry-After",)),
    ),
)
VERSION = Contract(
    summary="Of this service, of what it runs on, and of its store",
    replies=(
        Reply(
            200,
            "Versions.",
            Versions,
            {"one": Versions("0.1.0", "3.12.7", StoreFacts("valkey", "9.1.0", "always"))},
        ),
    ),
    problems=("store-unavailable",),
)
METRICS = Contract(
    summary="The numbers of all workers, for Prometheus",
    replies=(
        Reply(
            200,
            "Text for Prometheus; OpenMetrics where that is asked for.",
            str,
            {"a gauge": "# TYPE stockade_ready gauge\nstockade_ready 1.0\n"},
            media_type="text/plain",
        ),
        Reply(
            200,
            "The same.",
            str,
            {"a gauge": "# TYPE stockade_ready gauge\nstockade_ready 1.0\n# EOF\n"},
            media_type="application/openmetrics-text",
        ),
    ),
)
OPENAPI = Contract(
    summary="This document",
    replies=(Reply(200, "OpenAPI 3.1.", dict[str, Any], {"its head": {"openapi": "3.1.0"}}),),
)
DOCS = Contract(
    summary="This document for people",
    replies=(
        Reply(200, "A page that needs no other host.", str, {"begins": "<!doctype html>"}, media_type="text/html"),
    ),
)
