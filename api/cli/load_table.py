"""How a load test is shown: a line a second while it runs, tables when it is done."""

from api.cli.console import err, out
from api.cli.table import print_table
from loadtest.load_result import LoadResult, Second, Waits

WAITS = ("ms", "requests", "p50", "p90", "p99", "p99.9", "max")


def show_second(second: Second) -> None:
    """One line of progress."""
    rest = {
        "refused": second.refused,
        "overloaded": second.overloaded,
        "other": second.other,
        "failed": second.failed,
        "dropped": second.dropped,
        "waiting": second.backlog,
    }
    told = "".join(f", {count:,} {word}" for word, count in rest.items() if count)
    err.print(
        f"{second.second + 1:4} s  {second.offered:8,} due  {second.ok:8,} ok"
        f"  p50 {second.p50_ms:8.2f} ms  p99 {second.p99_ms:8.2f} ms{told}"
    )


def print_load(result: LoadResult) -> None:
    """What came of the run."""
    print_table(("load test", ""), _counts(result), numbers=("",))
    out.print()
    rows = [("all, from when they were due", result.from_intended), ("all, from when they were sent", result.from_sent)]
    rows += [(f"{word}, from when due", one.from_intended) for word, one in result.classes.items() if one.count]
    if result.retries.sent:
        rows.append(("sent again, from when due", result.retries.from_intended))
    print_table(WAITS, [_waits(name, waits) for name, waits in rows], numbers=WAITS[1:])
    if len(result.kinds) > 1:
        out.print()
        columns = ("kind", "due", *result.classes)
        kinds = [(one.name, one.offered, *(one.done[word] for word in result.classes)) for one in result.kinds]
        print_table(columns, kinds, numbers=columns[1:])
    out.print()
    if result.loop == "closed":
        out.print(
            "Closed loop: each connection waited for its answer, so a stall of the service hides what it kept waiting."
        )


def _counts(result: LoadResult) -> list[tuple[str, object]]:
    generator = result.generator
    rows: list[tuple[str, object]] = [
        ("requests due", result.offered),
        ("sent", result.sent),
        ("accepted (2xx)", result.classes["ok"].count),
        ("accepted a second", f"{result.goodput_per_s:,.0f}"),
        *((f"answered {status}", count) for status, count in result.statuses.items() if not 200 <= status < 300),
        *((f"refused: {type_}", count) for type_, count in result.problems.items()),
        *((f"lines {outcome}", count) for outcome, count in result.bulk_lines.items()),
        *((f"no answer: {reason}", count) for reason, count in result.failures.items()),
    ]
    if result.replayed:
        rows.append(("replayed", result.replayed))
    if result.retries.sent:
        rows += [("sent again", result.retries.sent), ("accepted thanks to that", result.retries.recovered)]
    if result.reconnects or result.connect_failures:
        rows += [("connections made anew", result.reconnects), ("connections not made", result.connect_failures)]
    if result.warmup_requests:
        rows.append(("before, in the warm-up", result.warmup_requests))
    return [
        *rows,
        ("late by the generator", result.late_generator),
        ("late for want of a connection", result.late_connection),
        ("never sent", result.dropped),
        ("generator CPU", f"{generator.cpu_share:.0%}"),
        ("generator µs a request", f"{generator.cpu_us_per_request:.1f}"),
        ("generator-bound", "YES" if result.generator_bound else "no"),
    ]


def _waits(name: str, waits: Waits) -> tuple[object, ...]:
    shown = (waits.p50_ms, waits.p90_ms, waits.p99_ms, waits.p999_ms, waits.max_ms)
    return (name, waits.count, *(f"{value:,.2f}" for value in shown))
