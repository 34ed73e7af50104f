"""The names under which Prometheus knows our numbers: what each means, and what several workers' are together."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

REQUESTS = "stockade_http_requests"
DURATIONS = "stockade_http_request_duration_seconds"
ORDERS = "stockade_orders"
TURNED_AWAY = "stockade_turned_away"
WORKERS = "stockade_workers"
BUILD = "stockade_build"

LABELLED: Mapping[str, str] = MappingProxyType(
    {
        REQUESTS: "Requests answered, by route, method, status and outcome: a problem's type, or what was done.",
        DURATIONS: "From a request that has come in to its answer, by route, method and class of status.",
        ORDERS: "Orders by what became of them, and by the way they came.",
        TURNED_AWAY: "Orders (quotes; requests where rate-limited) turned away before they were planned, by reason.",
        WORKERS: "Processes whose gauges these are.",
        BUILD: "What runs here.",
    }
)

COUNTERS: Mapping[str, str] = MappingProxyType(
    {
        "stockade_batches": "Batches committed and settled.",
        "stockade_replans": "Times that an order was planned again, as the store had less than the view said.",
        "stockade_abandoned_orders": "Orders in bulk that were left unplanned, as their client had gone.",
        "stockade_lost_orders": "Acknowledged orders that the store lost and that could not be restored.",
        "stockade_connections_refused": "Connections beyond connections_max.",
        "stockade_connections_timed_out": "Connections closed on clients that were too slow, or idle for long.",
        "stockade_log_lines_dropped": "Lines about requests that the log did not get, being too many.",
        "stockade_oversell_check_cells": "Cells looked at in search of oversold units.",
        "stockade_oversell_checks": "Times that all cells were looked at.",
        "stockade_price_refreshes": "Times that stock was priced for orders to come.",
        "stockade_price_failures": "Times that this failed, and the former prices held.",
        "stockade_cpu_seconds": "Processor time.",
    }
)

LOST_CHANGES = "stockade_lost_changes"
"""Each worker sees the same loss: see `snapshot.losses_of`."""

COUNTED_ONCE: Mapping[str, str] = MappingProxyType({LOST_CHANGES: "Changes that were in the store and that it lost."})

HISTOGRAMS: Mapping[str, str] = MappingProxyType(
    {
        "stockade_batch_orders": "Orders of a batch.",
        "stockade_batch_plan_seconds": "Planning a batch.",
        "stockade_batch_commit_seconds": "From a batch's plan to its answers: the store's round trip and settling.",
    }
)

Over = Callable[[Iterable[float]], float]

GAUGES: Mapping[str, tuple[str, Over]] = MappingProxyType(
    {
        "stockade_ready": ("1 where every worker can take orders, and none is about to stop.", min),
        "stockade_workers_wanted": ("Workers that a supervisor keeps alive; 1 without one.", max),
        "stockade_store_up": ("1 where the store answered every worker's last look, 5 seconds ago at most.", min),
        "stockade_queue_orders": ("Orders that came one by one and wait for their batch.", sum),
        "stockade_queue_orders_max": ("How many of these may wait now, by what the service does.", sum),
        "stockade_queue_bulk_orders": ("Orders of bulk bodies and of the stream that wait for their batch.", sum),
        "stockade_queue_wait_seconds": ("How long an order that comes now would wait for its batch.", max),
        "stockade_queue_standing": ("1 where a queue stands, so that orders are let in for a short wait only.", max),
        "stockade_view_lag_seconds": ("Age at which changes by others came into the view: the worst of 10 s.", max),
        "stockade_view_events_behind": ("Changes in the store that are not in the view.", max),
        "stockade_policies_error": ("1 where the file of policies is wrong and the former are in force.", max),
        "stockade_price_age_seconds": ("Since stock was last priced for orders to come; 0 where it never was.", max),
        "stockade_price_solve_seconds": ("What the last pricing of stock took in its thread.", max),
        "stockade_priced_cells": ("Cells that have a price.", max),
        "stockade_connections": ("Open connections.", sum),
        "stockade_connections_max": ("How many may be.", sum),
        "stockade_stream_orders": ("Messages of the stream of orders that are not finished.", max),
        "stockade_stream_oldest_seconds": ("Age of the oldest of them.", max),
        "stockade_stream_dead_letters": ("Dead letters of the stream of orders that nobody has removed.", max),
        "stockade_unpaid_holds": ("Orders that are held until they are paid or their hold ends.", max),
        "stockade_oversold_units": ("Units promised beyond what is on hand. Must be 0.", max),
        "stockade_oversell_check_completed_timestamp_seconds": ("When all cells had been looked at; 0: not yet.", max),
        "stockade_oversell_check_enabled": ("1 where cells are looked at in search of oversold units.", max),
        "stockade_cells": ("Cells of stock in the view.", max),
        "stockade_skus": ("SKUs known.", max),
        "stockade_warehouses": ("Warehouses known.", max),
        "stockade_resident_memory_bytes": ("Memory of all workers.", sum),
        "stockade_start_time_seconds": ("When the oldest worker started.", min),
    }
)
