"""How a load test is shown: a line a second while it runs, tables when it is done."""

from api.cli.console import counted, err, out, print_json
from api.cli.table import print_table
from engine.errors import FieldError, InvalidInput
from loadtest.audit.finding import RunAudit
from loadtest.load_result import ActionDone, LoadResult, Second, Waits
from loadtest.scenarios import Scenario, built_in, names

WAITS = ("ms", "requests", "p50", "p90", "p99", "p99.9", "max")


def show_second(second: Second) -> None:
    """One line of progress, if anything was due or came."""
    if not (second.offered or second.ok or second.backlog):
        return
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


def show_action(done: ActionDone) -> None:
    """A line of what happened."""
    told = f"{done.do}: {done.told}" if done.failed is None else f"{done.do} failed: {done.failed}"
    err.print(f"{done.at_s:6.1f} s  {told}", markup=False, soft_wrap=True)


def print_scenarios(*, json: bool) -> None:
    """Those that are there, a line each."""
    found = {name: built_in(name).document for name in names()}
    if json:
        print_json({name: {"about": one.about, "needs": one.needs} for name, one in found.items()})
        return
    for name, one in found.items():
        out.print(f"{name:18} {one.about}{f' Needs: {one.needs}' if one.needs else ''}", markup=False, soft_wrap=True)


def print_checked(scenario: Scenario | None) -> None:
    """One that is right."""
    if scenario is None:
        raise InvalidInput((FieldError("--check", "needs a --scenario to look at"),))
    document = scenario.document
    counts = f"{counted(len(document.buyers), 'kind')} of buyers, {counted(len(document.actions), 'action')}"
    out.print(f"{scenario.name}: {document.about} {counts}.", markup=False, soft_wrap=True)


def print_load(result: LoadResult) -> None:
    """What came of the run; first what the service lied about."""
    if result.audit is not None:
        _print_lies(result.audit)
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
    if result.audit is not None:
        _print_audit(result.audit)
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
        ("orders accepted a second", f"{result.goodput_per_s:,.0f}"),
        *((f"answered {status}", count) for status, count in result.statuses.items() if not 200 <= status < 300),
        *((f"refused: {type_}", count) for type_, count in result.problems.items()),
        *((f"lines {outcome}", count) for outcome, count in result.bulk_lines.items()),
        *((f"orders {word}", count) for word, count in result.orders.items() if count and result.bulk_lines),
        *((f"no answer: {reason}", count) for reason, count in result.failures.items()),
    ]
    if result.lines_missing or result.lines_surplus:
        rows += [("lines missing", result.lines_missing), ("lines too many", result.lines_surplus)]
    if result.replayed:
        rows.append(("replayed", result.replayed))
    if result.accepted_after_end:
        rows.append(("orders accepted after the end", result.accepted_after_end))
    if result.waiting_at_end:
        rows.append(("waiting at the end", result.waiting_at_end))
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
        ("generator CPU", f"{generator.cpu_share:.0%}, at most {generator.cpu_share_peak:.0%}"),
        ("generator µs a request", f"{generator.cpu_us_per_request:.1f}"),
        ("generator-bound", "YES" if result.generator_bound else "no"),
    ]


def _print_lies(audit: RunAudit) -> None:
    if not audit.lies:
        return
    out.print("The service did not do what it told:", style="red")
    rows = [(one.kind, one.count, one.detail, ", ".join(one.examples)) for one in audit.lies]
    print_table(("audit", "count", "what", "such as"), rows, numbers=("count",))
    out.print()


def _print_audit(audit: RunAudit) -> None:
    if audit.skipped is not None:
        out.print(f"Not audited ({audit.skipped}): whether what was told is so was not looked at.")
        return
    store = "not looked at" if audit.store is None else "balance" if audit.store else "DO NOT BALANCE"
    rows: list[tuple[str, object]] = [
        ("orders acknowledged", audit.acknowledged),
        ("orders looked up, refused ones too", audit.read),
        ("orders without an answer / there all the same", f"{audit.lost:,} / {audit.lost_held:,}"),
        ("units that they hold", audit.units_held),
        ("cells held against that", audit.cells),
        ("refused for stock", audit.refused_for_stock),
        ("of these with enough there all the time", audit.refusals_false),
        ("of these with enough there for some time", audit.refusals_doubtful),
        ("the store's own books", store),
        ("lies", sum(one.count for one in audit.lies)),
        ("seconds", f"{audit.seconds:.1f}"),
    ]
    print_table(("audit", ""), rows, numbers=("",))
    for note in audit.notes:
        out.print(note, markup=False)


def _waits(name: str, waits: Waits) -> tuple[object, ...]:
    shown = (waits.p50_ms, waits.p90_ms, waits.p99_ms, waits.p999_ms, waits.max_ms)
    return (name, waits.count, *(f"{value:,.2f}" for value in shown))
