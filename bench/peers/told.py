"""A comparison as text: a table for people, and those that README.md and bench/README.md take."""

from bench.peers.compare import Comparison, Row
from bench.peers.entrants import STOCKADE
from bench.peers.postgres_server import SETTINGS
from bench.written import table

MARK = "peers"
COMMAND = "`make bench-peers`"


def full(done: Comparison) -> str:
    """What was measured, how, and with what settings."""
    load = done.load
    head = ("", "accepted/s", "Stockade is", "p50 / p99 ms", "service CPU, µs an order", "store CPU", "best settings")
    parts = [
        f"{COMMAND}, {done.machine}. Runs of {load.seconds:g} s in alternation, medians of {load.rounds} rounds, the"
        " best of the settings that were swept first. Orders have two lines and an id of their own, and are spread over"
        " the sample network, where nothing runs out. One service process has the first core; its store and the load"
        " generator share the last one, but PostgreSQL may use both. Single orders come over"
        f" {load.connections} connections, in bulk {load.bulk_connections} connections send bodies of"
        f" {load.bulk_lines:,} lines, each when it has the answer to the one before; p50 and p99 are then of a body."
        " Rates count until the last answer."
        " Every store is on disk before the answer: Valkey has `appendfsync always`, PostgreSQL"
        f" {', '.join(f'`{name}={value}`' for name, value in SETTINGS.items() if value)}."
    ]
    for bulk in (False, True):
        rows = [_cells(done, row) for row in done.rows if row.bulk == bulk]
        parts.append(table((("in bulk" if bulk else "single orders"), *head[1:]), rows))
    books = [
        (
            audit.about,
            f"{audit.books.orders:,}",
            f"{audit.books.units:,}",
            f"{audit.refused_scarce:,}",
            f"{audit.books.oversold:,}",
        )
        for audit in done.audits
    ]
    parts.append("Afterwards, by each store's own books; of two scarce SKUs far more was wanted than there was:")
    parts.append(table(("", "orders", "units", "refused for stock", "units oversold"), books))
    return "\n\n".join(parts)


def short(done: Comparison) -> str:
    """Orders a second and ratios."""
    rows = []
    for row in done.rows:
        if not row.bulk:
            continue
        alone = next((one for one in done.rows if one.name == row.name and not one.bulk), None)
        single = "as above" if alone is None else f"{alone.accepted_per_s:,.0f}{_ratio(done, alone)}"
        oversold = next(audit.books.oversold for audit in done.audits if audit.service == row.service)
        rows.append((row.name, f"{row.accepted_per_s:,.0f}{_ratio(done, row)}", single, f"{oversold:,}"))
    head = ("accepted and durable orders a second", "in bulk", "single", "units oversold")
    return f"{table(head, rows)}\n\n{COMMAND}, {done.machine}; medians of {done.load.rounds} rounds."


def _ratio(done: Comparison, row: Row) -> str:
    return "" if row.name == STOCKADE else f" (Stockade: {done.times(row):.1f} times)"


def _cells(done: Comparison, row: Row) -> tuple[str, ...]:
    return (
        row.name,
        f"{row.accepted_per_s:,.0f}",
        "" if row.name == STOCKADE else f"{done.times(row):.1f} times as fast",
        f"{row.p50_ms:,.1f} / {row.p99_ms:,.1f}",
        f"{row.service_cpu_us:,.0f}" if row.service_cpu_us >= 100 else f"{row.service_cpu_us:.1f}",
        f"{row.store_cpu_us:,.0f}" if row.store_cpu_us >= 100 else f"{row.store_cpu_us:.1f}",
        "" if row.settings is None else str(row.settings),
    )
